"""What a study consists of: units (one encoder each) and cells (one number in the tables each). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ecglipse.config import Config
from ecglipse.transfer.disturb import LADDER

SEEDLESS = ("handcrafted", "majority")
"""Kinds of methods in which nothing is drawn: one seed stands for all."""


@dataclass(frozen=True)
class Unit:
    """One encoder: what a process works on as a whole.

    Args:
        method: name of the method.
        seed: of its pretraining or initial weights.
        rotation: which split.
    """

    method: str
    seed: int
    rotation: int


@dataclass(frozen=True)
class Cell:
    """One reading of the test set.

    Args:
        task: name of the task.
        probe: how features are read.
        fraction: of the training labels; -k stands for k of each class.
        draw: which subset of them.
        validation: "matched" or "full".
        disturbance: of the test recordings; see `ecglipse.transfer.disturb`. "": as they are.
    """

    task: str
    probe: str
    fraction: float
    draw: int
    validation: str
    disturbance: str = ""


def units(config: Config, *, rotations: Sequence[int]) -> list[Unit]:
    """All encoders of a study; those that cost most first, so that processes end together."""
    weight = {"pretrained": 0, "scratch": 1, "handcrafted": 2, "init": 3, "majority": 4}
    names = sorted(config.methods, key=lambda name: weight[config.methods[name].kind])
    return [
        Unit(name, seed, rotation)
        for seed in config.study.seeds
        for rotation in rotations
        for name in names
        if seed == config.study.seeds[0] or config.methods[name].kind not in SEEDLESS
    ]


def cells(config: Config, unit: Unit) -> list[Cell]:
    """All readings of one encoder. A random encoder is fine-tuned under the name `scratch` only."""
    rule = config.transfer
    kind = config.methods[unit.method].kind
    frozen = tuple(probe for probe in rule.probes if probe != "finetune")
    probes = {"pretrained": rule.probes, "scratch": ("finetune",)}.get(kind, frozen)
    most = max(rule.fractions)
    disturbed = [
        Cell(task, "linear", most, 0, "matched", name)
        for task in tasks(config)
        for name in LADDER
        if rule.robustness and "linear" in probes and kind != "majority"
    ]
    return disturbed + [
        Cell(task, probe, fraction, draw, validation)
        for task in tasks(config)
        for probe in probes
        for fraction in _budgets(config, probe)
        for draw in range(_draws(config, probe, fraction))
        for validation in rule.validation
        if not (validation == "full" and (fraction == 1.0 or probe != "linear"))
    ]


def tasks(config: Config) -> list[str]:
    """All tasks: of the study's own store, then of each target, as "TARGET:TASK"."""
    elsewhere = [f"{name}:{task}" for name, target in config.targets.items() for task in target.tasks]
    return [*config.transfer.tasks, *elsewhere]


def _budgets(config: Config, probe: str) -> list[float]:
    """Shares of the labels, then -k for k shots; fine-tuning may have fewer, as it costs most."""
    rule = config.transfer
    if probe == "finetune" and rule.finetune_fractions is not None:
        return sorted(rule.finetune_fractions)
    return [*sorted(rule.fractions), *(-float(k) for k in sorted(rule.shots))]


def _draws(config: Config, probe: str, fraction: float) -> int:
    """The whole has one subset; fine-tuning takes the first few."""
    if fraction == 1.0:
        return 1
    return (
        min(config.transfer.draws, config.transfer.finetune_draws)
        if probe == "finetune"
        else config.transfer.draws
    )
