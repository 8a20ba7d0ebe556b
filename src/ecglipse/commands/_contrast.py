"""From the words of a config to what both players play for."""

from collections.abc import Callable
from functools import partial

from torch import nn

from ecglipse.batches import torch_rng
from ecglipse.commands._fitting import see_pairs
from ecglipse.config import Config, Method
from ecglipse.models.heads import Projection
from ecglipse.objectives import BYOL, MoCo, NTXent, Objective, Pairs, PatientContrast, SimSiam, VICReg
from ecglipse.objectives import pairs as pairings
from ecglipse.store import Store


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
