"""Two players, one loss: L = NT-Xent(g f a, g f hide(b, M b)).

Encoder f and projection g minimise L; the mask network M maximises it. In one pass the mask goes through a
gradient reversal, so that one forward and one backward give both players their gradients; in two phases
(`encoder_loss`, `mask_loss`) each player has a pass of its own. At equal weights the gradients are equal.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.objectives import nt_xent
from ecglipse.pretrain.policies import MaskPolicy, NoMask
from ecglipse.views.masking import baseline_fill, hide

Fill = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Round:
    """What one forward pass of the game gives.

    Args:
        loss: L in nats, with its graph.
        mask: what was hidden, detached.
        projection: g f of the hidden view, detached.
    """

    loss: Float[Tensor, ""]
    mask: Float[Tensor, "batch group time"]
    projection: Float[Tensor, "batch dim"]


class AdversarialMasking(nn.Module):
    """The game as a module that stands alone, for use in any training loop.

    Args:
        encoder: (batch, lead, time) to (batch, feature).
        projection: (batch, feature) to (batch, dim).
        policy: decides what is hidden; only a `LearnedMask` has something to learn.
        temperature: of NT-Xent.
        fill: gives what stands in hidden places from (x, mask).

    Example:
        >>> game = AdversarialMasking(encoder, projection, policy)       # doctest: +SKIP
        >>> game.one_pass(view_a, view_b, generator).loss.backward()     # doctest: +SKIP
        >>> optimiser_of_encoder.step(); optimiser_of_masks.step()       # doctest: +SKIP
    """

    def __init__(
        self,
        encoder: nn.Module,
        projection: nn.Module,
        policy: MaskPolicy,
        *,
        temperature: float = 0.1,
        fill: Fill = baseline_fill,
    ) -> None:
        super().__init__()
        self.encoder, self.projection, self.policy = encoder, projection, policy
        self.temperature, self.fill = temperature, fill

    def one_pass(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        generator: torch.Generator,
    ) -> Round:
        """Give L; its backward leaves dL in encoder and projection and -dL in the mask network."""
        mask: Tensor = _Reverse.apply(self.policy(view_b, generator))  # type: ignore[no-untyped-call]
        return self._contrast(view_a, view_b, mask)

    def encoder_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        generator: torch.Generator,
    ) -> Round:
        """Give L for encoder and projection alone: the mask is a constant."""
        with torch.no_grad():
            mask = self.policy(view_b, generator)
        return self._contrast(view_a, view_b, mask)

    def mask_loss(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        generator: torch.Generator,
    ) -> Round:
        """Give -L for the mask network alone: encoder and projection are constants, statistics included."""
        mask = self.policy(view_b, generator)
        with constant(self.encoder), constant(self.projection):
            played = self._contrast(view_a, view_b, mask)
        return Round(loss=-played.loss, mask=played.mask, projection=played.projection)

    def _contrast(self, view_a: Tensor, view_b: Tensor, mask: Tensor) -> Round:
        masked = not isinstance(self.policy, NoMask)
        hidden = hide(view_b, mask, self.fill(view_b, mask)) if masked else view_b
        z_a = self.projection(self.encoder(view_a))
        z_b = self.projection(self.encoder(hidden))
        loss = nt_xent(z_a, z_b, temperature=self.temperature)
        return Round(loss=loss, mask=mask.detach(), projection=z_b.detach())


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
    """Identity forward; gradient times -1 backward (Ganin and Lempitsky 2015, arXiv:1409.7495)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return -grads[0]
