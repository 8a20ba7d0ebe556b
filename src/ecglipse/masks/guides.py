"""Masks aimed at waves, or at what the encoder uses: guides score segments, and nobody learns the scores."""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.segments import count_segments, draw_segments
from ecglipse.models.constant import constant


class Guide(nn.Module, ABC):
    """Scores the segments of a record, standardised over the record."""

    @abstractmethod
    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch lead segment"]:
        """Give a score per lead and segment: higher is hidden first."""


class WaveGuide(Guide):
    """Where QRS complexes or T waves are, by the energy of the slope of all leads together.

    A T wave is looked for 0.16 to 0.40 s after its complex. It is the oracle-like rival: it knows where
    waves usually are and nothing else; no marks are needed.

    Args:
        wave: "qrs" or "t".
        fs: Hz.
    """

    def __init__(self, wave: Literal["qrs", "t"], *, fs: float) -> None:
        super().__init__()
        self.wave, self.fs = wave, fs

    @torch.no_grad()
    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch lead segment"]:
        """Score by the share of each segment within the wave."""
        energy = functional.pad(x.diff(dim=-1), (1, 0)).square().mean(dim=1, keepdim=True)
        near = _around(energy, -0.05, 0.05, self.fs)
        top = near.kthvalue(max(int(0.98 * near.shape[-1]), 1), dim=-1, keepdim=True).values
        inside = (near > 0.3 * top).to(x.dtype)
        if self.wave == "t":
            after = (_around(inside, -0.40, -0.16, self.fs) > 0).to(x.dtype)
            inside = after * (1 - inside)
        share = functional.adaptive_avg_pool1d(inside, n_segments)
        return _standardised(share).expand(-1, x.shape[1], -1)


class SaliencyGuide(Guide):
    """What the encoder looks at: the size of the gradient of its features' norm times the signal.

    Args:
        encoder: is looked at and not changed; not a part of the policy.

    Source:
        Kakogeorgiou et al. 2022, arXiv:2203.12719 (AttMask). Departures: gradient times input, which every
        encoder has, in place of a transformer's attention.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self._encoder = (encoder,)

    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch lead segment"]:
        """Score by the mean of |gradient * (signal - its mean)| in each segment."""
        (encoder,) = self._encoder
        was_training = encoder.training
        encoder.eval()  # no statistic moves, and no record's score depends on its neighbours
        try:
            with constant(encoder), torch.enable_grad():
                seen = x.detach().requires_grad_(True)
                size = encoder(seen).float().norm(dim=-1).sum()
                (slope,) = torch.autograd.grad(size, seen)
        finally:
            encoder.train(was_training)
        use = (slope * (x - x.mean(-1, keepdim=True))).abs().detach()
        return _standardised(functional.adaptive_avg_pool1d(use, n_segments).clamp(min=1e-12).log())


class GuidedMask(MaskPolicy):
    """Hides by the scores of a guide that does not learn: waves, or what the encoder looks at.

    Args:
        guide: gives standardised scores.
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s.
        fs: Hz.
        bound: weight of the scores against the Gumbel noise: 0 hides at random.
    """

    def __init__(
        self,
        guide: Guide,
        *,
        form: Form,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        bound: float = 2.0,
    ) -> None:
        super().__init__()
        self.guide, self.form = guide, form
        self.coverage, self.segment_s, self.fs, self.bound = Ramp.of(coverage), segment_s, fs, bound

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"]:
        """The guide's scores, bounded and centred."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        per_lead = self.guide(x, segments)
        scores = self.bound * torch.tanh(self.form.over_groups(per_lead))
        return scores - scores.mean(dim=-1, keepdim=True)

    @torch.no_grad()
    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw segments in proportion to exp(logit)."""
        mask = draw_segments(
            self.logits(x),
            draws,
            time=x.shape[-1],
            form=self.form,
            choice="drawn",
            coverage=self.coverage.at(self.progress),
            temperature=1.0,
        )
        return Drawn(mask.to(x.dtype))


def _standardised(scores: Float[Tensor, "batch lead segment"]) -> Float[Tensor, "batch lead segment"]:
    """Mean 0 and standard deviation 1 over the segments; equal scores give zeros."""
    scores = scores - scores.mean(-1, keepdim=True)
    return scores / scores.std(-1, correction=0, keepdim=True).clamp(min=1e-6)


def _around(
    x: Float[Tensor, "batch lead time"], start_s: float, end_s: float, fs: float
) -> Float[Tensor, "batch lead time"]:
    """Mean over the window from start_s to end_s about each sample, zeros outside the record."""
    before, after = round(-start_s * fs), round(end_s * fs)
    return functional.avg_pool1d(functional.pad(x, (before, after)), before + after + 1, stride=1)
