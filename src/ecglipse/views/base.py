"""The base augmentation: what both views of every method go through, in a fixed order."""

import functools
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.views.parts import Change, Shape
from ecglipse.views.view import Pipeline, make


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
        names: of the leads of the signals, in their order.
    """

    name: ClassVar[str] = "base"

    sigma_mv: float
    wander_mv: float
    powerline_mv: float
    emg_mv: float
    gain: float
    fs: float
    names: tuple[str, ...] = LEADS

    @property
    def may_change(self) -> frozenset[str]:
        """Kinds of labels that may be wrong for its result."""
        return self._chain.may_change

    def __call__(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Float[Tensor, "batch lead time"]:
        """Give a view of each record, mV; lead algebra is kept."""
        return self._chain(x, draws)

    def plan(self, draws: Draws, shape: Shape) -> list[Change | None]:
        """Draw what is small for all views; give the change of each."""
        return self._chain.plan(draws, shape)

    @functools.cached_property
    def _chain(self) -> Pipeline:
        return Pipeline(
            [
                make("gain", fs=self.fs, largest=self.gain),
                make("wander", fs=self.fs, names=self.names, amplitude_mv=self.wander_mv),
                make("powerline", fs=self.fs, names=self.names, amplitude_mv=self.powerline_mv),
                make("emg", fs=self.fs, names=self.names, amplitude_mv=self.emg_mv),
                make("gaussian", fs=self.fs, names=self.names, sigma_mv=self.sigma_mv),
            ]
        )
