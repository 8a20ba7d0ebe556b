"""Linear views: x' = A x + W n with n noise or waves. Such views in a row become one, done in few passes.

A is a matrix or a factor a record; n has a few rows a record, and W mixes them into the leads. For
x'' = A2 x' + W2 n2 the two are one: (A2 A) x + [A2 W, W2] [n; n2].
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ecglipse.views import memory
from ecglipse.views.parts import Change

Rows = Callable[[slice, Tensor], object]
"""Writes waveforms of some records of the batch into a float32 place (record, row, time)."""


@dataclass(frozen=True)
class Term:
    """Waveforms and how they get into the leads.

    Args:
        weights: W, mV; one factor a lead where `apart`.
        write: gives the rows.
        apart: a row for each lead, that goes into this lead alone.
    """

    weights: Float[Tensor, "batch lead _"]
    write: Rows
    apart: bool = False

    def rows(self) -> int:
        """Number of waveforms."""
        return self.weights.shape[1] if self.apart else self.weights.shape[2]


@dataclass(frozen=True)
class Linear:
    """A change of the form A x + the sum of W n over its terms.

    Args:
        matrix: A (batch, lead, lead), or a factor (batch, 1, 1), or None for x itself.
        terms: what is added.
    """

    matrix: Float[Tensor, "batch _ _"] | None = None
    terms: tuple[Term, ...] = ()

    def __call__(self, x: Tensor, out: Tensor, records: slice) -> Tensor:
        """Give A x + W n: first what goes into `out` unmixed, then A x, then what is mixed.

        Raises:
            ValueError: if it was made for another number of leads.
        """
        self._see(x.shape[1])
        apart = [term for term in self.terms if term.apart]
        mixed = [term for term in self.terms if not term.apart]
        if apart and x is not out and x.dtype == torch.float32:
            apart[0].write(records, out)
            out.mul_(apart[0].weights[records])
            made = self._plus(out, x, records)
            apart = apart[1:]
        else:
            made = self._product(x, out, records)
        for term in apart:
            made = torch.addcmul(
                made, self._rows([term], x, records), term.weights[records].to(x.dtype), out=out
            )
        if mixed:
            rows, weights = self._rows(mixed, x, records), self._weights[records].to(x.dtype)
            if rows.shape[1] == 1:
                return torch.addcmul(made, rows, weights, out=out)
            return torch.baddbmm(made, weights, rows, out=out)
        return made

    def after(self, first: "Linear") -> "Linear":
        """Give what this does to the result of another, as one."""
        if self.matrix is None:
            return Linear(first.matrix, first.terms + self.terms)
        moved = tuple(_moved(self.matrix, term) for term in first.terms)
        matrix = self.matrix if first.matrix is None else _times(self.matrix, first.matrix)
        return Linear(matrix, moved + self.terms)

    def for_some(self, chosen: Bool[Tensor, "batch 1 1"]) -> "Linear":
        """Give the change that leaves the records that were not chosen as they are."""
        terms = tuple(dataclasses.replace(term, weights=term.weights * chosen) for term in self.terms)
        if self.matrix is None:
            return Linear(None, terms)
        same = torch.eye(self.matrix.shape[-1], dtype=self.matrix.dtype, device=chosen.device)
        return Linear(torch.where(chosen, self.matrix, same), terms)

    def to(self, dtype: torch.dtype) -> "Linear":
        """Give the same with its matrix in the precision of the signals."""
        return Linear(None if self.matrix is None else self.matrix.to(dtype), self.terms)

    def _see(self, leads: int) -> None:
        """Refuse signals of another number of leads, which would be broadcast."""
        sizes = {term.weights.shape[1] for term in self.terms}
        if self.matrix is not None and self.matrix.shape[-1] > 1:
            sizes.add(self.matrix.shape[-1])
        if sizes - {leads}:
            made = ", ".join(map(str, sorted(sizes)))
            raise ValueError(f"`names` must name the {leads} leads of the signals; it names {made}")

    def _product(self, x: Tensor, out: Tensor, records: slice) -> Tensor:
        if self.matrix is None:
            return x
        matrix = self.matrix[records].to(x.dtype)
        if matrix.shape[-1] == 1:
            return torch.mul(x, matrix, out=out)
        return torch.bmm(matrix, x) if x is out else torch.bmm(matrix, x, out=out)

    def _plus(self, out: Tensor, x: Tensor, records: slice) -> Tensor:
        """Add A x to what is in `out`."""
        if self.matrix is None:
            return out.add_(x)
        matrix = self.matrix[records].to(x.dtype)
        return out.addcmul_(x, matrix) if matrix.shape[-1] == 1 else out.baddbmm_(matrix, x)

    def _rows(self, terms: Sequence[Term], x: Tensor, records: slice) -> Tensor:
        """Write the rows of terms one under the other."""
        counts = [term.rows() for term in terms]
        shape = (len(x), sum(counts), x.shape[-1])
        rows = memory.empty(shape, dtype=torch.float32, device=x.device)
        for term, place in zip(terms, rows.split(counts, dim=1), strict=True):
            term.write(records, place)
        return rows.to(x.dtype)

    @functools.cached_property
    def _weights(self) -> Float[Tensor, "batch lead row"]:
        return torch.cat([term.weights for term in self.terms if not term.apart], dim=-1)


def joined(changes: Sequence[Change | None], dtype: torch.dtype) -> list[Change]:
    """Make one of all linear changes in a row, for signals of this precision; leave out what is None."""
    made: list[Change] = []
    for change in changes:
        if change is None:
            continue
        last = made[-1] if made else None
        if isinstance(change, Linear) and isinstance(last, Linear):
            made[-1] = change.after(last)
        else:
            made.append(change)
    return [change.to(dtype) if isinstance(change, Linear) else change for change in made]


def _moved(matrix: Float[Tensor, "batch _ _"], term: Term) -> Term:
    """Give what a matrix makes of a term."""
    if term.apart and matrix.shape[-1] > 1:
        return Term(matrix * term.weights.transpose(1, 2), term.write)
    return dataclasses.replace(term, weights=_times(matrix, term.weights))


def _times(matrix: Float[Tensor, "batch _ _"], other: Float[Tensor, "batch _ _"]) -> Tensor:
    """Product of matrices or factors, in the finer of their precisions."""
    if matrix.shape[-1] == 1 or other.shape[-2] == 1:
        return matrix * other
    dtype = torch.promote_types(matrix.dtype, other.dtype)
    return matrix.to(dtype) @ other.to(dtype)
