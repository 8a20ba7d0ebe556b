"""Two players, one loss: L = objective(g f a, g f hide(b, M b)).

Encoder f and projection g, with what the objective itself learns, minimise L; the mask network M maximises
it. In one pass the mask goes through a gradient reversal, so that one forward and one backward give both
players their gradients; in two phases (`encoder_loss`, `mask_loss`) each player has a pass of its own. At
equal weights the gradients are equal. A pass moves nothing that is remembered; `settle` does, after the step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks import BaselineFill, Drawn, Fill, MaskPolicy, Ramp
from ecglipse.models.constant import constant
from ecglipse.objectives import NTXent, Objective, Pairs, Seen
from ecglipse.objectives.pairs import records
from ecglipse.pretrain.average import Average
from ecglipse.pretrain.ranks import gather, rank


@dataclass(frozen=True)
class Round:
    """What one forward pass of the game gives.

    Args:
        loss: what to call `backward` on: L in the objective's unit (-L for the mask network alone), and the
            mask network's own loss if it has one.
        contrast: L alone, detached.
        mask: what was hidden, detached; several masks of a batch one after the other.
        projection: the objective's projection of the hidden view, detached.
        first: its projection of the first view, detached.
        keys: what the objective will remember of this batch, detached.

    Where several ranks share a batch, all but the mask are of the whole batch.
    """

    loss: Float[Tensor, ""]
    contrast: Float[Tensor, ""]
    mask: Float[Tensor, "batch group place"]
    projection: Float[Tensor, "whole dim"]
    first: Float[Tensor, "whole dim"]
    keys: Float[Tensor, "whole dim"] | None = None


class AdversarialMasking(nn.Module):
    """The game as a module that stands alone, for use in any training loop.

    Args:
        encoder: (batch, lead, time) to (batch, feature).
        projection: (batch, feature) to (batch, dim).
        policy: decides what is hidden; only one with a network has something to learn.
        objective: what the encoder minimises and the mask network maximises; NT-Xent by default.
        pairs: cuts what is contrasted from the two views; by default they stay whole.
        fill: gives what stands in hidden places.
        both: hide from both views, each by a draw of its own; else from the second alone.
        strength: how hard the mask network plays: it climbs `strength * L`. 1 is the adversary, -1 an ally
            that helps the encoder, a ramp a curriculum.
        after: what is done to a view once it is hidden; nothing by default.

    Where the policy gives a record several masks, L is the mean over them. A policy that looks at marks is
    given those of the records, `marks`, cut as the views are; views must then leave waves where they are.

    Attributes:
        target: slow copy of encoder and projection, where the objective looks at one.

    Example:
        >>> game = AdversarialMasking(encoder, projection, policy)       # doctest: +SKIP
        >>> played = game.one_pass(view_a, view_b, draws)            # doctest: +SKIP
        >>> played.loss.backward()                                       # doctest: +SKIP
        >>> optimiser_of_encoder.step(); optimiser_of_masks.step()       # doctest: +SKIP
        >>> game.settle([played])                                        # doctest: +SKIP
    """

    def __init__(
        self,
        encoder: nn.Module,
        projection: nn.Module,
        policy: MaskPolicy,
        *,
        objective: Objective | None = None,
        pairs: Pairs = records,
        fill: Fill | None = None,
        both: bool = False,
        strength: float | Ramp = 1.0,
        after: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.projection, self.policy = encoder, projection, policy
        self.fill = BaselineFill() if fill is None else fill
        self.objective = NTXent() if objective is None else objective
        self.pairs, self.both, self.after = pairs, both, after
        self.strength = Ramp.of(strength)
        self.target = Average(self._online()) if self.objective.needs_target else None

    def at(self, progress: float) -> None:
        """Tell everything that follows a schedule which share of the steps is done, 0 to 1."""
        self.policy.at(progress)

    def one_pass(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
        *,
        patients: Int[Tensor, " batch"] | None = None,
        marks: Float[Tensor, "batch lead time"] | None = None,
    ) -> Round:
        """Give L; its backward leaves dL in encoder, projection and objective and -dL in the mask network.

        Raises:
            ValueError: if the encoder sees other masks than the network is judged by (`policy.apart`), or the
                policy looks at marks and none are given.
        """
        if self.policy.apart:
            raise ValueError("`policy` shows the encoder other masks than its own: play in two phases")
        view_a, view_b, looked = self._cut(view_a, view_b, marks, draws)
        drawn = self._draw(looked, draws)
        strength = self.strength.at(self.policy.progress)
        masks = _each(drawn, lambda mask: _Reverse.apply(mask, strength))  # type: ignore[no-untyped-call]
        return self._contrast(view_a, view_b, masks, drawn, draws, patients, own=True)

    def encoder_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
        *,
        patients: Int[Tensor, " batch"] | None = None,
        marks: Float[Tensor, "batch lead time"] | None = None,
    ) -> Round:
        """Give L for encoder, projection and objective alone: the mask is a constant."""
        view_a, view_b, looked = self._cut(view_a, view_b, marks, draws)
        with torch.no_grad():
            drawn = self._draw(looked, draws)
            masks = _each(drawn, self._shown)
        return self._contrast(view_a, view_b, masks, drawn, draws, patients, own=False)

    def cancelling_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
        *,
        patients: Int[Tensor, " batch"] | None = None,
        marks: Float[Tensor, "batch lead time"] | None = None,
    ) -> Round:
        """Give L the published way: the mask keeps its graph, and +dL is left in the mask network too.

        The mask network's own pass then adds -dL to it. Here to measure what that costs.
        """
        view_a, view_b, looked = self._cut(view_a, view_b, marks, draws)
        drawn = self._draw(looked, draws)
        masks = _each(drawn, self._shown)
        return self._contrast(view_a, view_b, masks, drawn, draws, patients, own=False)

    def mask_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
        *,
        patients: Int[Tensor, " batch"] | None = None,
        marks: Float[Tensor, "batch lead time"] | None = None,
    ) -> Round:
        """Give -L for the mask network alone: all else is constant, statistics included."""
        view_a, view_b, looked = self._cut(view_a, view_b, marks, draws)
        drawn = self._draw(looked, draws)
        masks = _each(drawn, lambda mask: mask)
        weight = -self.strength.at(self.policy.progress)
        rest = nn.ModuleList([self.encoder, self.projection, self.fill, self.objective])
        with constant(rest):
            return self._contrast(view_a, view_b, masks, drawn, draws, patients, own=True, weight=weight)

    def settle(self, rounds: Sequence[Round], *, progress: float = 0.0) -> None:
        """Move what is remembered, after the optimisers' step: queue and target.

        Args:
            rounds: of this step, one player's.
            progress: share of all steps that is done, 0 to 1.
        """
        for played in rounds:
            if played.keys is not None:
                self.objective.remember(played.keys)
        if self.target is not None:
            self.target.follow(self._online(), self.objective.momentum(progress))

    def _cut(
        self, view_a: Tensor, view_b: Tensor, marks: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """What is contrasted, and what the policy looks at: that too, or the same cut of the marks."""
        same = draws.part(slice(None))
        view_a, view_b = self.pairs(view_a, view_b, draws)
        if self.policy.looks_at == "signal":
            return view_a, view_b, (view_a, view_b)
        if marks is None:
            raise ValueError("`marks` must be given for a policy that looks at marks")
        return view_a, view_b, self.pairs(marks, marks, same)

    def _draw(self, looked: tuple[Tensor, Tensor], draws: Draws) -> list[list[Drawn]]:
        """The masks of the second view, and those of the first where both are hidden."""
        first, second = looked
        drawn = [self.policy.draw_all(second, draws)]
        return [*drawn, self.policy.draw_all(first, draws)] if self.both else drawn

    def _shown(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, "batch group place"]:
        """What the encoder sees in the place of a mask, which may be of another record of the whole batch."""
        if not self.policy.apart:
            return self.policy.shown(mask)
        own = slice(rank() * len(mask), (rank() + 1) * len(mask))
        return self.policy.shown(gather(mask))[own]

    def _contrast(
        self,
        view_a: Tensor,
        view_b: Tensor,
        masks: list[list[Tensor]],
        drawn: list[list[Drawn]],
        draws: Draws,
        patients: Tensor | None,
        *,
        own: bool,
        weight: float = 1.0,
    ) -> Round:
        hidden = [self._hidden(view_b, mask, draws) for mask in masks[0]]
        firsts = [self._hidden(view_a, mask, draws) for mask in masks[1]] if self.both else [view_a]
        target = self.target
        seen = Seen(
            firsts[0],
            hidden[0],
            online=lambda view: gather(self.projection(self.encoder(view))),
            target=None if target is None else lambda view: gather(target(view)),
            patients=None if patients is None else gather(patients),
        )
        contrasts = [self.objective(seen)]
        for k, view in enumerate(hidden[1:], start=1):
            contrasts.append(self.objective(seen.beside(view, firsts[k] if self.both else None)))
        contrast = contrasts[0] if len(contrasts) == 1 else torch.stack(contrasts).mean()
        first, second = (z.detach() for z in self.objective.compared(seen))
        loss = weight * contrast
        if own:
            with torch.autocast(first.device.type, enabled=False):
                difficulty = 1 - functional.cosine_similarity(first.float(), second.float())
            for of_view in drawn:  # all masks of a view come from the same scores
                more = self.policy.own_loss(_gathered(of_view[0]), difficulty)
                loss = loss if more is None else loss + more / len(drawn)
        mask = masks[0][0] if len(masks[0]) == 1 else torch.cat(masks[0])
        keys = self.objective.keys(seen)
        return Round(loss, contrast.detach(), mask.detach(), second, first, keys)

    def _hidden(self, view: Tensor, mask: Tensor, draws: Draws) -> Tensor:
        made = self.policy.hide(view, mask, self.fill, draws)
        return made if self.after is None else self.after(made)

    def _online(self) -> nn.Module:
        """Encoder and projection, one after the other."""
        return nn.Sequential(self.encoder, self.projection)


def _each(drawn: list[list[Drawn]], change: Callable[[Tensor], Tensor]) -> list[list[Tensor]]:
    """The masks of each view, changed."""
    return [[change(one.mask) for one in of_view] for of_view in drawn]


def _gathered(drawn: Drawn) -> Drawn:
    """What was drawn for the batch of all ranks, as a policy's own loss may look at all its records."""
    if drawn.logits is None:
        return drawn
    return Drawn(gather(drawn.mask), gather(drawn.logits))


class _Reverse(torch.autograd.Function):
    """Identity forward; gradient times -strength backward (Ganin and Lempitsky 2015, arXiv:1409.7495)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None
