"""The contract of a mask policy, and the policies that are made of others: nothing, mixtures, shuffled.

A policy looks at a batch of records and says what is hidden. `draw` gives the mask and, where a network
takes part, the scores behind it; `hide` makes the view that the encoder gets.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.draws import Draws
from ecglipse.masks.fills import Fill
from ecglipse.views.masking import hide, tapered


@dataclass(frozen=True)
class Drawn:
    """What a policy drew for a batch.

    Args:
        mask: 1 = hidden; a group is a lead, all leads at once, or a band of frequencies. Differentiable
            where a network takes part in the choice.
        logits: the scores behind it, with their graph; None where no network takes part.
    """

    mask: Float[Tensor, "batch group place"]
    logits: Float[Tensor, "batch choice segment"] | None = None


@dataclass(frozen=True)
class Ramp:
    """A number that moves in a straight line from `start` to `end` during the first `until` of training."""

    start: float
    end: float
    until: float = 1.0

    @classmethod
    def of(cls, value: "float | Ramp") -> "Ramp":
        """Give a ramp as it is, and a number as one that does not move."""
        return value if isinstance(value, Ramp) else cls(value, value)

    def at(self, progress: float) -> float:
        """Its value after this share of the steps, 0 to 1."""
        share = 1.0 if self.until <= 0 else min(progress / self.until, 1.0)
        return self.start + (self.end - self.start) * share


class MaskPolicy(nn.Module, ABC):
    """Says what is hidden from a batch of records."""

    apart = False
    """The encoder sees other masks than the network is judged by: one pass cannot serve both players."""

    looks_at: Literal["signal", "marks"] = "signal"
    """What `draw` is given: the records, or the marks of their waves as signals of the same shape."""

    progress = 1.0
    """Share of the steps done; what follows a schedule looks at it."""

    taper = 0
    """Samples over which the edges of hidden stretches rise; 0: they are sharp."""

    @abstractmethod
    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw a mask for each record."""

    def draw_all(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> list[Drawn]:
        """Draw all masks that each record gets in turn: one, but for rivals that are all applied."""
        return [self.draw(x, draws)]

    def forward(
        self, x: Float[Tensor, "batch lead time"], draws: Draws
    ) -> Float[Tensor, "batch group place"]:
        """Draw a mask, 1 = hidden; differentiable only where a network takes part."""
        return self.draw(x, draws).mask

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"] | None:
        """The scores behind the mask, where there are any; None elsewhere."""
        return None

    def shown(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, "batch group place"]:
        """The masks that the encoder is trained on, made of those that were drawn."""
        return mask

    def hide(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group place"],
        fill: Fill,
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Give the records with the masked places hidden; mask 0 gives them back."""
        return hide(x, tapered(mask, self.taper), fill(x, mask, draws))

    def removed(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, ""]:
        """Give the share of the signal that these masks take away; a tapered edge counts by what it takes."""
        return tapered(mask, self.taper).mean()

    def over_time(
        self, mask: Float[Tensor, "batch group place"], time: int
    ) -> Float[Tensor, "batch some {time}"]:
        """Give how much of each sample is hidden, for pictures and counts; of a group of leads, or of all."""
        return mask

    def rows_over_time(
        self, mask: Float[Tensor, "batch group place"], x: Float[Tensor, "batch lead time"]
    ) -> Float[Tensor, "batch row time"]:
        """Give how much of each row is hidden at each sample of `x`; rows are leads, or bands."""
        return self.over_time(mask, x.shape[-1]).expand_as(x)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """A loss of the mask network beside the game; None if it has none.

        Args:
            drawn: what was drawn.
            difficulty: 1 - cosine of each record's two projections, a constant.
        """
        return None

    def at(self, progress: float) -> None:
        """Tell this policy, and all it is made of, which share of the steps is done."""
        for part in self.modules():
            if isinstance(part, MaskPolicy):
                part.progress = progress


class NoMask(MaskPolicy):
    """Hides nothing: plain SimCLR."""

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Give zeros."""
        return Drawn(x.new_zeros(x.shape[0], 1, x.shape[-1]))

    def hide(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group place"],
        fill: Fill,
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Give the records as they are."""
        return x


class MixedMask(MaskPolicy):
    """Each record is hidden by the first policy or, with probability `share`, by the second.

    Args:
        first: policy of most interest; its logits are the mixture's logits.
        second: the other one, which sees what the first does; both hide by groups in time.
        share: of records hidden by `second`, 0 to 1.
    """

    def __init__(self, first: MaskPolicy, second: MaskPolicy, *, share: float) -> None:
        super().__init__()
        self.first, self.second, self.share = first, second, share
        self.apart, self.looks_at = first.apart, first.looks_at

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw both masks, then choose between them record by record."""
        second = draws.uniform(1, 1) < self.share
        other = self.second(x, draws)
        drawn = self.first.draw(x, draws)
        return Drawn(torch.where(second.to(x.device), other, drawn.mask), drawn.logits)

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"] | None:
        """The first policy's logits."""
        return self.first.logits(x)

    def shown(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, "batch group place"]:
        """As the first policy shows it."""
        return self.first.shown(mask)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """The first policy's."""
        return self.first.own_loss(drawn, difficulty)


class ShuffledMask(MaskPolicy):
    """The floor of every learned mask: the encoder gets each mask on the next record of the batch.

    The network behind `first` learns as ever, from its masks on their own records; only what the encoder is
    trained on has the right statistics and the wrong content.
    """

    apart = True

    def __init__(self, first: MaskPolicy) -> None:
        super().__init__()
        self.first = first

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """As the first policy draws."""
        return self.first.draw(x, draws)

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"] | None:
        """The first policy's logits."""
        return self.first.logits(x)

    def shown(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, "batch group place"]:
        """Each mask on the next record."""
        return mask.roll(1, dims=0)

    def hide(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group place"],
        fill: Fill,
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """As the first policy hides."""
        return self.first.hide(x, mask, fill, draws)

    def removed(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, ""]:
        """As the first policy counts."""
        return self.first.removed(mask)

    def over_time(
        self, mask: Float[Tensor, "batch group place"], time: int
    ) -> Float[Tensor, "batch some {time}"]:
        """As the first policy tells."""
        return self.first.over_time(mask, time)

    def rows_over_time(
        self, mask: Float[Tensor, "batch group place"], x: Float[Tensor, "batch lead time"]
    ) -> Float[Tensor, "batch row time"]:
        """As the first policy tells."""
        return self.first.rows_over_time(mask, x)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """The first policy's."""
        return self.first.own_loss(drawn, difficulty)
