"""Masks over time and frequency: cells of a short-time Fourier transform are taken out of all leads.

Published with a mask that carries no gradient (the transform ran outside of autograd); here it is a part of
the graph, and a mask of zeros gives the recording back.
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks.fills import Fill
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.segments import count_segments, draw_segments, some_by_chance
from ecglipse.models.masknet import MaskNet


class SpectralMask(MaskPolicy):
    """Hides cells of time and frequency, drawn by chance or from what the mask network scores.

    Args:
        net: scores segments, one group a band; None hides by chance.
        bands: of frequency; the first ends at 1 Hz, the others are equally wide in octaves up to fs / 2.
        coverage: share of the cells hidden.
        segment_s: length of a cell, s.
        fs: Hz.
        window_s: of the transform's Hann window, s.
        bound: largest size of a logit before centring.
        temperature: of the relaxation through which the gradient flows.
        chance: share of the records that are hidden by chance, whatever the network says.
    """

    def __init__(
        self,
        net: MaskNet | None,
        *,
        bands: int,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        window_s: float = 0.64,
        bound: float = 2.0,
        temperature: float = 1.0,
        chance: float = 0.0,
    ) -> None:
        super().__init__()
        self.chance = chance
        if bands < 2:
            raise ValueError(f"`bands` must be at least 2; got {bands}")
        self.net, self.form = net, Form(groups=bands, joint=True)
        self.coverage = coverage if isinstance(coverage, Ramp) else Ramp(coverage, coverage)
        self.segment_s, self.fs, self.bound, self.temperature = segment_s, fs, bound, temperature
        self.hop = max(round(window_s * fs / 4), 1)

    @property
    def n_fft(self) -> int:
        """Samples of the window: four hops."""
        return 4 * self.hop

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"] | None:
        """Bounded, centred scores of the cells; None without a network."""
        if self.net is None:
            return None
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs)
        scores = self.bound * torch.tanh(self.net(x, segments).float() / self.bound)
        return scores - scores.mean(dim=(1, 2), keepdim=True)

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw cells; a group of the mask is a band, a sample of it a segment."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs)
        logits = self.logits(x)
        scores = x.new_zeros(x.shape[0], self.form.groups, segments)
        if logits is not None:
            scores = some_by_chance(logits, draws, share=self.chance)
        mask = draw_segments(
            scores,
            draws,
            time=segments,
            form=self.form,
            choice="drawn",
            coverage=self.coverage.at(self.progress),
            temperature=self.temperature,
        )
        return Drawn(mask.to(x.dtype), logits)

    def hide(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group place"],
        fill: Fill,
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Take the hidden cells out of every lead; what is left of the others stays as it is."""
        spectrum = self._transform(x)
        frames, bins = spectrum.shape[-1], spectrum.shape[-2]
        when = torch.arange(frames, device=x.device) * mask.shape[-1] // frames
        kept = 1 - mask[:, self._band_of_bin(bins, x.device)][..., when]
        held = (spectrum.unflatten(0, x.shape[:2]) * kept.unsqueeze(1)).flatten(0, 1)
        out = torch.istft(held, self.n_fft, self.hop, window=self._window(x), length=x.shape[-1])
        hidden: Tensor = out.unflatten(0, x.shape[:2]).to(x.dtype)
        return hidden

    def over_time(
        self, mask: Float[Tensor, "batch group place"], time: int
    ) -> Float[Tensor, "batch some {time}"]:
        """Give the share of the bands that is hidden at each sample."""
        return functional.interpolate(mask.mean(1, keepdim=True), size=time, mode="nearest")

    def _transform(self, x: Float[Tensor, "batch lead time"]) -> Complex[Tensor, "row bin frame"]:
        flat = x.flatten(0, 1)
        wide = flat.float() if flat.dtype in (torch.float16, torch.bfloat16) else flat
        spectrum: Tensor = torch.stft(
            wide, self.n_fft, self.hop, window=self._window(x), return_complex=True, pad_mode="constant"
        )
        return spectrum

    def _window(self, x: Tensor) -> Float[Tensor, " window"]:
        dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        return torch.hann_window(self.n_fft, device=x.device, dtype=dtype)

    def _band_of_bin(self, bins: int, device: torch.device) -> Tensor:
        """Number of the band that each bin of the transform lies in."""
        hz = torch.arange(bins, device=device) * (self.fs / self.n_fft)
        octaves = math.log2(self.fs / 2)
        band = (torch.log2(hz.clamp(min=1e-3)) / octaves * (self.form.groups - 1)).floor() + 1
        return band.clamp(0, self.form.groups - 1).long()
