"""The base augmentation: what both views of every method go through, in a fixed order."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.views.noise import baseline_wander, gain, gaussian_noise, muscle_noise, powerline


@dataclass(frozen=True)
class BaseViews:
    """Gain, wander, mains, muscle and white noise; a strength of 0 (a gain of 1) leaves one out.

    Args:
        sigma_mv: of white noise, mV.
        wander_mv: of baseline wander, mV.
        powerline_mv: of mains hum, mV.
        emg_mv: of muscle noise, mV.
        gain: largest factor on a record's amplitude.
        fs: Hz.
    """

    sigma_mv: float
    wander_mv: float
    powerline_mv: float
    emg_mv: float
    gain: float
    fs: float

    def __call__(
        self, x: Float[Tensor, "batch 12 time"], generator: torch.Generator
    ) -> Float[Tensor, "batch 12 time"]:
        """Give a view of each record, mV; lead algebra is kept."""
        x = gain(x, generator, largest=self.gain)
        x = baseline_wander(x, generator, amplitude_mv=self.wander_mv, fs=self.fs)
        x = powerline(x, generator, amplitude_mv=self.powerline_mv, fs=self.fs)
        x = muscle_noise(x, generator, amplitude_mv=self.emg_mv, fs=self.fs)
        return gaussian_noise(x, generator, sigma_mv=self.sigma_mv)
