"""How a player learns: its weights, its rate, and the optimiser that moves them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.pretrain.ranks import average_gradients


@dataclass(frozen=True)
class Player:
    """How one player learns.

    Args:
        learning_rate: peak, reached after the warm-up; falls to zero by a cosine.
        weight_decay: decoupled (AdamW).
        clip: largest norm of the gradient.
    """

    learning_rate: float
    weight_decay: float = 0.0
    clip: float = 1.0


class Learner:
    """A player in a run; without weights it has nothing to learn and never moves.

    Args:
        weights: that it moves.
        rule: how.
        broken: where it is looked at on the device whether all numbers are finite: a number there, and no
            weight moves while it is 1. The optimiser is then fused, which rounds otherwise.
    """

    def __init__(self, weights: list[nn.Parameter], rule: Player, *, broken: Tensor | None = None) -> None:
        self.weights, self.rule = weights, rule
        self.optimiser = None if not weights else _adam(weights, rule, broken=broken)

    @property
    def learns(self) -> bool:
        """Whether there is anything to move."""
        return self.optimiser is not None

    def forget(self) -> None:
        """Take all gradients away."""
        for weight in self.weights:
            weight.grad = None

    def gradients(self) -> list[Tensor]:
        """Give copies of the gradients, zeros where there is none."""
        return [torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in self.weights]

    def gather(self) -> Float[Tensor, ""]:
        """Average the gradients over ranks and clip them; gives their norm before that."""
        average_gradients(self.weights)
        return nn.utils.clip_grad_norm_(self.weights, self.rule.clip)

    def step(self, rate: float) -> None:
        """Move the weights, at a share of the peak rate."""
        if self.optimiser is None:
            return
        for group in self.optimiser.param_groups:
            group["lr"] = self.rule.learning_rate * rate
        self.optimiser.step()

    def state(self) -> dict[str, Tensor]:
        """The optimiser's moments, by the number of their weight and their name."""
        if self.optimiser is None:
            return {}
        return {
            f"{index}.{name}": value
            for index, moments in self.optimiser.state_dict()["state"].items()
            for name, value in moments.items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go back to moments that `state` gave."""
        if self.optimiser is None:
            return
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            index, _, name = key.partition(".")
            moments.setdefault(int(index), {})[name] = _laid_out_like(self.weights[int(index)], value)
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": moments})


def _adam(weights: list[nn.Parameter], rule: Player, *, broken: Tensor | None) -> torch.optim.Optimizer:
    """AdamW; with `broken`, one that changes nothing while that is 1, which is looked at on the device."""
    optimiser = torch.optim.AdamW(
        weights, lr=rule.learning_rate, weight_decay=rule.weight_decay, fused=broken is not None or None
    )
    if broken is not None:
        optimiser.found_inf = broken  # type: ignore[attr-defined]  # what a GradScaler tells a fused optimiser
    return optimiser


def _laid_out_like(weight: Tensor, value: Tensor) -> Tensor:
    """A moment in the memory order of its weight, as the optimiser itself would make it."""
    if value.shape != weight.shape:
        return value
    return torch.empty_like(weight, requires_grad=False).copy_(value)
