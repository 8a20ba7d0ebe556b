"""Where a config meets the components: the only place that turns words of a config into objects."""

import copy
import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor, nn

from ecglipse.batches import Batches, Joined, best_device, torch_rng
from ecglipse.commands._delineated import delineated, delineator
from ecglipse.commands._fitting import see_masks, see_pairs
from ecglipse.commands._policies import fill, loaded_network, policy, ramp
from ecglipse.config import Config, Method, Transfer, digest
from ecglipse.draws import Draws
from ecglipse.errors import ConfigError, StoreError
from ecglipse.masks import Marks
from ecglipse.models import encoder as make_encoder
from ecglipse.models.encoders import pooled
from ecglipse.models.heads import Norm, Projection
from ecglipse.models.layers import Encoder
from ecglipse.models.reference import attending_over_batch, min_max, taking, under_no_grad
from ecglipse.objectives import BYOL, MoCo, NTXent, Objective, Pairs, PatientContrast, SimSiam, VICReg
from ecglipse.objectives import pairs as pairings
from ecglipse.pretrain import AdversarialMasking, Player, Training
from ecglipse.seeding import derive
from ecglipse.splits import Split, by_folds, by_patient, everything, rotations
from ecglipse.store import Store
from ecglipse.views.base import BaseViews
from ecglipse.views.lead_drop import lead_drop
from ecglipse.views.scaling import SCALINGS, Scaling
from ecglipse.views.threekg import threekg, threekg_projection, time_mask
from ecglipse.views.view import Augmentation, Pipeline, make

_log = logging.getLogger(__name__)

READ_EVERY = 16
"""Steps on a GPU between two readings of their numbers, at each of which the host waits for the device."""


def splits(config: Config, store: Store) -> list[Split]:
    """The splits of a study: one, or one a rotation."""
    rule = config.split
    if rule.kind == "rotations":
        return rotations(store.table)
    if rule.kind == "all":
        return [everything(store.table)]
    if rule.kind == "patients":
        return [by_patient(store.table, seed=0, validation=rule.validation_share, test=rule.test_share)]
    return [by_folds(store.table, train=rule.train, validation=rule.validation, test=rule.test)]


def studied(config: Config, store: Store) -> tuple[int, ...]:
    """Which of the splits are studied.

    Raises:
        ConfigError: if one is not there.
    """
    there = range(len(splits(config, store)))
    if config.split.kind != "rotations":
        return tuple(there)
    missing = [r for r in config.split.rotations if r not in there]
    if missing:
        raise ConfigError(
            f"split.rotations: {missing} not there; they are counted from 0 to {len(there) - 1}"
        )
    return config.split.rotations


def seed_of(split: Split, *, seed: int) -> int:
    """The seed of everything drawn in a split: of its own, so that one seed's rotations are independent."""
    return derive(seed, "split", split.digest)


def encoder(config: Config, store: Store, *, seed: int) -> Encoder:
    """The encoder with its initial weights: the same for all methods of a seed and split.

    Raises:
        ConfigError: if the store's records are too short for it, or it has fewer stages than are to move.
    """
    rule, made = config.encoder, initial_encoder(config, leads=len(store.leads), seed=seed)
    if store.n_samples < made.shortest:
        raise ConfigError(
            f"encoder {rule.name} needs {made.shortest} samples, the store has {store.n_samples}",
            hint="choose another `encoder.name`, or prepare longer records or a higher rate",
        )
    unfrozen, stages = config.transfer.finetune_unfrozen, len(made.by_depth())
    if unfrozen is not None and unfrozen >= stages:
        raise ConfigError(
            f"transfer.finetune_unfrozen: {unfrozen} of the {stages} stages of {rule.name}",
            hint="leave it out to move all of them",
        )
    return made


def initial_encoder(config: Config, *, leads: int, seed: int) -> Encoder:
    """The encoder with its initial weights, for records of any length."""
    rule = config.encoder
    generator = torch_rng(seed, "init", "encoder")
    made = make_encoder(rule.name, leads=leads, width=rule.width, dim=rule.dim, generator=generator)
    return attending_over_batch(made) if config.published.attention == "batch" else made


def base_views(config: Config, store: Store) -> BaseViews:
    """The base augmentation: the same for all methods of a study."""
    rule = config.views
    return BaseViews(
        sigma_mv=rule.noise_mv,
        wander_mv=rule.wander_mv,
        powerline_mv=rule.powerline_mv,
        emg_mv=rule.emg_mv,
        gain=rule.gain,
        fs=store.fs,
        names=store.leads,
    )


_SPATIAL = {"base": None, "3kg": threekg, "3kg-projection": threekg_projection}


def view(config: Config, method: Method, *, store: Store, side: Literal["first", "second"]) -> Augmentation:
    """What makes one of the two views of a method: base augmentation, 3KG, then what is listed as extra."""
    base, spatial = base_views(config, store), _SPATIAL[method.views]
    extra = extra_views(config, store, side=side)

    def made(x: Tensor, draws: Draws) -> Tensor:
        x = base(x, draws)
        if spatial is not None:
            turned = spatial(x, draws.child("3kg"), names=store.leads)
            x = time_mask(turned, draws.child("time mask"))
        return extra(x, draws.child("extra"))

    return _dropping_leads(config, made)


def scaling(config: Config) -> Scaling | None:
    """What scales each record before it is hidden, and in transfer; None: nothing does."""
    if config.published.scaling != "none":
        return partial(min_max, whole_batch=False)
    return SCALINGS.get(config.encoder.input)


def transferred(config: Config, encoder: Encoder) -> Encoder:
    """Give the encoder as probes and fine-tuning use it: with its last layer or without, scaled as before."""
    read = encoder if config.encoder.features == "last" else pooled(encoder)
    return taking(read, scaling(config))


def finetuned(config: Config, encoder: Encoder) -> Encoder:
    """Give the encoder as fine-tuning moves it, or a copy that the published fine-tuning does not move."""
    return encoder if config.published.finetuning == "moves" else under_no_grad(copy.deepcopy(encoder))


def finetuning_view(config: Config, store: Store) -> Augmentation:
    """What fine-tuning sees: the base augmentation, and fewer leads where pretraining saw fewer."""
    return _dropping_leads(config, base_views(config, store))


def see_views(config: Config, store: Store) -> None:
    """See that the views of all methods can be made of the store's leads, rate and length.

    Raises:
        ConfigError: naming the first that cannot.
    """
    draws, shape = Draws.of(0, "check", rows=[0]), (1, len(store.leads), store.n_samples)
    for name, method in config.methods.items():
        own = config.of(name)
        try:
            where = "views"
            base_views(own, store).plan(draws, shape)
            spatial = _SPATIAL[method.views]
            if spatial is not None:
                where = f'views = "{method.views}"'
                spatial.plan(draws, shape, names=store.leads)
            where = "views.extra"
            for side in ("first", "second"):
                extra_views(own, store, side=side).plan(draws, shape)
        except ValueError as error:
            raise ConfigError(
                f"method {name}, {where}: {error}",
                hint="leave it out, or prepare a store with other `--leads`, `--fs` or `--duration-s`",
            ) from None


def finetuning_pace(rule: Transfer, *, scratch: bool) -> dict[str, Any]:
    """How fast fine-tuning moves which part of an encoder; from scratch there is nothing to be kept."""
    if scratch:
        return {"encoder_scale": 1.0, "rate_decay": 1.0, "unfrozen": None}
    return {
        "encoder_scale": rule.finetune_encoder_scale,
        "rate_decay": rule.finetune_rate_decay,
        "unfrozen": rule.finetune_unfrozen,
    }


def _dropping_leads(config: Config, before: Augmentation) -> Augmentation:
    """A view that loses leads after all else, where the config asks for it."""
    share = config.encoder.lead_drop
    if not share:
        return before
    return lambda x, draws: lead_drop(before(x, draws), draws.child("lead drop"), share=share)


def extra_views(config: Config, store: Store, *, side: Literal["first", "second"]) -> Pipeline:
    """The views that the config lists for this side."""
    kinds = [kind for kind in config.views.extra if kind.sides in ("both", side)]
    return Pipeline(
        [make(fs=store.fs, names=store.leads, **kind.model_dump(exclude={"sides"})) for kind in kinds]
    )


def training(
    config: Config, method: Method, *, batches: Batches, rows: Int[np.ndarray, " record"], seed: int
) -> Training:
    """A pretraining run of a method, not yet begun."""
    store, rule = batches.store, config.pretrain
    stores = [store, *also(config, store)]
    if len(stores) > 1:
        batches = Joined(stores, device=batches.device)
        rows = np.concatenate([rows, np.arange(len(store), sum(map(len, stores)))])
    playing = config.played_for(method)
    if playing.get("queue", 0) >= len(rows):
        raise ConfigError(
            f"`objective.queue` is {playing['queue']}, but there are {len(rows)} training records: "
            "each would be compared with itself",
            hint="let it be half of the training records at most",
        )
    learner = encoder(config, store, seed=seed)
    network = config.mask_network
    game = AdversarialMasking(
        learner,
        projection(config, method, seed=seed),
        policy(config, method, leads=store.leads, fs=store.fs, seed=seed, encoder=learner),
        objective=objective(config, method, seed=seed),
        pairs=pairs(config, method, store=store, shortest=learner.shortest),
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
        view=view(config, method, store=store, side="first"),
        second_view=view(config, method, store=store, side="second"),
        scaling=scaling(config),
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
        patients=patients(stores) if game.objective.needs_patients else None,
        marks=marks(method, stores, rows, device=batches.device),
        average=rule.ema,
        read_every=READ_EVERY if batches.device.type == "cuda" else 1,
    )


def marks(
    method: Method, stores: Sequence[Store], rows: Int[np.ndarray, " record"], *, device: torch.device
) -> Marks | None:
    """The marks that a method's masks are laid on, of all stores one after the other; None if there are none.

    Raises:
        StoreError: if records to train on have no marks.
        EcglipseError: if the delineator is needed and not installed.
    """
    if method.marks == "energy":
        return None
    starts = np.cumsum([0, *map(len, stores)])
    tables = [delineated(store) if method.marks == "delineator" else store.waves for store in stores]
    counted = [t.assign(row=t["row"] + start) for t, start in zip(tables, starts[:-1], strict=True)]
    first = stores[0]
    made = Marks(
        pd.concat(counted),
        method.masks,
        n_records=int(starts[-1]),
        leads=first.leads,
        n_samples=first.n_samples,
        fs=first.fs,
        device=device,
    )
    bare = int((~made.marked[rows]).sum())
    if bare and method.marks == "store":
        raise StoreError(
            f"{', '.join(str(store.path) for store in stores)}: {bare} of {len(rows)} records to train on "
            "have no wave marks",
            hint='give the method `marks = "delineator"`, or use a store with marks, such as one of LUDB',
        )
    if bare:
        _log.warning("no wave was found in %d of %d records: they are hidden at random", bare, len(rows))
    return made


def projection(config: Config, method: Method, *, seed: int) -> nn.Module:
    """The projection g with its initial weights; by default BatchNorm for objectives without negatives."""
    rule, usual = config.encoder, "none"
    if config.played_for(method)["objective"] in ("vicreg", "byol", "simsiam"):
        usual = "batch"
    return Projection(
        rule.dim,
        rule.projection_hidden,
        rule.projection_dim,
        generator=torch_rng(seed, "init", "projection"),
        layers=rule.projection_layers,
        norm=cast(Norm, usual) if rule.projection_norm == "auto" else rule.projection_norm,
    )


def objective(config: Config, method: Method, *, seed: int) -> Objective:
    """What both players play for."""
    rule, dim = config.objective, config.encoder.projection_dim

    def predictor() -> nn.Module:
        generator = torch_rng(seed, "init", "predictor")
        return Projection(dim, rule.predictor_hidden, dim, generator=generator, norm="batch")

    made: dict[str, Callable[[], Objective]] = {
        "nt-xent": lambda: NTXent(config.pretrain.temperature),
        "clocs": lambda: PatientContrast(config.pretrain.temperature),
        "vicreg": lambda: VICReg(
            invariance=rule.invariance,
            variance=rule.variance,
            covariance=rule.covariance,
            regularised=rule.regularised,
        ),
        "byol": lambda: BYOL(predictor(), momentum=rule.momentum),
        "simsiam": lambda: SimSiam(predictor()),
        "moco": lambda: MoCo(
            dim=dim, size=rule.queue, temperature=config.pretrain.temperature, momentum=rule.momentum
        ),
    }
    return made[config.played_for(method)["objective"]]()


def pairs(config: Config, method: Method, *, store: Store, shortest: int) -> Pairs:
    """What is contrasted.

    Args:
        config: as the method has it.
        method: of the config.
        store: whose records are cut.
        shortest: fewest samples that the encoder takes.

    Raises:
        ConfigError: if it cannot be cut from the store's records, or is too short for the encoder.
    """
    rule = config.objective
    see_pairs(config, method, store=store, shortest=shortest)
    crops: Pairs = partial(pairings.crops, length=round(rule.crop_s * store.fs))
    segments: Pairs = partial(pairings.segments, count=rule.segments)
    leads: Pairs = partial(pairings.leads, kept=rule.leads)
    made: dict[str, Pairs] = {
        "records": pairings.records,
        "segments": segments,
        "crops": crops,
        "leads": leads,
        "segments-leads": pairings.both(segments, leads),
    }
    return made[config.played_for(method)["pairs"]]


def patients(stores: Sequence[Store]) -> Int[np.ndarray, " row"]:
    """A number for the patient of each row of the stores; a record of nobody known is alone."""
    found, taken = [], 0
    for store in stores:
        codes, known = pd.factorize(store.table["patient_id"])
        unknown = codes < 0
        codes[unknown] = len(known) + np.arange(unknown.sum())
        found.append(codes.astype(np.int64) + taken)
        taken += len(known) + int(unknown.sum())
    return np.concatenate(found)


def also(config: Config, store: Store) -> list[Store]:
    """The other stores that are pretrained on.

    Raises:
        ConfigError: if one has another rate, length or leads, or is the study's own.
    """
    found = [Store.open(Path(folder)) for folder in config.pretrain.also]
    for other in found:
        if (other.fs, other.n_samples, other.leads) != (store.fs, store.n_samples, store.leads):
            raise ConfigError(
                f"pretrain.also: {other.path} has {other.fs:g} Hz and {other.n_samples} samples, the study's "
                f"store has {store.fs:g} Hz and {store.n_samples}",
                hint="prepare both with the same `--fs`, `--duration-s` and `--leads`",
            )
        if other.digest == store.digest:
            raise ConfigError(f"pretrain.also: {other.path} is the study's own store")
    return found


def see_that_it_fits(config: Config, store: Store) -> None:
    """See, before anything runs, that the pairs and masks of all methods fit the store's records.

    Raises:
        ConfigError: naming the method, the key and what would fit.
    """
    shortest: dict[str, int] = {}
    for name, method in config.methods.items():
        if method.kind != "pretrained":
            continue
        own = config.of(name)
        if own.encoder.name not in shortest:
            shortest[own.encoder.name] = initial_encoder(own, leads=len(store.leads), seed=0).shortest
        try:
            samples = see_pairs(own, method, store=store, shortest=shortest[own.encoder.name])
            see_masks(own, name, fs=store.fs, samples=samples)
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
    own = method.model_dump(mode="json", exclude={"title", "set", "network_run", "objective", "pairs"})
    marked: dict[str, object] = {}
    if method.marks == "energy":
        own.pop("marks")
    elif method.marks == "delineator":
        marked["delineator"] = [delineator(each) for each in (store, *also(config, store))]
    return {
        "format": "ecglipse-run",
        "version": 6,
        "seed": seed,
        "method": own,
        **marked,
        "network": loaded_network(method)[1] if method.network_run else None,
        "encoder": config.encoder.of_pretraining(),
        "views": dump["views"],
        "masks": masks,
        "mask_network": config.mask_network.of_pretraining(),
        "published": published,
        "pretrain": {k: v for k, v in dump["pretrain"].items() if k not in aside},
        "objective": config.played_for(method),
        "store": store.digest,
        "also": [other.digest for other in also(config, store)],
        "rows": digest([int(row) for row in split.train]),
        "input": {"fs": store.fs, "n_samples": store.n_samples, "leads": list(store.leads), "unit": "mV"},
    }
