"""Watching the game: what tells a healthy run from a broken one, and the alarms. Changes no weight.

A published adversary cancelled itself for months unnoticed (docs/differences.md): its mask network got the
encoder's own gradient. Each look compares the gradient that each player really gets with one from a pass of
its own, and says whether both players move, what is hidden, and whether features have collapsed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Look:
    """What one look saw; None where there is nothing to see.

    Args:
        alignment: mean squared distance of the two projections of a record, on the unit sphere, 0 to 4.
        uniformity: log of the mean Gaussian potential of all pairs of records; lower is more spread.
        rank: effective rank of the projections, 1 to their size.
        entropy: KL between the distribution that masks are drawn from and chance, nats.
        adversarial: cosine of the mask network's gradient with the adversarial direction; 1 is right.
        own: cosine of the encoder's gradient with that of its own loss, the mask a constant; 1 is right.
        ratio: norm of the mask network's gradient over that of encoder and projection, before clipping.
        moved: how far each player's weights went since the last look, relative to their size.
        alarms: what is wrong, in sentences.
    """

    alignment: float
    uniformity: float
    rank: float
    entropy: float | None
    adversarial: float | None
    own: float | None
    ratio: float | None
    moved: dict[str, float]
    alarms: tuple[str, ...] = ()


@dataclass
class Watch:
    """Looks at a training run every so many steps, or in the next step in which all players play.

    Args:
        every: steps between two looks.
        first: step of the first look.
    """

    every: int = 200
    first: int = 20
    _last: dict[str, list[Tensor]] = field(default_factory=dict)
    _loaded: dict[str, list[Tensor]] = field(default_factory=dict)

    def due(self, step: int, *, stride: int = 1) -> bool:
        """Whether there is a look in this step, counted from 1.

        Args:
            step: of the run.
            stride: both players play in every so many steps, and only then is there a look.
        """
        return step % stride == 0 and any(self._asked(s) for s in range(step - stride + 1, step + 1))

    def _asked(self, step: int) -> bool:
        return step == self.first or (step > self.first and step % self.every == 0)

    def go_on(self, players: dict[str, Sequence[nn.Parameter]]) -> None:
        """Remember with which weights a stopped run goes on: the first look sees who stands still since."""
        self._last, self._loaded = {}, {name: _copy(weights) for name, weights in players.items()}

    def moved(self, players: dict[str, Sequence[nn.Parameter]]) -> dict[str, float]:
        """How far each player went since the last look, relative to its size.

        At the first look nothing but 0 for a player that stands still since the run was loaded, so that a run
        that was stopped and one that was not have the same log.
        """
        found = {}
        for name, weights in players.items():
            before = self._last.get(name)
            loaded = self._loaded.pop(name, None)
            if before is None and loaded and all(map(torch.equal, weights, loaded)):
                found[name] = 0.0
            if before is not None and weights:
                steps = [w.detach() - b for w, b in zip(weights, before, strict=True)]
                found[name] = _size(steps) / max(_size(before), 1e-12)
            self._last[name] = _copy(weights)
        return found


def alignment(z_a: Float[Tensor, "batch dim"], z_b: Float[Tensor, "batch dim"]) -> float:
    """Mean squared distance of positive pairs on the unit sphere (Wang and Isola 2020, arXiv:2005.10242)."""
    a, b = (nn.functional.normalize(z.float(), dim=-1) for z in (z_a, z_b))
    return float((a - b).square().sum(-1).mean())


def uniformity(z: Float[Tensor, "batch dim"]) -> float:
    """Log of the mean of exp(-2 |u - v|^2) over pairs on the unit sphere; 0 when all are equal."""
    unit = nn.functional.normalize(z.float(), dim=-1)
    n = len(unit)
    if n < 2:
        return 0.0
    square = torch.pdist(unit).square()
    return float(torch.logsumexp(-2 * square, dim=0)) - math.log(n * (n - 1) / 2)


def effective_rank(z: Float[Tensor, "batch dim"]) -> float:
    """exp of the entropy of the centred features' normalised singular values (Roy and Vetterli 2007)."""
    values = torch.linalg.svdvals((z - z.mean(0)).float().cpu())
    p = values / values.sum().clamp(min=1e-12)
    p = p[p > 1e-12]
    return float(torch.exp(-(p * p.log()).sum())) if len(p) else 1.0


def cosine(a: Sequence[Tensor], b: Sequence[Tensor]) -> float:
    """Cosine of two lists of tensors taken as one vector; 0 if one of them is zero."""
    dot = sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))
    size = _size(a) * _size(b)
    return dot / size if size > 0 else 0.0


def _copy(weights: Sequence[nn.Parameter]) -> list[Tensor]:
    return [w.detach().clone() for w in weights]


def _size(tensors: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(t.detach().square().sum()) for t in tensors))


def alarms(
    *,
    learns: bool,
    coverage: float,
    spread: float | None,
    variation: float | None,
    rank: float,
    adversarial: float | None,
    own: float | None,
    moved: dict[str, float],
) -> tuple[str, ...]:
    """Say what is wrong; empty for a healthy run.

    Args:
        learns: there is a mask network that should learn.
        coverage: share hidden.
        spread: of the logits within a record.
        variation: of the logits between records.
        rank: effective rank of the projections.
        adversarial: cosine with the adversarial direction.
        own: cosine of the encoder's gradient with that of its own loss.
        moved: of each player.
    """
    said = []
    if adversarial is not None and adversarial < 0.5:
        said.append(
            f"the mask network does not climb the encoder's loss: cosine {adversarial:+.2f} with the "
            "adversarial direction, 1 expected"
        )
    if own is not None and own < 0.99:
        said.append(
            f"something else than its own loss reaches the encoder: cosine {own:+.2f} with its own gradient, "
            "1 expected; the mask network's objective may leak into it"
        )
    for name, far in moved.items():
        if far == 0.0:
            said.append(f"the {name} has not moved since the last look")
    if learns and not 0.01 < coverage < 0.99:
        said.append(f"{coverage:.0%} of the signal is hidden: the game has collapsed")
    if spread is not None and variation is not None and spread > 0.2 and variation < 0.02 * spread:
        said.append("every record gets the same mask: the mask network does not look at the signal")
    if rank < 1.5:
        said.append(f"the projections have collapsed: effective rank {rank:.1f}")
    return tuple(said)
