"""The masks of the published code, kept to measure what each of its choices costs; see docs/differences.md.

Soft masks of free coverage, one of N applied, or one a lead, made nearly binary by a steep sigmoid; a penalty
holds their mean near one half. Not a recommendation.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks.policy import Drawn, MaskPolicy
from ecglipse.models.scoring import ScoringNet

GUARD = 1e-3
"""Of the penalty's sine: 1 / sine goes on as its tangent below."""
BARE = 1e-10
"""What the published penalty adds to its sine."""


class PublishedMask(MaskPolicy):
    """Hides by sigmoid(slope (m - 1/2)), m one of N soft masks: a softmax over them, or a sigmoid for one.

    The mask network pays alpha * sum_k mean_b 1 / sin(ratio pi mean_t m_k): least where a mask hides
    1 / (2 ratio) of the record.

    Args:
        net: scores frames, a group a mask.
        fs: Hz.
        slope: of the sigmoid that makes a mask nearly binary.
        alpha: weight of the penalty.
        ratio: of the penalty, above 0; above 1 it has poles inside (0, 1).
        guarded: the penalty is, as in `penalty`; needs a ratio of 1 at most.
        penalised: "raw" is the published way, by the soft mask of which nearly nothing may be applied;
            "applied" is by what is hidden.
        per_lead: each of the network's groups is a lead and all are applied (published: N = 12); else they
            are N masks for all leads, of which each record gets one.
        spared: share of the leads that a mask for all leads leaves as they are.
        spared_by: whether each record draws its spared leads or, the published way, all of a batch have those
            of its first.
        every: each record gets all N masks, one after the other.

    Raises:
        ValueError: if `ratio` is not in (0, 1], or, without a guard, not above 0.

    Source:
        Bo et al. 2022, arXiv:2211.07889, and its code. Departures: by default the small mask network at
        25 frames a second in place of a U-Net at the signal's rate, and a guarded penalty.
    """

    def __init__(
        self,
        net: ScoringNet,
        *,
        fs: float,
        slope: float = 50.0,
        alpha: float = 0.1,
        ratio: float = 1.0,
        guarded: bool = True,
        penalised: Literal["raw", "applied"] = "raw",
        per_lead: bool = False,
        spared: float = 0.0,
        spared_by: Literal["record", "batch"] = "record",
        every: bool = False,
    ) -> None:
        super().__init__()
        if not ratio > 0 or (guarded and ratio > 1):
            raise ValueError(f"`ratio` must be in (0, 1]; got {ratio}")
        self.net, self.fs, self.slope = net, fs, slope
        self.alpha, self.ratio, self.penalised, self.per_lead = alpha, ratio, penalised, per_lead
        self.spared, self.spared_by, self.every, self.guarded = spared, spared_by, every, guarded

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"]:
        """Scores of all masks in frames of 40 ms."""
        scores: Tensor = self.net(x, max(math.ceil(x.shape[-1] * self.net.frame_hz / self.fs), 4)).float()
        return scores

    def soft(
        self, logits: Float[Tensor, "batch choice segment"], time: int
    ) -> Float[Tensor, "batch choice {time}"]:
        """The raw masks over time, 0 to 1."""
        masks = logits.sigmoid() if logits.shape[1] == 1 or self.per_lead else logits.softmax(dim=1)
        return functional.interpolate(masks, size=time, mode="linear")

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw which of the masks each record gets; none is drawn where each is a lead's."""
        logits = self.logits(x)
        soft = self.soft(logits, x.shape[-1])
        if self.per_lead:
            return Drawn(self._steep(soft).to(x.dtype), logits)
        which = draws.uniform() * soft.shape[1]
        chosen = soft[torch.arange(len(x), device=x.device), which.long().to(x.device)]
        return Drawn(self._over(chosen, x, draws), logits)

    def draw_all(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> list[Drawn]:
        """Give each of the masks, where every one is applied."""
        if not self.every or self.per_lead:
            return [self.draw(x, draws)]
        logits, own = self.logits(x), draws.fork()
        each = self.soft(logits, x.shape[-1]).unbind(1)
        return [Drawn(self._over(soft, x, own.child(k)), logits) for k, soft in enumerate(each)]

    def _steep(self, soft: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return _sigmoid(self.slope * (soft - 0.5))

    def _over(
        self, soft: Float[Tensor, "batch time"], x: Float[Tensor, "batch lead time"], draws: Draws
    ) -> Float[Tensor, "batch some time"]:
        """One mask for all leads, or for those that are not spared."""
        mask = self._steep(soft).unsqueeze(1).to(x.dtype)
        if not self.spared:
            return mask
        hidden = (draws.fork().child("spared").uniform(x.shape[1], 1) >= self.spared).to(x)
        return mask * (hidden if self.spared_by == "record" else hidden[:1])

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """The penalty on how much is hidden."""
        if drawn.logits is None:
            return None
        masks = self.soft(drawn.logits, drawn.mask.shape[-1])
        if self.penalised == "applied":
            masks = self._steep(masks)
        return self.alpha * penalty(masks.mean(-1), ratio=self.ratio, guarded=self.guarded)


def penalty(shares: Float[Tensor, "batch mask"], *, ratio: float, guarded: bool) -> Float[Tensor, ""]:
    """What hiding these shares costs: sum_k mean_b 1 / sin(ratio pi share_k).

    Guarded, the tangent of 1 / sine stands for it below a sine of 1e-3, so that it is finite and never
    without a gradient; else it is the published 1 / (sine + 1e-10).
    """
    sine = torch.sin(ratio * math.pi * shares)
    cost = _reciprocal(sine) if guarded else 1 / (sine + BARE)
    return cost.mean(0).sum()


def _sigmoid(z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The sigmoid, with a gradient near 1 too, where s (1 - s) is rounded to 0."""
    return torch.where(z > 0, 1 - torch.sigmoid(-z), torch.sigmoid(z))


def _reciprocal(sine: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """1 / sine, or its tangent at the guard below it."""
    return torch.where(sine > GUARD, 1 / sine.clamp(min=GUARD), (2 - sine / GUARD) / GUARD)
