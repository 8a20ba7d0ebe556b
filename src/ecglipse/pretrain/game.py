"""Two players, one loss: L = NT-Xent(g f a, g f hide(b, M b)).

Encoder f and projection g minimise L; the mask network M maximises it. In one pass the mask goes through a
gradient reversal, so that one forward and one backward give both players their gradients; in two phases
(`encoder_loss`, `mask_loss`) each player has a pass of its own. At equal weights the gradients are equal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks import BaselineFill, Drawn, Fill, MaskPolicy, Ramp
from ecglipse.objectives import nt_xent


@dataclass(frozen=True)
class Round:
    """What one forward pass of the game gives.

    Args:
        loss: what to call `backward` on: L in nats (-L for the mask network alone), and the mask network's
            own loss if it has one.
        contrast: L alone, detached.
        mask: what was hidden, detached.
        projection: g f of the hidden view, detached.
        first: g f of the first view, detached.
    """

    loss: Float[Tensor, ""]
    contrast: Float[Tensor, ""]
    mask: Float[Tensor, "batch group place"]
    projection: Float[Tensor, "batch dim"]
    first: Float[Tensor, "batch dim"]


class AdversarialMasking(nn.Module):
    """The game as a module that stands alone, for use in any training loop.

    Args:
        encoder: (batch, lead, time) to (batch, feature).
        projection: (batch, feature) to (batch, dim).
        policy: decides what is hidden; only one with a network has something to learn.
        temperature: of NT-Xent.
        fill: gives what stands in hidden places.
        both: hide from both views, each by a draw of its own; else from the second alone.
        strength: how hard the mask network plays: it climbs `strength * L`. 1 is the adversary, -1 an ally
            that helps the encoder, a ramp a curriculum.

    Example:
        >>> game = AdversarialMasking(encoder, projection, policy)       # doctest: +SKIP
        >>> game.one_pass(view_a, view_b, draws).loss.backward()     # doctest: +SKIP
        >>> optimiser_of_encoder.step(); optimiser_of_masks.step()       # doctest: +SKIP
    """

    def __init__(
        self,
        encoder: nn.Module,
        projection: nn.Module,
        policy: MaskPolicy,
        *,
        temperature: float = 0.1,
        fill: Fill | None = None,
        both: bool = False,
        strength: float | Ramp = 1.0,
    ) -> None:
        super().__init__()
        self.encoder, self.projection, self.policy = encoder, projection, policy
        self.fill = BaselineFill() if fill is None else fill
        self.temperature, self.both = temperature, both
        self.strength = strength if isinstance(strength, Ramp) else Ramp(strength, strength)

    def at(self, progress: float) -> None:
        """Tell everything that follows a schedule which share of the steps is done, 0 to 1."""
        self.policy.at(progress)

    def one_pass(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
    ) -> Round:
        """Give L; its backward leaves dL in encoder and projection and -dL in the mask network.

        Raises:
            ValueError: if the encoder sees other masks than the network is judged by (`policy.apart`).
        """
        if self.policy.apart:
            raise ValueError("`policy` shows the encoder other masks than its own: play in two phases")
        drawn = self._draw(view_a, view_b, draws)
        strength = self.strength.at(self.policy.progress)
        masks = [_Reverse.apply(d.mask, strength) for d in drawn]  # type: ignore[no-untyped-call]
        return self._contrast(view_a, view_b, masks, drawn, draws, own=True)

    def encoder_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
    ) -> Round:
        """Give L for encoder and projection alone: the mask is a constant."""
        with torch.no_grad():
            drawn = self._draw(view_a, view_b, draws)
            masks = [self.policy.shown(d.mask) for d in drawn]
        return self._contrast(view_a, view_b, masks, drawn, draws, own=False)

    def cancelling_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
    ) -> Round:
        """Give L the published way: the mask keeps its graph, and +dL is left in the mask network too.

        The mask network's own pass then adds -dL to it. Here to measure what that costs.
        """
        drawn = self._draw(view_a, view_b, draws)
        masks = [self.policy.shown(d.mask) for d in drawn]
        return self._contrast(view_a, view_b, masks, drawn, draws, own=False)

    def mask_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        draws: Draws,
    ) -> Round:
        """Give -L for the mask network alone: encoder and projection are constants, statistics included."""
        drawn = self._draw(view_a, view_b, draws)
        masks = [d.mask for d in drawn]
        weight = -self.strength.at(self.policy.progress)
        with constant(self.encoder), constant(self.projection), constant(self.fill):
            return self._contrast(view_a, view_b, masks, drawn, draws, own=True, weight=weight)

    def _draw(self, view_a: Tensor, view_b: Tensor, draws: Draws) -> list[Drawn]:
        """One draw for the second view, and one for the first where both are hidden."""
        drawn = [self.policy.draw(view_b, draws)]
        return [*drawn, self.policy.draw(view_a, draws)] if self.both else drawn

    def _contrast(
        self,
        view_a: Tensor,
        view_b: Tensor,
        masks: list[Tensor],
        drawn: list[Drawn],
        draws: Draws,
        *,
        own: bool,
        weight: float = 1.0,
    ) -> Round:
        hidden = self.policy.hide(view_b, masks[0], self.fill, draws)
        if self.both:
            view_a = self.policy.hide(view_a, masks[1], self.fill, draws)
        z_a = self.projection(self.encoder(view_a))
        z_b = self.projection(self.encoder(hidden))
        contrast = nt_xent(z_a, z_b, temperature=self.temperature)
        loss = weight * contrast
        if own:
            difficulty = (1 - functional.cosine_similarity(z_a, z_b)).detach().float()
            for d in drawn:
                more = self.policy.own_loss(d, difficulty)
                loss = loss if more is None else loss + more
        return Round(loss, contrast.detach(), masks[0].detach(), z_b.detach(), z_a.detach())


@contextmanager
def constant(module: nn.Module) -> Iterator[None]:
    """Within it, no gradient reaches the module's parameters and no BatchNorm statistic moves.

    The mode (training or evaluation) stays as it is, so what the module computes stays as it is too.
    """
    learning = [p for p in module.parameters() if p.requires_grad]
    tracking = [m for m in module.modules() if getattr(m, "track_running_stats", False) and m.training]
    for parameter in learning:
        parameter.requires_grad_(False)
    for norm in tracking:
        norm.track_running_stats = False  # type: ignore[assignment]
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
        for norm in tracking:
            norm.track_running_stats = True  # type: ignore[assignment]


class _Reverse(torch.autograd.Function):
    """Identity forward; gradient times -strength backward (Ganin and Lempitsky 2015, arXiv:1409.7495)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None
