"""Masks over time and frequency: cells of a short-time Fourier transform are taken out of all leads.

Bands are wide in octaves, and each holds a frequency of the transform; a segment holds a frame of it. So
every cell takes something out, and a share of the cells is a share of what is there.
Published with a mask that carries no gradient (the transform ran outside of autograd); here it is a part of
the graph, and a mask of zeros gives the recording back.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks.chance import RandomMask
from ecglipse.masks.fills import Fill
from ecglipse.masks.learned import LearnedMask
from ecglipse.masks.policy import Drawn, MaskPolicy
from ecglipse.masks.transform import signal, spectrum
from ecglipse.views.masking import segment_of_sample

WINDOW_S = 0.64
FRAME_S = WINDOW_S / 4
"""From one frame of the transform to the next, s: the shortest segment."""


class SpectralMask(MaskPolicy):
    """Hides cells of time and frequency, which another policy draws as segments of bands.

    Args:
        cells: draws one value a segment for each band (`in_segments`).
        fs: Hz.

    Raises:
        ValueError: if there are fewer than two bands or more than frequencies, or segments without a frame.
    """

    def __init__(self, cells: LearnedMask | RandomMask, *, fs: float) -> None:
        super().__init__()
        self.cells, self.fs = cells, fs
        self.hop = max(round(FRAME_S * fs), 1)
        bands, most = cells.form.groups, self.n_fft // 2 + 1
        if not cells.in_segments or not 2 <= bands <= most:
            raise ValueError(f"`cells` must draw segments of 2 to {most} bands; got {bands}")
        if cells.segment_s * fs < self.hop - 1:
            raise ValueError(f"`cells` must draw segments of {FRAME_S} s or more; got {cells.segment_s}")

    @property
    def n_fft(self) -> int:
        """Samples of the window: four hops."""
        return 4 * self.hop

    @property
    def first_bins(self) -> tuple[int, ...]:
        """First frequency of the transform in each band, and one past the last: equal steps of octaves.

        The lowest bands are wider than that, as each holds one frequency at least.
        """
        bands, end = self.cells.form.groups, self.n_fft // 2 + 1
        wanted = np.round(end ** (np.arange(bands) / (bands - 1))).astype(int)
        rising = np.maximum.accumulate(wanted - np.arange(bands)) + np.arange(bands)
        return (0, *np.minimum(rising, end - np.arange(bands)[::-1]).tolist())

    @property
    def bins(self) -> tuple[int, ...]:
        """Frequencies of the transform in each band."""
        return tuple(np.diff(self.first_bins).tolist())

    @property
    def edges_hz(self) -> tuple[float, ...]:
        """Edges of the bands, Hz: halfway between their frequencies, from 0 to fs / 2."""
        step = self.fs / self.n_fft
        return (0.0, *((first - 0.5) * step for first in self.first_bins[1:-1]), self.fs / 2)

    def frames(self, time: int) -> int:
        """How many frames of the transform a record of `time` samples has, one every `hop` samples."""
        return time // self.hop + 1

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"] | None:
        """Those of the policy that draws."""
        return self.cells.logits(x)

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw cells; a group of the mask is a band, a sample of it a segment."""
        return self.cells.draw(x, draws)

    def draw_all(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> list[Drawn]:
        """Draw the cells of each rival, where every one is applied."""
        return self.cells.draw_all(x, draws)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """What the network pays for the shape of its scores."""
        return self.cells.own_loss(drawn, difficulty)

    def hide(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group place"],
        fill: Fill,
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Take the hidden cells out of every lead; what is left of the others stays as it is."""
        whole = spectrum(x, n_fft=self.n_fft, hop=self.hop)
        when = segment_of_sample(mask.shape[-1], whole.shape[-1], device=x.device)
        kept = 1 - mask[:, self._band_of_bin(x.device)][..., when]
        return signal(whole * kept.unsqueeze(1), x, n_fft=self.n_fft, hop=self.hop)

    def removed(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, ""]:
        """Give the share of the cells that are taken out."""
        return mask.mean()

    def over_time(
        self, mask: Float[Tensor, "batch group place"], time: int
    ) -> Float[Tensor, "batch some {time}"]:
        """Give the share of the bands that is hidden at each sample."""
        return functional.interpolate(mask.mean(1, keepdim=True), size=time, mode="nearest")

    def rows_over_time(
        self, mask: Float[Tensor, "batch group place"], x: Float[Tensor, "batch lead time"]
    ) -> Float[Tensor, "batch row time"]:
        """Give what is hidden of each band at each sample: that of the frame whose middle is nearest."""
        frames = self.frames(x.shape[-1])
        nearest = (torch.arange(x.shape[-1], device=x.device) + self.hop // 2) // self.hop
        when = segment_of_sample(mask.shape[-1], frames, device=x.device)[nearest.clamp(max=frames - 1)]
        return mask[..., when]

    def _band_of_bin(self, device: torch.device) -> Tensor:
        """Number of the band that each frequency of the transform lies in."""
        widths = np.diff(self.first_bins)
        return torch.from_numpy(np.repeat(np.arange(len(widths)), widths)).to(device, non_blocking=True)
