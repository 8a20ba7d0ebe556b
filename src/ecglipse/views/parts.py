"""How views run: everything small is drawn for the whole batch, everything of a signal's size in parts.

A view is written as a plan: from the draws and the batch's shape it makes what is small (sizes, places,
matrices) and gives a change for any slice of the records. On a CPU the changes of a chain are then made for
a few records at a time, so that what lies between two of them stays in the cache; on a GPU for all.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Concatenate, Generic, ParamSpec

from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views import memory

P = ParamSpec("P")
Shape = tuple[int, ...]
Change = Callable[[Tensor, Tensor, slice], Tensor]
"""`(x, out, records)`: from the signals of some records, a place of their size, and which of the batch they
are, gives the view. It may lie in `out` or elsewhere; `out` may be x itself, else x is left as it is."""

PART_BYTES = 6 * 2**20
"""Signals of a part, at most: with less, operations' overhead shows; with more, the cache is left."""


class Planned(Generic[P]):
    """A pure batched function `(x, draws, *, parameters) -> x` made of a plan; wraps the plan's docstring.

    Args:
        plan: `(draws, shape, *, parameters)` to a change, or None where nothing changes.
    """

    def __init__(self, plan: Callable[Concatenate[Draws, Shape, P], Change | None]) -> None:
        self.plan = plan
        functools.update_wrapper(self, plan)

    def __call__(
        self, x: Float[Tensor, "batch lead time"], draws: Draws, *args: P.args, **parameters: P.kwargs
    ) -> Float[Tensor, "batch lead time"]:
        """Give a view of each record, mV."""
        return in_parts(x, [self.plan(draws, tuple(x.shape), *args, **parameters)])


def in_parts(
    x: Float[Tensor, "batch lead time"], changes: Sequence[Change | None]
) -> Float[Tensor, "batch lead time"]:
    """Make the changes one after the other, a few records at a time; where there is none, give x back."""
    real = [change for change in changes if change is not None]
    if not real:
        return x
    size = max(PART_BYTES // (x[0].numel() * x.element_size()), 1) if x.device.type == "cpu" else len(x)
    out = memory.empty(x.shape, dtype=x.dtype, device=x.device)
    for start in range(0, len(x), size):
        records = slice(start, start + size)
        made, place = x[records], out[records]
        for change in real:
            made = change(made, place, records)
        if made is not place:
            place.copy_(made)
    return out
