"""What every objective is: a module that turns what the game shows it into one number for both players."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Projector = Callable[[Tensor], Tensor]


class Seen:
    """What an objective may look at: each projection is computed when it is first asked for, and once.

    So an objective costs the passes that it asks for and no others.

    Args:
        view_a: the first view, (batch, lead, time).
        view_b: the second view, hidden by the mask.
        online: encoder and projection, which learn.
        target: their slow copy, whose weights are constants; None where the objective asked for none.
        patients: a number for each record's patient; None where the objective asked for none.
    """

    def __init__(
        self,
        view_a: Float[Tensor, "batch lead time"],
        view_b: Float[Tensor, "batch lead time"],
        *,
        online: Projector,
        target: Projector | None = None,
        patients: Int[Tensor, " batch"] | None = None,
    ) -> None:
        self._view_a, self._view_b, self._online, self._target = view_a, view_b, online, target
        self._patients = patients

    def beside(self, view_b: Tensor, view_a: Tensor | None = None) -> "Seen":
        """Another hidden view beside the same first one, or beside its own.

        What was computed of the same first view is not computed again.
        """
        first = self._view_a if view_a is None else view_a
        other = Seen(first, view_b, online=self._online, target=self._target, patients=self._patients)
        known = ("a", "target_a") if view_a is None else ()
        other.__dict__.update({key: self.__dict__[key] for key in known if key in self.__dict__})
        return other

    @cached_property
    def a(self) -> Float[Tensor, "batch dim"]:
        """Projection of the first view."""
        return self._online(self._view_a)

    @cached_property
    def b(self) -> Float[Tensor, "batch dim"]:
        """Projection of the second, hidden view."""
        return self._online(self._view_b)

    @cached_property
    def target_a(self) -> Float[Tensor, "batch dim"]:
        """The target's projection of the first view; carries no gradient."""
        return self._by_target(self._view_a)

    @cached_property
    def target_b(self) -> Float[Tensor, "batch dim"]:
        """The target's projection of the hidden view; its gradient reaches the mask and no weight."""
        return self._by_target(self._view_b)

    @property
    def patients(self) -> Int[Tensor, " batch"]:
        """A number for each record's patient; equal numbers, same patient."""
        if self._patients is None:
            raise ValueError("`patients` must be given to the game for an objective that needs them")
        return self._patients

    def _by_target(self, view: Tensor) -> Tensor:
        if self._target is None:
            raise ValueError("`needs_target` must be true for an objective that looks at the target")
        return self._target(view)


class Objective(nn.Module, ABC):
    """One number that encoder and projection make small and the mask network makes large.

    `forward` moves no buffer, whoever plays: what an objective remembers moves in `remember`, once a step.
    Its parameters, if it has any, learn with the encoder.
    """

    unit: ClassVar[str] = "nats"
    """Of the loss; empty where it has none."""
    needs_target: ClassVar[bool] = False
    """Whether it looks at the projections of a slow copy of the encoder."""
    needs_patients: ClassVar[bool] = False
    """Whether it must be told which records are of one patient."""

    @abstractmethod
    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss of a batch, in `unit`; float32 whatever the precision of the encoder."""

    def compared(self, seen: Seen) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"]]:
        """The projections of first and hidden view that shall agree: what says how hard a record is."""
        return seen.a, seen.b

    def keys(self, seen: Seen) -> Float[Tensor, "batch dim"] | None:
        """What of this batch is to be remembered after the step, detached; None: nothing."""
        return None

    def remember(self, keys: Float[Tensor, "some dim"]) -> None:
        """Take in the step's keys."""
        raise NotImplementedError(f"{type(self).__name__} gives keys but does not remember them")

    def momentum(self, progress: float) -> float:
        """How slowly the target follows, 0 to 1, when `progress` (0 to 1) of the steps are done."""
        raise NotImplementedError(f"{type(self).__name__} needs a target but does not say how it follows")


def in_float32(z: Tensor) -> Tensor:
    """Give z in float32, or as it is where it is finer."""
    return z.to(torch.promote_types(z.dtype, torch.float32))


def unit_length(z: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
    """Give z's rows at length 1 in float32; a row of zeros stays one."""
    return nn.functional.normalize(in_float32(z), dim=1, eps=1e-8)


def positive(name: str, value: float) -> float:
    """Give the value back.

    Raises:
        ValueError: if it is not positive.
    """
    if not value > 0:
        raise ValueError(f"`{name}` must be > 0; got {value}")
    return value


def share(name: str, value: float) -> float:
    """Give the value back.

    Raises:
        ValueError: if it is not in 0..1.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be in 0..1; got {value}")
    return value


def several(z: Float[Tensor, "batch dim"]) -> int:
    """Give the number of records.

    Raises:
        ValueError: if there are fewer than 2, so that there is nothing to tell a record from.
    """
    if z.shape[0] < 2:
        raise ValueError(f"the batch must hold at least 2 records; got {z.shape[0]}")
    return z.shape[0]
