"""From the words of a config to an encoder, as pretraining, probes and fine-tuning use it."""

import copy
from functools import partial
from typing import Any, cast

from torch import nn

from ecglipse.batches import torch_rng
from ecglipse.config import Config, Method, Transfer
from ecglipse.errors import ConfigError
from ecglipse.models import encoder as make_encoder
from ecglipse.models.encoders import pooled
from ecglipse.models.heads import Norm, Projection
from ecglipse.models.layers import Encoder
from ecglipse.models.reference import attending_over_batch, min_max, taking, under_no_grad
from ecglipse.store import Store
from ecglipse.views.scaling import SCALINGS, Scaling


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


def finetuning_pace(rule: Transfer, *, scratch: bool) -> dict[str, Any]:
    """How fast fine-tuning moves which part of an encoder; from scratch there is nothing to be kept."""
    if scratch:
        return {"encoder_scale": 1.0, "rate_decay": 1.0, "unfrozen": None}
    return {
        "encoder_scale": rule.finetune_encoder_scale,
        "rate_decay": rule.finetune_rate_decay,
        "unfrozen": rule.finetune_unfrozen,
    }
