"""All views by name: the function, and the kinds of labels that may be wrong for what it gives."""

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
    "lead-mask": (lead_mask, ("axis", "leads", "voltage", "quality")),
    "lead-subset": (lead_subset, ("axis", "leads", "voltage", "quality")),
    "peak-mask": (peak_mask, ("rhythm", "intervals", "st", "voltage", "axis", "quality")),
    "fourier": (spectral_gain, ("intervals", "st", "voltage", "quality")),
    "phase-surrogate": (phase_surrogate, ("rate", "rhythm", "intervals", "st", "voltage", "axis", "quality")),
    "3kg": (threekg, ("voltage", "axis", "leads", "st")),
    "3kg-projection": (threekg_projection, ("voltage", "axis", "leads", "st")),
    "crop-resize": (crop_resize, ("rate", "rhythm", "intervals")),
    "time-warp": (time_warp, ("rate", "rhythm", "intervals")),
    "electrode-swap": (electrode_swap, ("axis", "leads", "st", "rhythm", "quality")),
    "chest-shift": (chest_shift, ("axis", "leads", "voltage")),
    "min-max": (min_max, ("voltage",)),
    "z-score": (z_score, ("voltage",)),
    "robust": (robust, ("voltage",)),
}
"""Function and what it may invalidate (kinds of `ecglipse.views.view.LABELS`)."""
