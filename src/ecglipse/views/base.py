"""The base augmentation: what both views of every method go through, in a fixed order."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
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

    def __call__(self, x: Float[Tensor, "batch 12 time"], draws: Draws) -> Float[Tensor, "batch 12 time"]:
        """Give a view of each record, mV; lead algebra is kept."""
        x = gain(x, draws.child("gain"), largest=self.gain)
        x = baseline_wander(x, draws.child("wander"), amplitude_mv=self.wander_mv, fs=self.fs)
        x = powerline(x, draws.child("powerline"), amplitude_mv=self.powerline_mv, fs=self.fs)
        x = muscle_noise(x, draws.child("emg"), amplitude_mv=self.emg_mv, fs=self.fs)
        return gaussian_noise(x, draws.child("gaussian"), sigma_mv=self.sigma_mv)
