"""Any mask policy with any objective and any encoder: twenty steps each, with the laws checked.

Shapes are checked in the first two steps, which are an epoch, and in the last, which looks at the game.

Every pair of the three is played at least once (a covering array). All of them:

    ECGLIPSE_WHOLE_MATRIX=1 OMP_NUM_THREADS=1 .venv/bin/pytest -n auto tests/laws/test_matrix.py
"""

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from checks import unchecked
from ecglipse.batches import Batches
from ecglipse.commands import _assemble
from ecglipse.config import check
from ecglipse.store import Store

POLICIES: dict[str, dict[str, Any]] = {
    "none": {},
    "random": {"masks": "random", "leads": "per-lead"},
    "shared": {"masks": "adversarial"},
    "per-lead, mixed": {"masks": "adversarial", "leads": "per-lead", "mix_shared": 0.5},
    "electrodes": {"masks": "adversarial", "leads": "electrodes"},
    "cells": {"masks": "adversarial", "leads": "cells"},
    "factorised": {"masks": "adversarial", "leads": "factorised"},
    "rivals": {"masks": "adversarial", "set": {"mask_network.rivals": 2}},
    "all rivals": {
        "masks": "adversarial",
        "set": {"mask_network.rivals": 2, "mask_network.applied": "all"},
    },
    "noise": {
        "masks": "noise",
        "leads": "per-lead",
        "set": {"masks.segment_s": 0.1, "masks.band_hz": (0.5, 5.0)},
    },
    "decided": {"masks": "adversarial", "choice": "decided"},
    "soft": {"masks": "adversarial", "leads": "per-lead", "choice": "soft"},
    "both views": {"masks": "adversarial", "set": {"masks.both_views": True}},
    "block": {"masks": "block", "leads": "per-lead"},
    "random, spectral": {"masks": "random", "domain": "spectral"},
    "spectral": {"masks": "adversarial", "domain": "spectral"},
    "shuffled": {"masks": "adversarial", "network": "shuffled"},
    "frozen": {"masks": "adversarial", "network": "frozen"},
    "published": {"masks": "published"},
    "published, spectral": {"masks": "published", "domain": "spectral"},
    "published, U-Net": {"masks": "published", "set": {"published.network": "unet"}},
    "predicted": {"masks": "predicted"},
    "saliency": {"masks": "saliency"},
    "qrs": {"masks": "qrs"},
    "t": {"masks": "t"},
    "marked": {"masks": "qrs", "marks": "store"},
    "marked p": {"masks": "p", "marks": "store"},
    "marked r": {"masks": "r", "marks": "store"},
}
OBJECTIVES = (
    "nt-xent/records",
    "nt-xent/segments",
    "nt-xent/crops",
    "clocs/segments-leads",
    "vicreg/records",
    "byol/records",
    "simsiam/leads",
    "moco/records",
)
ENCODERS = {
    "resnet18": 128,
    "resnet34": 128,
    "resnet50": 128,
    "xresnet1d50": 128,
    "clocs-cnn": 128,
    "patch-transformer": 128,
    "s4d": 128,
}
"""Each with the samples that it sees of a record; half of them must be enough for it."""
MOVING = (
    "shared",
    "per-lead, mixed",
    "electrodes",
    "cells",
    "factorised",
    "rivals",
    "all rivals",
    "decided",
    "soft",
    "both views",
    "spectral",
    "shuffled",
)
FREE = (
    "published",
    "published, spectral",
    "published, U-Net",
    "soft",
    "none",
    "random, spectral",
    "spectral",
    "cells",
    "electrodes",
    "factorised",
)
"""Policies whose share of hidden samples is not the coverage in every lead."""


def covering() -> list[tuple[str, str, str]]:
    """Every policy with every objective; encoders go round so that each meets every policy and objective."""
    chosen = []
    encoders = list(ENCODERS)
    for (i, policy), (j, objective) in itertools.product(enumerate(POLICIES), enumerate(OBJECTIVES)):
        chosen.append((policy, objective, encoders[(i + j) % len(encoders)]))
    return chosen


def whole() -> list[tuple[str, str, str]]:
    return list(itertools.product(POLICIES, OBJECTIVES, ENCODERS))


PLAYED = whole() if os.environ.get("ECGLIPSE_WHOLE_MATRIX") else covering()


ROWS = np.arange(16)


class Short(Batches):
    """The beginning of each record."""

    samples = 200

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return super().millivolts(rows)[..., : self.samples]


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Short:
    return Short(Store.open(simulated))


def test_every_pair_is_played() -> None:
    for one, other in ((0, 1), (0, 2), (1, 2)):
        pairs = {(names[one], names[other]) for names in PLAYED}
        sizes = (len(POLICIES), len(OBJECTIVES), len(ENCODERS))
        assert len(pairs) == sizes[one] * sizes[other]


@pytest.mark.parametrize(("policy", "objective", "encoder"), PLAYED)
def test_it_plays_by_the_laws(batches: Short, policy: str, objective: str, encoder: str) -> None:
    name, pairs = objective.split("/")
    content = {
        "name": "matrix",
        "store": "none",
        "out": "none",
        "encoder": {
            "name": encoder,
            "width": 8,
            "dim": 16,
            "projection_hidden": 16,
            "projection_dim": 8,
        },
        "mask_network": {"width": 8},
        "objective": {"queue": 8, "predictor_hidden": 8, "crop_s": ENCODERS[encoder] / 200},
        "pretrain": {"epochs": 10, "batch": 8},
        "methods": {"m": POLICIES[policy] | {"objective": name, "pairs": pairs}},
    }
    batches.samples = ENCODERS[encoder]
    rule = check(content, where="matrix").of("m")
    made = _assemble.training(rule, rule.methods["m"], batches=batches, rows=ROWS, seed=0)
    if made.marks is not None:
        whole = made.marks
        made.marks = lambda rows: whole(rows)[..., : batches.samples]
    before = {key: value.clone() for key, value in made.game.state_dict().items()}
    reports = [made.step() for _ in range(2)]
    with unchecked():
        reports += [made.step() for _ in range(17)]
    reports.append(made.step())
    moved = {key for key, value in made.game.state_dict().items() if not torch.equal(before[key], value)}
    assert all(np.isfinite(report.loss) for report in reports)
    assert {key for key, _ in made.game.named_parameters() if key.startswith("encoder.")} <= moved
    masks = {key for key, _ in made.game.named_parameters() if key.startswith("policy.")}
    masks = {key for key in masks if "never_called" not in key}
    assert not masks & moved if policy == "frozen" else masks <= moved
    look = reports[-1].look
    assert look is not None
    # eight projections may lie near a line at step 20 (rank 1.48 in one game of all); of a collapse it is 1
    assert look.rank > 1.3
    assert not [alarm for alarm in look.alarms if not alarm.startswith("the projections have collapsed")]
    if policy in MOVING:
        assert look.adversarial is not None
        assert look.adversarial > (0.3 if policy == "shuffled" else 0.99)
    if policy not in FREE:
        assert reports[-1].coverage == pytest.approx(0.5, abs=0.01)
