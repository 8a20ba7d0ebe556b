"""Where a config meets the components: the only place that turns words of a config into objects."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from ecglipse.batches import Batches, torch_rng
from ecglipse.commands._policies import fill, loaded_network, policy, ramp
from ecglipse.config import Config, Method, digest
from ecglipse.draws import Draws
from ecglipse.errors import ConfigError
from ecglipse.models.heads import Projection
from ecglipse.models.resnet import ResNet1d, resnet18
from ecglipse.pretrain import AdversarialMasking, Player, Training
from ecglipse.splits import Split, by_folds, by_patient, rotations
from ecglipse.store import Store
from ecglipse.views.base import BaseViews
from ecglipse.views.threekg import threekg, threekg_projection, time_mask
from ecglipse.views.view import Augmentation, Pipeline, make


def splits(config: Config, store: Store) -> list[Split]:
    """The splits of a study: one, or one a rotation."""
    rule = config.split
    if rule.kind == "rotations":
        return rotations(store.table)
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


def encoder(config: Config, *, leads: int, seed: int) -> ResNet1d:
    """The encoder with its initial weights: the same for all methods of a seed."""
    rule = config.encoder
    return resnet18(leads=leads, width=rule.width, dim=rule.dim, generator=torch_rng(seed, "init", "encoder"))


def base_views(config: Config, *, fs: float) -> BaseViews:
    """The base augmentation: the same for all methods of a study."""
    rule = config.views
    return BaseViews(
        sigma_mv=rule.noise_mv,
        wander_mv=rule.wander_mv,
        powerline_mv=rule.powerline_mv,
        emg_mv=rule.emg_mv,
        gain=rule.gain,
        fs=fs,
    )


def view(config: Config, method: Method, *, fs: float, side: Literal["first", "second"]) -> Augmentation:
    """What makes one of the two views of a method: base augmentation, 3KG, then what is listed as extra."""
    base = base_views(config, fs=fs)
    spatial = {"base": None, "3kg": threekg, "3kg-projection": threekg_projection}[method.views]
    extra = extra_views(config, fs=fs, side=side)

    def made(x: Tensor, draws: Draws) -> Tensor:
        x = base(x, draws)
        if spatial is not None:
            x = time_mask(spatial(x, draws.child("3kg")), draws.child("time mask"))
        return extra(x, draws.child("extra"))

    return made


def extra_views(config: Config, *, fs: float, side: Literal["first", "second"]) -> Pipeline:
    """The views that the config lists for this side."""
    kinds = [kind for kind in config.views.extra if kind.sides in ("both", side)]
    return Pipeline([make(fs=fs, **kind.model_dump(exclude={"sides"})) for kind in kinds])


def training(
    config: Config, method: Method, *, batches: Batches, rows: Int[np.ndarray, " record"], seed: int
) -> Training:
    """A pretraining run of a method, not yet begun."""
    store, rule = batches.store, config.pretrain
    learner = encoder(config, leads=len(store.leads), seed=seed)
    network = config.mask_network
    game = AdversarialMasking(
        learner,
        projection(config, seed=seed),
        policy(config, method, leads=store.leads, fs=store.fs, seed=seed, encoder=learner),
        temperature=rule.temperature,
        fill=fill(config, leads=store.leads),
        both=config.masks.both_views,
        strength=ramp(network.strength_start, network.strength, config.masks.ramp),
    ).to(batches.device)
    return Training(
        game,
        batches,
        rows,
        view=view(config, method, fs=store.fs, side="first"),
        second_view=view(config, method, fs=store.fs, side="second"),
        seed=seed,
        epochs=rule.epochs,
        batch=rule.batch,
        accumulate=rule.accumulate,
        encoder=Player(rule.learning_rate, rule.weight_decay),
        masks=Player(config.mask_network.learning_rate),
        mask_every=config.mask_network.every,
        play=rule.play,
        cancelled=config.published.gradient == "cancelled",
        precision=precision(config, batches.device),
    )


def projection(config: Config, *, seed: int) -> nn.Module:
    """The projection g with its initial weights."""
    rule = config.encoder
    return Projection(
        rule.dim, rule.projection_hidden, rule.projection_dim, generator=torch_rng(seed, "init", "projection")
    )


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
    """Everything that determines a pretrained encoder, in plain values; its digest is the run's id."""
    dump = config.model_dump(mode="json")
    return {
        "format": "ecglipse-run",
        "version": 2,
        "seed": seed,
        "method": method.model_dump(mode="json", exclude={"title", "set", "network_run"}),
        "network": loaded_network(method)[1] if method.network_run else None,
        "encoder": dump["encoder"],
        "views": dump["views"],
        "masks": dump["masks"],
        "mask_network": dump["mask_network"],
        "published": dump["published"],
        "pretrain": {k: v for k, v in dump["pretrain"].items() if k != "checkpoint_every_s"},
        "store": store.digest,
        "rows": digest([int(row) for row in split.train]),
        "input": {"fs": store.fs, "n_samples": store.n_samples, "leads": list(store.leads), "unit": "mV"},
    }
