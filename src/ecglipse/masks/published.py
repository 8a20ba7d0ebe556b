"""The masks of the published code, kept to measure what each of its choices costs; see docs/differences.md.

Soft masks of free coverage, one of N applied, made nearly binary by a steep sigmoid; a penalty holds their
mean near one half. Not a recommendation.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks.policy import Drawn, MaskPolicy
from ecglipse.models.masknet import MaskNet


class PublishedMask(MaskPolicy):
    """Hides by sigmoid(slope (m - 1/2)), m one of N soft masks: a softmax over them, or a sigmoid for one.

    The mask network pays alpha * sum_k mean_b 1 / sin(ratio pi mean_t m_k): least where a mask hides
    1 / (2 ratio) of the record.

    Args:
        net: scores frames, a group a mask.
        fs: Hz.
        slope: of the sigmoid that makes a mask nearly binary.
        alpha: weight of the penalty.
        ratio: of the penalty, in (0, 1]; above 1 it would have poles inside (0, 1).
        penalised: "raw" is the published way, by the soft mask of which nearly nothing may be applied;
            "applied" is by what is hidden.

    Raises:
        ValueError: if `ratio` is not in (0, 1].

    Source:
        Bo et al. 2022, arXiv:2211.07889, and its code. Departures: the small mask network at 25 frames a
        second in place of a U-Net at the signal's rate; the sine is kept at 1e-3 and more.
    """

    def __init__(
        self,
        net: MaskNet,
        *,
        fs: float,
        slope: float = 50.0,
        alpha: float = 0.1,
        ratio: float = 1.0,
        penalised: Literal["raw", "applied"] = "raw",
    ) -> None:
        super().__init__()
        if not 0 < ratio <= 1:
            raise ValueError(f"`ratio` must be in (0, 1]; got {ratio}")
        self.net, self.fs, self.slope = net, fs, slope
        self.alpha, self.ratio, self.penalised = alpha, ratio, penalised

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"]:
        """Scores of all masks in frames of 40 ms."""
        scores: Tensor = self.net(x, max(math.ceil(x.shape[-1] * self.net.frame_hz / self.fs), 4)).float()
        return scores

    def soft(
        self, logits: Float[Tensor, "batch choice segment"], time: int
    ) -> Float[Tensor, "batch choice {time}"]:
        """The raw masks over time, 0 to 1."""
        masks = logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)
        return functional.interpolate(masks, size=time, mode="linear")

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw which of the masks each record gets."""
        logits = self.logits(x)
        soft = self.soft(logits, x.shape[-1])
        which = draws.uniform() * soft.shape[1]
        chosen = soft[torch.arange(len(x), device=x.device), which.long().to(x.device)]
        return Drawn(torch.sigmoid(self.slope * (chosen - 0.5)).unsqueeze(1).to(x.dtype), logits)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """The penalty on how much is hidden."""
        if drawn.logits is None:
            return None
        masks = self.soft(drawn.logits, drawn.mask.shape[-1])
        if self.penalised == "applied":
            masks = torch.sigmoid(self.slope * (masks - 0.5))
        sine = torch.sin(self.ratio * math.pi * masks.mean(-1)).clamp(min=1e-3)
        return self.alpha * (1 / sine).mean(0).sum()
