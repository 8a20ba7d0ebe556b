"""What views say they may invalidate, held against what can be read from beats before and after them.

A beat a second, read by its median over beats at known places. A kind of label has moved where its reading
has, in a share of the records that chance does not explain; then the view must say so.
"""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, LEADS
from ecglipse.views.base import BaseViews
from ecglipse.views.catalogue import VIEWS
from ecglipse.views.settings import SETTINGS
from ecglipse.views.view import LABELS, View, make

FS, N = 250.0, 60
BEATS = range(125, 2500, 250)
R, ST = [0.15, 0.9, -0.4, 0.2, 0.6, 1.5, 1.1, 0.8], [0.13, 0.06, 0.05, 0.1, 0.45, 0.15, 0.08, 0.05]
"""Of I, II, V1..V6, mV: R grows to V4, and V3 shows the largest ST."""


def signals() -> Tensor:
    beat = torch.arange(-62, 188) / FS
    qrs, st = (-((beat / 0.02) ** 2)).exp(), (-(((beat - 0.16) / 0.06) ** 4)).exp()
    one = torch.tensor(R)[:, None] * qrs + torch.tensor(ST)[:, None] * st
    noise = 0.01 * torch.randn(N, 8, 2500, generator=torch.Generator().manual_seed(0))
    eight = noise + one.roll(-62 + 125, -1).repeat(1, 10)
    return torch.as_tensor(EXPANSION, dtype=torch.float32) @ eight


def at(x: Tensor, after: int) -> Tensor:
    """(record, lead, beat): the mean of 20 ms."""
    return torch.stack([x[..., beat + after - 2 : beat + after + 3].mean(-1) for beat in BEATS], dim=-1)


def readings(x: Tensor) -> dict[str, Tensor]:
    """Of each record a column a number; sizes in shares of the record's largest QRS, but of "voltage"."""
    level = at(x, -40)
    beats = at(x, 0) - level
    qrs, st = beats.median(-1).values, (at(x, 40) - level).median(-1).values
    largest = qrs.abs().amax(1, keepdim=True).clamp(min=1e-3)
    sizes, lead = beats.abs().sum(1), {name: place for place, name in enumerate(LEADS)}
    angle = torch.atan2(qrs[:, lead["aVF"]], qrs[:, lead["I"]])
    growing = qrs[:, lead["V1"] :].argmax(1)
    return {
        "rate": (sizes > 0.1 * sizes.amax(1, keepdim=True)).sum(1, keepdim=True),
        "st": st / largest,
        "voltage": torch.stack([qrs[:, lead["aVL"]], qrs[:, lead["V5"]] - qrs[:, lead["V1"]]], 1),
        "axis": torch.stack([angle.cos(), angle.sin(), 9.0 * growing], 1),
        "leads": st.argmax(1, keepdim=True),
    }


LIMITS = {"rate": 0.5, "st": 0.1, "voltage": 0.3, "axis": 2 * math.sin(math.radians(10)), "leads": 0.5}
"""A beat; a tenth of the largest QRS; 0.3 mV; 20 degrees, or another lead of the largest R; another lead."""


def moved(view: View, kind: str) -> bool:
    """Whether more than a twentieth of the records read otherwise after it."""
    x = signals()
    before, after = readings(x)[kind], readings(view(x, Draws.of(0, "test", rows=range(N))))[kind]
    return float(((after - before).abs().double().amax(1) > LIMITS[kind]).double().mean()) > 0.05


def of(name: str, **changes: Any) -> View:
    settings = SETTINGS[name].model_validate({"name": name, **changes})
    return make(fs=FS, **settings.model_dump(exclude={"sides"}))


WIDE = {"alpha": 0.2, "beta": 0.2, "window_s": 0.2}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "block-mask": [{"leads": "all"}, {"length_s": 6.0}, {"length_s": 6.0, "leads": "all"}],
    "fourier": [{"leads": "each"}],
    **{name: [{"per": "lead"}] for name in ("min-max", "z-score", "robust")},
    "wander": [{"amplitude_mv": 0.5}],
    "lead-subset": [{"fewest": 6}],
    "chest-shift": [{"most": 1.0}],
    "peak-mask": [{"keep": "rest"}],
}
MOVING_BEATS = ("crop-resize", "time-warp", "phase-surrogate")
"""Beats are elsewhere after these: the places say nothing."""


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize(
    ("name", "changes"),
    [(name, way) for name in VIEWS if name not in MOVING_BEATS for way in [{}, *VARIANTS.get(name, [])]],
)
def test_what_reads_otherwise_is_said(name: str, changes: dict[str, Any], kind: str) -> None:
    view = of(name, **changes)
    assert kind in view.may_change or not moved(view, kind)


@pytest.mark.parametrize(
    ("name", "changes", "kind", "reason"),
    [
        ("wander", {"amplitude_mv": 0.5}, "st", "the baseline moves between PQ and ST"),
        ("electrode-swap", {}, "voltage", "R of aVL and of V5 is another lead's"),
        ("electrode-swap", {}, "axis", "arms exchanged turn I over"),
        ("chest-shift", {"most": 1.0}, "st", "V3 has some of the ST of V2 or V4"),
        ("lead-mask", {}, "st", "the lead that shows it is gone"),
        ("lead-subset", {}, "st", "the lead that shows it is gone"),
        ("block-mask", {"leads": "all"}, "rate", "beats are gone from all leads"),
        ("block-mask", {"length_s": 6.0}, "st", "most beats of a lead are gone"),
        ("block-mask", {"length_s": 6.0}, "leads", "most beats of a lead are gone"),
        ("fourier", {"leads": "each", **WIDE}, "axis", "I and aVF have factors of their own"),
        ("fourier", {**WIDE}, "st", "slow and fast have factors of their own"),
        ("min-max", {"per": "lead"}, "axis", "I is as large as aVF"),
        ("z-score", {"per": "lead"}, "axis", "I is as large as aVF"),
        ("min-max", {"per": "lead"}, "st", "small leads grow, and their ST"),
        ("z-score", {"per": "lead"}, "st", "small leads grow, and their ST"),
        ("z-score", {"per": "lead"}, "leads", "the lead of the largest ST is another"),
        ("min-max", {}, "voltage", "mV are lost"),
        ("3kg", {}, "axis", "the heart is turned"),
        ("peak-mask", {"keep": "rest"}, "leads", "ST is gone from all of them"),
    ],
)
def test_what_is_said_for_a_reason_can_be_read(
    name: str, changes: dict[str, Any], kind: str, reason: str
) -> None:
    view = of(name, **changes)
    assert kind in view.may_change, reason
    assert moved(view, kind), reason


@pytest.mark.parametrize(
    ("name", "changes", "kind", "reason"),
    [
        ("block-mask", {}, "rate", "a beat is hidden in one lead and seen in the others"),
        ("block-mask", {}, "st", "8 s of 10 are left in each lead"),
        ("fourier", {**WIDE}, "axis", "all leads have the same factors"),
        ("min-max", {}, "axis", "all leads have the same factor"),
        ("robust", {}, "st", "all leads have the same factor"),
        ("gain", {}, "axis", "all leads have the same factor"),
        ("gaussian", {}, "st", "it is 0 on average"),
        ("emg", {}, "st", "it is 0 on average"),
    ],
)
def test_what_cannot_be_read_otherwise_is_not_said(
    name: str, changes: dict[str, Any], kind: str, reason: str
) -> None:
    view = of(name, **changes)
    assert kind not in view.may_change, reason
    assert not moved(view, kind), reason


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_no_strength_may_change_nothing(name: str) -> None:
    none = {"sigma_mv": 0, "amplitude_mv": 0, "length_s": 0, "share": 0, "phase_rad": 0}
    none |= {"largest": 1, "fastest": 1, "least": 1} | ({"most": 0} if name == "chest-shift" else {})
    given = {key: value for key, value in none.items() if key in SETTINGS[name].model_fields}
    assert of(name).may_change
    assert of(name).may_change <= set(LABELS)
    if given:
        assert not of(name, **given).may_change


def test_the_base_augmentation_may_change_what_its_chain_may() -> None:
    given = {"sigma_mv": 0.02, "wander_mv": 0.0, "powerline_mv": 0.1, "emg_mv": 0.05, "gain": 1.1, "fs": FS}
    assert BaseViews(**given).may_change == {"voltage", "quality"}
    assert BaseViews(**given | {"wander_mv": 0.1}).may_change == {"voltage", "st", "quality"}
    assert BaseViews(**given | {"wander_mv": 0.1, "gain": 1.0}).may_change == {"st", "quality"}
    nothing = {"sigma_mv": 0.0, "powerline_mv": 0.0, "emg_mv": 0.0, "gain": 1.0}
    assert not BaseViews(**given | nothing).may_change
