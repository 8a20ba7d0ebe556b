"""The table of keys is true: what a method reads changes its run, what it does not read changes no bit of it.

A key that a method sets for itself and does not read is refused; one that is set for all methods and that no
method reads is warned of.
"""

import logging
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.batches import Batches
from ecglipse.commands import _assemble
from ecglipse.config import Config, ObjectiveName, PairsName, check, load
from ecglipse.config.keys import MASKS, OBJECTIVES, RULES, THREEKG, TRAINING, is_read
from ecglipse.config.method import OWN, Method
from ecglipse.errors import ConfigError
from ecglipse.store import Store

POLICIES: dict[str, dict[str, Any]] = {
    "none": {},
    "none, 3KG": {"views": "3kg"},
    "none, 3KG-projection": {"views": "3kg-projection"},
    "random": {"masks": "random"},
    "random, spectral": {"masks": "random", "domain": "spectral"},
    "block": {"masks": "block"},
    "noise": {"masks": "noise"},
    "adversarial": {"masks": "adversarial"},
    "adversarial, spectral": {"masks": "adversarial", "domain": "spectral"},
    "frozen": {"masks": "adversarial", "network": "frozen"},
    "frozen, soft": {"masks": "adversarial", "network": "frozen", "choice": "soft"},
    "shuffled": {"masks": "adversarial", "network": "shuffled"},
    "predicted": {"masks": "predicted"},
    "saliency": {"masks": "saliency"},
    "qrs": {"masks": "qrs"},
    "marked": {"masks": "qrs", "marks": "store"},
    "published": {"masks": "published"},
    "published, mixed": {"masks": "published", "mix_shared": 0.5},
    "published, per lead": {"masks": "published", "leads": "per-lead"},
    "published, spectral": {"masks": "published", "domain": "spectral"},
    "published, spectral, inside": {
        "masks": "published",
        "domain": "spectral",
        "set": {"published.transform": "inside"},
    },
    "published, U-Net": {"masks": "published", "set": {"published.network": "unet"}},
}
VALUES: dict[str, Any] = {
    "leads": "electrodes",
    "choice": "decided",
    "masks.coverage": 0.3,
    "masks.coverage_start": 0.2,
    "masks.ramp": 0.9,
    "masks.segment_s": 0.4,
    "masks.bands": 4,
    "masks.fill": "zero",
    "masks.taper_s": 0.05,
    "masks.band_hz": (1.0, 2.0),
    "masks.both_views": True,
    "mask_network.width": 24,
    "mask_network.depth": 1,
    "mask_network.kernel": 3,
    "mask_network.norm": "layer",
    "mask_network.frame_hz": 50.0,
    "mask_network.bound": 0.5,
    "mask_network.temperature": 0.3,
    "mask_network.temperature_start": 0.3,
    "mask_network.rivals": 2,
    "mask_network.applied": "all",
    "mask_network.chance": 0.5,
    "mask_network.reversed": 0.5,
    "mask_network.strength": 0.5,
    "mask_network.strength_start": -1.0,
    "mask_network.entropy": 0.3,
    "mask_network.smooth": 0.3,
    "mask_network.diversity": 0.3,
    "mask_network.learning_rate": 0.01,
    "mask_network.every": 2,
    "published.slope": 20.0,
    "published.alpha": 0.5,
    "published.ratio": 0.7,
    "published.penalised": "applied",
    "published.guard": "none",
    "published.network": "unet",
    "published.transform": "inside",
    "published.gradient": "cancelled",
    "published.spared": 0.5,
    "published.spared_by": "batch",
    "pretrain.play": "alternating",
    "views.threekg_angle_deg": 30.0,
    "views.threekg_scale": 1.2,
    "views.threekg_masked": 0.25,
}
BESIDE: dict[str, dict[str, Any]] = {
    "masks.ramp": {
        "masks.coverage_start": 0.2,
        "mask_network.temperature_start": 0.3,
        "mask_network.strength_start": -1.0,
    },
    "mask_network.applied": {"mask_network.rivals": 2},
    "published.gradient": {"pretrain.play": "alternating"},
    "published.spared_by": {"published.spared": 0.5},
}
"""What a key needs beside it to matter."""
LATER = {"masks.ramp", "published.spared_by"}
"""Keys that may change nothing in a first step: nothing has moved yet, or chance hides its few records."""
SAME = {
    ("shuffled", "pretrain.play"),
    ("published, spectral", "pretrain.play"),
    ("published, spectral, inside", "published.transform"),
    ("published, U-Net", "published.network"),
}
"""Shuffled masks are always played in two phases, which `play` may say as well; published masks over time and
frequency get no gradient of the game, in whatever order it is played; the others are what the policy has."""
RARE = {"published.guard"}
"""Keys that are read, and change something only in masks that hide nearly nothing or all."""
PLAYED: dict[str, dict[str, Any]] = {
    **{name: {"objective": name} for name in get_args(ObjectiveName)},
    **{name: {"pairs": name} for name in get_args(PairsName)},
}
"""Every objective, and every kind of pairs under the usual one."""
OF_OBJECTIVES: dict[str, Any] = {
    "pretrain.temperature": 0.5,
    "pretrain.objective": "simsiam",
    "pretrain.pairs": "crops",
    "objective.invariance": 5.0,
    "objective.variance": 5.0,
    "objective.covariance": 5.0,
    "objective.regularised": "both",
    "objective.momentum": 0.5,
    "objective.predictor_hidden": 8,
    "objective.queue": 5,
    "objective.segments": 4,
    "objective.crop_s": 1.0,
    "objective.leads": 2,
}
USUAL = {"objective.queue": 8, "objective.crop_s": 1.5}
"""What fits twelve records of two seconds, in place of the defaults."""
REMEMBERED = {"objective.momentum", "objective.queue"}
"""Keys of what is told from one step to the next."""


class Short(Batches):
    """The first two seconds of each record."""

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return super().millivolts(rows)[..., :200]


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Short:
    return Short(Store.open(simulated))


def config(policy: str, own: dict[str, Any], *, recorded: bool) -> Config:
    method = (POLICIES | PLAYED)[policy] | {key: value for key, value in own.items() if "." not in key}
    small = (
        {"mask_network.width": 8} if method.get("masks") in ("adversarial", "predicted", "published") else {}
    )
    paths = {key: value for key, value in own.items() if "." in key}
    content = {
        "name": "keys",
        "store": "none",
        "out": "none",
        "encoder": {
            "name": "patch-transformer",
            "width": 8,
            "dim": 8,
            "projection_hidden": 8,
            "projection_dim": 8,
        },
        "pretrain": {"epochs": 2, "batch": 6},
        "methods": {"m": method | {"set": small | method.get("set", {}) | paths}},
    }
    return check(content, where="keys", recorded=recorded)


def played(batches: Short, whole: Config, *, steps: int) -> dict[str, Any]:
    """All numbers of the first steps, and all weights after them."""
    rule = whole.of("m")
    made = _assemble.training(rule, rule.methods["m"], batches=batches, rows=np.arange(12), seed=0)
    if made.marks is not None:
        marks = made.marks
        made.marks = lambda rows: marks(rows)[..., :200]
    with torch.no_grad():  # logits of the size that they have later
        for name, weight in made.game.policy.named_parameters():
            if name.endswith("net.out.weight"):
                weight.mul_(30)
    reports = [made.step() for _ in range(steps)]
    return {"reports": reports} | {name: value.clone() for name, value in made.game.state_dict().items()}


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[key]) if isinstance(value, Tensor) else value == other[key]
        for key, value in one.items()
    )


def test_the_values_are_those_of_the_table_and_no_defaults() -> None:
    assert VALUES.keys() == MASKS.keys() | THREEKG.keys()
    whole = config("adversarial", {}, recorded=True)
    assert all(VALUES[key] != getattr(whole.methods["m"], key) for key in ("leads", "choice"))


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_read_changes_the_run_and_what_is_not_changes_no_bit(batches: Short, policy: str) -> None:
    plain: dict[str, dict[str, Any]] = {}
    for key, value in VALUES.items():
        beside, steps = BESIDE.get(key, {}), 2 if key in LATER else 1
        try:
            whole = config(policy, beside | {key: value}, recorded=True)
        except ConfigError:
            continue  # refused for another reason
        if str(beside) not in plain:
            plain[str(beside)] = played(batches, config(policy, beside, recorded=True), steps=steps)
        same = equal(plain[str(beside)], played(batches, whole, steps=steps))
        read = is_read(key, whole.policy_of("m")) and (policy, key) not in SAME and key not in RARE
        assert same is not read, f"{key}: {'read' if read else 'not read'}, same {same}"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_method_cannot_set_what_it_does_not_read(policy: str) -> None:
    for key, value in VALUES.items():
        own = {key: value}
        if is_read(key, config(policy, {}, recorded=True).policy_of("m")):
            continue
        with pytest.raises(ConfigError) as caught:
            config(policy, own, recorded=False)
        said = str(caught.value)
        assert (
            f"methods.m: `{key}` has no effect with {RULES[key].by} '" in said or "has no effect" not in said
        )


@pytest.mark.parametrize("name", PLAYED)
def test_objectives_and_pairs_read_what_the_table_says_and_nothing_else(batches: Short, name: str) -> None:
    plain = {n: played(batches, config(name, USUAL, recorded=True), steps=n) for n in (1, 2)}
    for key, value in OF_OBJECTIVES.items():
        steps = 2 if key in REMEMBERED else 1
        whole = config(name, USUAL | {key: value}, recorded=True)
        read = is_read(key, whole.policy_of("m"))
        assert equal(plain[steps], played(batches, whole, steps=steps)) is not read, key
        if not read:
            with pytest.raises(ConfigError, match=rf"`{key}` has no effect with (objective|pairs) '"):
                config(name, {key: value}, recorded=False)


def test_every_key_that_a_method_may_set_is_in_the_table_once() -> None:
    sections = {name: Config.model_fields[name].annotation.model_fields for name in OWN}
    ways = [f"{name}.{key}" for name, keys in sections.items() for key in keys]
    own = [key for key in RULES if "." not in key]
    assert sorted([*ways, *own]) == sorted([*MASKS, *THREEKG, *OBJECTIVES, *TRAINING])
    assert set(own) < Method.model_fields.keys()
    assert OF_OBJECTIVES.keys() == OBJECTIVES.keys()


@pytest.mark.parametrize(
    ("method", "key", "value", "words"),
    [
        ({}, "objective.queue", 7, "with objective 'nt-xent'; it needs objective moco"),
        ({"objective": "vicreg"}, "pretrain.temperature", 7.0, "with objective 'vicreg'; it needs objective"),
        (
            {"objective": "moco"},
            "pretrain.objective",
            "byol",
            "with objective 'moco'; it needs a method that",
        ),
        ({"pairs": "leads"}, "objective.crop_s", 1.0, "with pairs 'leads'; it needs pairs crops"),
        ({"kind": "init"}, "objective.queue", 7, "with objective 'none'; it needs objective moco"),
        ({"kind": "init"}, "pretrain.epochs", 7, "with kind 'init'; it needs an encoder that is pretrained"),
        ({"kind": "init"}, "views.gain", 2.0, "with kind 'init'; it needs an encoder that is trained"),
        ({"kind": "scratch"}, "pretrain.ema", 0.9, "with kind 'scratch'; it needs an encoder that is pretr"),
        ({"kind": "majority"}, "encoder.width", 8, "with kind 'majority'; it needs an encoder"),
        ({}, "published.leftover", "next-epoch", "and `pretrain.accumulate` above 1"),
        (
            {"set": {"encoder.projection_layers": 1}},
            "encoder.projection_hidden",
            8,
            "two `encoder.projection",
        ),
    ],
)
def test_methods_cannot_set_what_their_objective_or_kind_does_not_read(
    method: dict[str, Any], key: str, value: Any, words: str
) -> None:
    own = method | {"set": method.get("set", {}) | {key: value}}
    with pytest.raises(ConfigError) as caught:
        check({"name": "x", "store": "s", "out": "o", "methods": {"a": own}}, where="c")
    assert f"methods.a: `{key}` has no effect with " in str(caught.value)
    assert words in str(caught.value)


def test_floors_may_set_what_they_read() -> None:
    methods = {
        "init": {"kind": "init", "set": {"encoder.width": 8, "encoder.features": "pooled"}},
        "scratch": {"kind": "scratch", "set": {"views.gain": 1.5, "encoder.lead_drop": 0.5}},
    }
    check({"name": "x", "store": "s", "out": "o", "methods": methods}, where="c")


def test_all_that_is_idle_is_named_at_once_with_the_method_and_what_it_needs() -> None:
    content = {
        "name": "x",
        "store": "s",
        "out": "o",
        "methods": {
            "a": {"masks": "random", "domain": "spectral", "leads": "cells", "set": {"masks.fill": "zero"}},
            "b": {"masks": "random", "set": {"mask_network.entropy": 1.0, "masks.coverage": 0.3}},
        },
    }
    with pytest.raises(ConfigError) as caught:
        check(content, where="c")
    assert str(caught.value).splitlines() == [
        "c: 3 faults",
        "  methods.a: `leads` has no effect with masks 'random'; it needs masks over time",
        "  methods.a: `masks.fill` has no effect with masks 'random'; it needs masks over time",
        "  methods.b: `mask_network.entropy` has no effect with masks 'random'; it needs adversarial masks "
        "that learn",
    ]


def test_what_is_set_for_all_and_read_by_none_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "c.toml"
    text = 'name = "x"\nstore = "s"\nout = "o"\n[masks]\nfill = "zero"\ntaper_s = 0.1\n[methods.a]\n'
    path.write_text(text + 'masks = "random"\ndomain = "spectral"\n', encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        load(path)
    assert [line.split(": ", 1)[1] for line in caplog.messages] == [
        "masks.fill: no method reads it; it needs masks over time",
        "masks.taper_s: no method reads it; it needs masks over time",
    ]
    caplog.clear()
    path.write_text(text + 'masks = "random"\n', encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        load(path)
    assert not caplog.messages
