"""Where all parts of a pretraining run meet, and what tells one run from another."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int

from ecglipse.batches import Batches, Joined, best_device
from ecglipse.commands import _contrast, _encoders, _stores, _views
from ecglipse.commands._delineated import delineator
from ecglipse.commands._fitting import count_training, see_masks, see_pairs, see_training
from ecglipse.commands._policies import fill, loaded_network, policy, ramp
from ecglipse.config import Config, Method, digest
from ecglipse.errors import ConfigError
from ecglipse.models.reference import min_max
from ecglipse.pretrain import AdversarialMasking, Player, Training
from ecglipse.splits import Split
from ecglipse.store import Store
from ecglipse.study.plan import SEEDLESS

READ_EVERY = 16
"""Steps on a GPU between two readings of their numbers, at each of which the host waits for the device."""


def training(
    config: Config, method: Method, *, batches: Batches, rows: Int[np.ndarray, " record"], seed: int
) -> Training:
    """A pretraining run of a method, not yet begun."""
    store, rule = batches.store, config.pretrain
    stores = [store, *_stores.also(config, store)]
    if len(stores) > 1:
        batches = Joined(stores, device=batches.device)
        rows = np.concatenate([rows, np.arange(len(store), sum(map(len, stores)))])
    see_training(config, method, records=len(rows))
    learner = _encoders.encoder(config, store, seed=seed)
    network = config.mask_network
    game = AdversarialMasking(
        learner,
        _encoders.projection(config, method, seed=seed),
        policy(config, method, leads=store.leads, fs=store.fs, seed=seed, encoder=learner),
        objective=_contrast.objective(config, method, seed=seed),
        pairs=_contrast.pairs(config, method, store=store, shortest=learner.shortest),
        fill=fill(config, leads=store.leads),
        both=config.masks.both_views,
        strength=ramp(network.strength_start, network.strength, config.masks.ramp),
        after=partial(min_max, whole_batch=True) if config.published.scaling == "batch" else None,
    ).to(batches.device)
    if rule.compile:
        game.encoder.compile()
    return Training(
        game,
        batches,
        rows,
        view=_views.view(config, method, store=store, side="first"),
        second_view=_views.view(config, method, store=store, side="second"),
        scaling=_encoders.scaling(config),
        seed=seed,
        epochs=rule.epochs,
        batch=rule.batch,
        accumulate=rule.accumulate,
        flows=config.published.leftover == "next-epoch",
        patience=config.published.patience,
        encoder=Player(rule.learning_rate, rule.weight_decay, rule.clip or math.inf),
        masks=Player(config.mask_network.learning_rate, clip=rule.clip or math.inf),
        mask_every=config.mask_network.every,
        play=rule.play,
        warmup=rule.warmup,
        schedule=rule.schedule,
        cancelled=config.published.gradient == "cancelled",
        precision=precision(config, batches.device),
        patients=_stores.patients(stores) if game.objective.needs_patients else None,
        marks=_stores.marks(method, stores, rows, device=batches.device),
        average=rule.ema,
        read_every=READ_EVERY if batches.device.type == "cuda" else 1,
    )


def see_that_it_fits(config: Config, store: Store) -> None:
    """See, before anything runs, that encoders, pairs, masks and steps of all methods fit the records.

    Raises:
        ConfigError: naming the method, the key and what would fit.
    """
    shortest: dict[str, int] = {}
    records = count_training(config, store)
    for name, method in config.methods.items():
        if method.kind in SEEDLESS:
            continue
        own = config.of(name)
        try:
            if own.encoder.name not in shortest:
                shortest[own.encoder.name] = _encoders.encoder(own, store, seed=0).shortest
            if method.kind != "pretrained":
                continue
            samples = see_pairs(own, method, store=store, shortest=shortest[own.encoder.name])
            see_masks(own, name, fs=store.fs, samples=samples)
            see_training(own, method, records=records[name])
        except ConfigError as error:
            raise ConfigError(f"methods.{name}: {error.message}", hint=error.hint) from None


def precision(config: Config, device: torch.device) -> Literal["fp32", "bf16"]:
    """fp32, or bf16 where it is asked for or the hardware has it."""
    asked = config.pretrain.precision
    if asked != "auto":
        return asked
    has = device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8
    return "bf16" if has else "fp32"


def pretraining_facts(
    config: Config, method: Method, *, store: Store, split: Split, seed: int
) -> dict[str, object]:
    """Everything that determines a pretrained encoder, in plain values; its digest is the run's id.

    Precision "auto" is said as bf16 where this machine has it: other numbers than fp32, so another run.
    """
    dump = config.model_dump(mode="json")
    if config.pretrain.precision == "auto" and precision(config, best_device()) == "bf16":
        dump["pretrain"]["precision"] = "bf16"
    aside = {"checkpoint_every_s", "compile", "objective", "pairs", "also"}  # no effect, or said elsewhere
    masks, published = dump["masks"], config.published.of_pretraining()
    if method.masks != "noise":
        masks.pop("band_hz")
    elsewhere = {"title", "set", "baseline", "network_run", "objective", "pairs"}
    own = method.model_dump(mode="json", exclude=elsewhere)
    marked: dict[str, object] = {}
    if method.marks == "energy":
        own.pop("marks")
    elif method.marks == "delineator":
        marked["delineator"] = [delineator(each) for each in (store, *_stores.also(config, store))]
    mended = sorted(_mended(config, method))
    return {
        "format": "ecglipse-run",
        "version": 6,
        "seed": seed,
        "method": own,
        **marked,
        "network": loaded_network(method)[1] if method.network_run else None,
        "encoder": config.encoder.of_pretraining(),
        "views": config.views.of_pretraining(turned=method.views != "base"),
        "masks": masks,
        "mask_network": config.mask_network.of_pretraining(),
        "published": published,
        "pretrain": {k: v for k, v in dump["pretrain"].items() if k not in aside},
        "objective": config.played_for(method),
        "store": store.digest,
        "also": [other.digest for other in _stores.also(config, store)],
        "rows": digest([int(row) for row in split.train]),
        "input": {"fs": store.fs, "n_samples": store.n_samples, "leads": list(store.leads), "unit": "mV"},
        **({"mended": mended} if mended else {}),
    }


def _mended(config: Config, method: Method) -> Iterator[str]:
    """What gave something else in earlier runs of the same settings, so that those are other runs."""
    net, played = config.mask_network, config.played_for(method)
    if method.masks == "adversarial" and method.choice != "drawn" and net.chance:
        yield "chance without draws"
    if method.masks != "none" and config.masks.both_views:
        if (net.rivals > 1 and net.applied == "all") or config.published.spared:
            yield "draws of the first view"
        if method.masks in ("predicted", "published") or net.entropy or net.smooth or net.diversity:
            yield "own loss of two views"
    if method.masks == "predicted" and config.pretrain.precision == "bf16":
        yield "difficulty in float32"
    losing = {"lead-mask", "lead-subset"} & {view.name for view in config.views.extra}
    if played["pairs"] in ("leads", "segments-leads") and (config.encoder.lead_drop or losing):
        yield "pairs among leads that are there"
