"""Masks of segments hidden by chance: anywhere, or in clumps and gaps of a chosen size."""

import functools

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.segments import count_segments
from ecglipse.views.masking import exact_mask, random_mask


class RandomMask(MaskPolicy):
    """Hides uniformly random segments.

    Args:
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s; 1 / fs hides random points, the record's length whole leads.
        fs: Hz.
        in_segments: give one value a segment instead of one a sample.
    """

    def __init__(
        self, *, form: Form, coverage: float | Ramp, segment_s: float, fs: float, in_segments: bool = False
    ) -> None:
        super().__init__()
        self.form, self.coverage, self.segment_s, self.fs = form, Ramp.of(coverage), segment_s, fs
        self.in_segments = in_segments

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw segments without looking at the records."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        mask = random_mask(
            x.shape[0],
            self.form.groups,
            segments if self.in_segments else x.shape[-1],
            draws,
            coverage=self.coverage.at(self.progress),
            n_segments=segments,
            joint=self.form.joint,
        )
        return Drawn(self.form.over_leads(mask.to(x.device, x.dtype)))


class NoiseMask(MaskPolicy):
    """Hides where noise of a band of frequencies is high: clumps and gaps of a chosen size, without learning.

    White noise a group and segment, its frequencies outside the band taken out; the highest segments are
    hidden. Low bands hide few long stretches, high ones many short ones, both of the same coverage.

    Args:
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s; the noise has nothing above 1 / (2 segment_s) Hz.
        fs: Hz.
        band_hz: lowest and highest frequency, Hz; `draw` raises as `in_band` where it is too narrow.

    Source:
        Hinojosa et al. 2024, arXiv:2407.13036 (ColorMAE), in one dimension. Departures: exact coverage.
    """

    def __init__(
        self,
        *,
        form: Form,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        band_hz: tuple[float, float],
    ) -> None:
        super().__init__()
        self.form, self.coverage, self.segment_s, self.fs = form, Ramp.of(coverage), segment_s, fs
        self.band_hz = band_hz

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw noise and hide its highest segments, without looking at the records."""
        time = x.shape[-1]
        segments = count_segments(time, segment_s=self.segment_s, fs=self.fs, form=self.form)
        white = draws.normal(self.form.groups, segments)
        inside = in_band(segments, time=time, fs=self.fs, band_hz=self.band_hz, device=white.device)
        scores = torch.fft.irfft(torch.fft.rfft(white) * inside, n=segments)
        mask = exact_mask(scores, time=time, coverage=self.coverage.at(self.progress), joint=self.form.joint)
        return Drawn(self.form.over_leads(mask.to(x.device, x.dtype)))


@functools.lru_cache(maxsize=16)
def in_band(
    segments: int,
    *,
    time: int,
    fs: float,
    band_hz: tuple[float, float],
    device: torch.device | None = None,
) -> Bool[Tensor, " frequency"]:
    """Say which frequencies of a record in segments, 0 first, lie in a band; on the device once.

    Raises:
        ValueError: if fewer than two above 0 do. Of none all segments would score the same, and so each
            record be hidden from its beginning; one alone would hide every n-th segment.
    """
    step = fs / time
    low, high = (round(edge / step, 6) for edge in band_hz)  # 0.8 / 0.1 is a frequency, whatever its bits
    number = torch.arange(segments // 2 + 1)
    inside = (number >= low) & (number <= high)
    if inside[1:].sum() < 2:
        raise ValueError(
            f"`band_hz` must hold two frequencies of {segments} segments at least, multiples of {step:g} Hz "
            f"up to {segments // 2 * step:g} Hz; got {band_hz[0]:g}, {band_hz[1]:g}"
        )
    there: Tensor = inside.to(device)
    return there
