"""Who decides what is hidden: nobody, chance, the mask network, or a mixture of two of these.

Every policy gives a mask of exactly the same coverage from segments of exactly the same length, so that
two policies differ in *where* they hide and in nothing else.
"""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.models.masknet import MaskNet
from ecglipse.views.masking import exact_mask, random_mask, relaxed_shares, spread, straight_through


class MaskPolicy(nn.Module, ABC):
    """Gives a mask for a batch of records."""

    @abstractmethod
    def forward(
        self, x: Float[Tensor, "batch lead time"], generator: torch.Generator
    ) -> Float[Tensor, "batch group time"]:
        """Draw a mask, 1 = occluded; differentiable only where a network takes part."""

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch group segment"] | None:
        """The bounded scores behind the mask, where a network gives them; None elsewhere."""
        return None


class NoMask(MaskPolicy):
    """Hides nothing: plain SimCLR."""

    def forward(
        self, x: Float[Tensor, "batch lead time"], generator: torch.Generator
    ) -> Float[Tensor, "batch 1 time"]:
        """Give zeros."""
        return x.new_zeros(x.shape[0], 1, x.shape[-1])


class RandomMask(MaskPolicy):
    """Hides uniformly random segments.

    Args:
        groups: 1 for one mask over all leads, or the number of leads.
        coverage: share of each record hidden.
        segment_s: length of a segment, s.
        fs: Hz.
    """

    def __init__(self, *, groups: int, coverage: float, segment_s: float, fs: float) -> None:
        super().__init__()
        self.groups, self.coverage, self.segment_s, self.fs = groups, coverage, segment_s, fs

    def forward(
        self, x: Float[Tensor, "batch lead time"], generator: torch.Generator
    ) -> Float[Tensor, "batch group time"]:
        """Draw segments without looking at the records."""
        time = x.shape[-1]
        segments = count_segments(time, segment_s=self.segment_s, fs=self.fs)
        return random_mask(
            x.shape[0], self.groups, time, generator, coverage=self.coverage, n_segments=segments
        ).to(x.dtype)


class LearnedMask(MaskPolicy):
    """Hides the segments that the mask network scores highest, drawn or decided.

    With u the network's raw scores, the logits are `bound * tanh(u / bound)`, centred over the record, so
    that no segment is ever more than exp(2 * bound) times as likely as another and only differences count.

    Args:
        net: scores segments.
        coverage: share of each record hidden.
        segment_s: length of a segment, s.
        fs: Hz.
        bound: largest size of a logit before centring.
        temperature: of the relaxation through which the gradient flows.
        choice: "drawn" adds Gumbel noise to the logits before the top segments are taken, which draws
            segments one by one without replacement in proportion to exp(logit) (Kool et al. 2019,
            arXiv:1903.06059): the same record is hidden differently each time. "decided" takes the top
            segments as they are (the published way). "soft" applies the relaxation itself, for which
            coverage is only approximate; it is there because its gradient is exact.
    """

    def __init__(
        self,
        net: MaskNet,
        *,
        coverage: float,
        segment_s: float,
        fs: float,
        bound: float = 2.0,
        temperature: float = 1.0,
        choice: Literal["drawn", "decided", "soft"] = "drawn",
    ) -> None:
        super().__init__()
        self.net = net
        self.coverage, self.segment_s, self.fs = coverage, segment_s, fs
        self.bound, self.temperature, self.choice = bound, temperature, choice

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch group segment"]:
        """Bounded, centred scores of the segments."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs)
        bounded = self.bound * torch.tanh(self.net(x, segments).float() / self.bound)
        return bounded - bounded.mean(dim=-1, keepdim=True)

    def forward(
        self, x: Float[Tensor, "batch lead time"], generator: torch.Generator
    ) -> Float[Tensor, "batch group time"]:
        """Draw a mask; hard in the forward pass, relaxed in the backward pass (straight through)."""
        scores = self.logits(x)
        time = x.shape[-1]
        if self.choice == "drawn":
            scores = scores + _gumbel(scores, generator)
        shares = relaxed_shares(scores, coverage=self.coverage, temperature=self.temperature)
        if self.choice == "soft":
            return spread(shares, time=time).to(x.dtype)
        hard = exact_mask(scores, time=time, coverage=self.coverage)
        return straight_through(hard, shares).to(x.dtype)


class MixedMask(MaskPolicy):
    """Each record is hidden by the first policy or, with probability `share`, by the second.

    Args:
        first: policy of most interest; its logits are the mixture's logits.
        second: the other one.
        share: of records hidden by `second`, 0 to 1.
    """

    def __init__(self, first: MaskPolicy, second: MaskPolicy, *, share: float) -> None:
        super().__init__()
        self.first, self.second, self.share = first, second, share

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch group segment"] | None:
        """The first policy's logits."""
        return self.first.logits(x)

    def forward(
        self, x: Float[Tensor, "batch lead time"], generator: torch.Generator
    ) -> Float[Tensor, "batch group time"]:
        """Draw both masks, then choose between them record by record."""
        second = torch.rand(x.shape[0], 1, 1, generator=generator, device=generator.device) < self.share
        return torch.where(second.to(x.device), self.second(x, generator), self.first(x, generator))


def count_segments(time: int, *, segment_s: float, fs: float) -> int:
    """How many segments of about `segment_s` seconds a record of `time` samples is cut into, at least 2."""
    return min(max(round(time / (segment_s * fs)), 2), time)


def _gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise of the shape of `like`."""
    uniform = torch.rand(like.shape, generator=generator, device=generator.device).to(like.device)
    return -torch.log(-torch.log(uniform.clamp(1e-7, 1 - 1e-7)))
