"""All views by name: the function, and the kinds of labels that may be wrong for what it gives."""

from collections.abc import Callable, Mapping
from typing import Any

from ecglipse.views.electrodes import chest_shift, electrode_swap
from ecglipse.views.erasing import block_mask, lead_mask, lead_subset, peak_mask, point_mask
from ecglipse.views.noise import baseline_wander, gain, gaussian_noise, level_shift, muscle_noise, powerline
from ecglipse.views.normalise import min_max, robust, z_score
from ecglipse.views.parts import Planned
from ecglipse.views.spectral import phase_surrogate, spectral_gain
from ecglipse.views.threekg import threekg, threekg_projection
from ecglipse.views.timing import crop_resize, time_warp

VIEWS: dict[str, tuple[Planned[Any], tuple[str, ...]]] = {
    "gaussian": (gaussian_noise, ("quality",)),
    "wander": (baseline_wander, ("st", "quality")),
    "shift": (level_shift, ("st", "quality")),
    "powerline": (powerline, ("quality",)),
    "emg": (muscle_noise, ("quality",)),
    "gain": (gain, ("voltage",)),
    "mask": (point_mask, ("intervals", "st", "voltage", "quality")),
    "block-mask": (block_mask, ("rhythm", "quality")),
    "lead-mask": (lead_mask, ("st", "axis", "leads", "voltage", "quality")),
    "lead-subset": (lead_subset, ("st", "axis", "leads", "voltage", "quality")),
    "peak-mask": (peak_mask, ("rate", "rhythm", "intervals", "st", "voltage", "axis", "leads", "quality")),
    "fourier": (spectral_gain, ("intervals", "st", "voltage", "quality")),
    "phase-surrogate": (phase_surrogate, ("rate", "rhythm", "intervals", "st", "voltage", "axis", "quality")),
    "3kg": (threekg, ("voltage", "axis", "leads", "st")),
    "3kg-projection": (threekg_projection, ("voltage", "axis", "leads", "st")),
    "crop-resize": (crop_resize, ("rate", "rhythm", "intervals")),
    "time-warp": (time_warp, ("rate", "rhythm", "intervals")),
    "electrode-swap": (electrode_swap, ("axis", "leads", "st", "voltage", "rhythm", "quality")),
    "chest-shift": (chest_shift, ("axis", "leads", "st", "voltage")),
    "min-max": (min_max, ("voltage",)),
    "z-score": (z_score, ("voltage",)),
    "robust": (robust, ("voltage",)),
}
"""Function and what it may invalidate with any parameters (kinds of `ecglipse.views.view.LABELS`)."""

_HALF_S = 2.5
"""Half of a short recording of 5 s: of a longer stretch less may be left than is hidden."""


def _block(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    gone = ("rate",) if parameters.get("leads") == "all" else ()
    return (
        (*gone, "intervals", "st", "voltage", "axis", "leads") if parameters["length_s"] > _HALF_S else gone
    )


def _each_lead(*kinds: str, key: str, value: str) -> Callable[[Mapping[str, Any]], tuple[str, ...]]:
    return lambda parameters: kinds if parameters.get(key) == value else ()


_SCALED = _each_lead("st", "axis", "leads", key="per", value="lead")
_BESIDE: dict[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "block-mask": _block,
    "fourier": _each_lead("axis", key="leads", value="each"),
    "min-max": _SCALED,
    "z-score": _SCALED,
    "robust": _SCALED,
}
_NOTHING = {
    **dict.fromkeys(("sigma_mv", "amplitude_mv", "length_s", "share", "phase_rad", "most"), 0),
    **dict.fromkeys(("largest", "fastest", "least"), 1),
}
"""Strengths with which a view gives x back."""


def may_change(name: str, parameters: Mapping[str, Any]) -> frozenset[str]:
    """Give the kinds of labels that a view of these parameters may invalidate.

    Args:
        name: one of `VIEWS`.
        parameters: keywords of its function, those without a default at least; others do not matter.
    """
    if any(parameters.get(key) == value for key, value in _NOTHING.items()):
        return frozenset()
    beside = _BESIDE[name](parameters) if name in _BESIDE else ()
    return frozenset((*VIEWS[name][1], *beside))
