"""One contract for all views: a name, parameters, the labels it may invalidate, a call; and their chain."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.views.catalogue import VIEWS, may_change
from ecglipse.views.linear import Linear, joined
from ecglipse.views.parts import Change, Planned, Shape, in_parts

LABELS: dict[str, str] = {
    "rate": "heart rate: brady- and tachycardia",
    "rhythm": "regularity and origin of beats: fibrillation, flutter, ectopy",
    "intervals": "PR, QRS and QT: blocks, long QT",
    "st": "level of ST and shape of T: ischaemia, infarction",
    "voltage": "size of waves: hypertrophy, low voltage",
    "axis": "electrical axis and R progression",
    "leads": "which leads show a thing: the place of an infarction",
    "quality": "noise and artefacts: grades of quality",
}
"""Kinds of labels that a view may invalidate."""


Augmentation = Callable[[Tensor, Draws], Tensor]
"""What training asks of a view: `(x, draws) -> x`."""


@dataclass(frozen=True)
class View:
    """A view that knows what it is called and what it does to labels.

    Args:
        name: as in configs.
        function: pure and batched, `(x, draws, **parameters) -> x`.
        parameters: keywords of the function.
        may_change: kinds of labels, of `LABELS`, that may be wrong for its result.
        probability: chance that a record gets it.
    """

    name: str
    function: Planned[...]
    parameters: Mapping[str, Any]
    may_change: frozenset[str]
    probability: float = 1.0

    def __call__(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Float[Tensor, "batch lead time"]:
        """Give a view of each record, mV; draws come from a child of its name."""
        return Pipeline([self])(x, draws)

    def plan(self, draws: Draws, shape: Shape) -> Change | None:
        """Draw what is small; give the change of the records, or None where nothing changes.

        Args:
            draws: the view's own.
            shape: of the batch.
        """
        change = self.function.plan(draws, shape, **self.parameters)
        if self.probability == 1 or change is None:
            return change
        chosen = draws.child("chance").uniform(1, 1) < self.probability
        if isinstance(change, Linear):
            return change.for_some(chosen)

        def for_some(x: Tensor, out: Tensor, records: slice) -> Tensor:
            made = change(x, torch.empty_like(x), records)
            return torch.where(chosen[records], made, x, out=out)

        return for_some


@dataclass(frozen=True)
class Pipeline:
    """Views one after the other.

    A view draws by its name and by how often that name came before it, so that adding a view of another name
    leaves the draws of the rest as they are.

    Args:
        views: in order; none gives x back.
    """

    views: Sequence[View]

    @property
    def name(self) -> str:
        """The views' names."""
        return " + ".join(view.name for view in self.views) or "nothing"

    @property
    def may_change(self) -> frozenset[str]:
        """What any of the views may invalidate."""
        return frozenset[str]().union(*(view.may_change for view in self.views))

    def __call__(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Float[Tensor, "batch lead time"]:
        """Give a view of each record, mV."""
        return in_parts(x, joined(self.plan(draws, tuple(x.shape)), x.dtype))

    def plan(self, draws: Draws, shape: Shape) -> list[Change | None]:
        """Draw what is small for all views; give the change of each."""
        met: dict[str, int] = {}
        changes = []
        for view, own in zip(self.views, draws.children([view.name for view in self.views]), strict=True):
            before = met.setdefault(view.name, 0)
            changes.append(view.plan(draws.child(before).child(view.name) if before else own, shape))
            met[view.name] += 1
        return changes


def make(
    name: str, *, fs: float, names: tuple[str, ...] = LEADS, probability: float = 1.0, **parameters: Any
) -> View:
    """Give a view by its name.

    Args:
        name: one of `VIEWS`.
        fs: Hz, for the views that ask for it.
        names: of the leads of the signals, in their order, likewise.
        probability: chance that a record gets it.
        parameters: keywords of its function, those without a default at least.

    Raises:
        ValueError: if there is no such view.
        TypeError: if a parameter is missing or unknown.
    """
    if name not in VIEWS:
        raise ValueError(f"`name` must be one of {', '.join(VIEWS)}; got {name!r}")
    function, _ = VIEWS[name]
    given = dict(parameters)
    asked = inspect.signature(function.plan).parameters
    given |= {key: value for key, value in (("fs", fs), ("names", names)) if key in asked}
    inspect.signature(function.plan).bind(None, None, **given)
    return View(name, function, given, may_change(name, given), probability)
