"""How well found marks agree with true ones: sensitivity, positive predictive value, errors in ms. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float

MARKS: Final = ("onset", "peak", "offset")
KINDS: Final = ("P", "QRS", "T")


@dataclass(frozen=True)
class Agreement:
    """One mark of one kind of wave, over many records and leads.

    Args:
        kind: "P", "QRS" or "T".
        mark: "onset", "peak" or "offset".
        true: marks there are.
        found: marks that were found.
        matched: true marks with a found one within the tolerance.
        mean_ms: found minus true, mean over the matched ones; NaN if there is none.
        sd_ms: standard deviation of the same; NaN below two.
    """

    kind: str
    mark: str
    true: int
    found: int
    matched: int
    mean_ms: float
    sd_ms: float

    @property
    def sensitivity(self) -> float:
        """Share of the true marks that were found; NaN without any."""
        return self.matched / self.true if self.true else float("nan")

    @property
    def ppv(self) -> float:
        """Share of the found marks that are true; NaN without any."""
        return self.matched / self.found if self.found else float("nan")


def agreement(found: pd.DataFrame, truth: pd.DataFrame, *, tolerance_s: float = 0.15) -> list[Agreement]:
    """Compare marks lead by lead; each mark is matched at most once, nearest pairs first.

    Only what lies in the truth's marked span of a row and lead is counted: from its first mark to its last,
    widened by the tolerance for found marks that match one at the edge. Found marks with lead None are held
    against every lead of the truth.

    Args:
        found: columns row, kind, lead, onset_s, peak_s, offset_s, as in a store's `waves.parquet`.
        truth: likewise, with a lead each.
        tolerance_s: largest distance of two marks that match, s; 150 ms is that of ANSI/AAMI EC57:2012.
    """
    tallies = {(kind, mark): _Tally() for kind in KINDS for mark in MARKS}
    for own, true in _by_lead(found, truth):
        marked = true[["onset_s", "peak_s", "offset_s"]].to_numpy(dtype=float)
        low, high = np.nanmin(marked), np.nanmax(marked)
        for kind in KINDS:
            mine, wanted = own[own["kind"] == kind], true[true["kind"] == kind]
            for mark in MARKS:
                a, b = (np.sort(t[f"{mark}_s"].dropna().to_numpy(dtype=float)) for t in (mine, wanted))
                tallies[kind, mark].add(a, b, low, high, tolerance_s)
    return [tally.give(kind, mark) for (kind, mark), tally in tallies.items()]


class _Tally:
    """Counts and errors of one kind and mark."""

    def __init__(self) -> None:
        self.true = self.found = 0
        self.errors: list[np.ndarray] = []

    def add(self, found: np.ndarray, true: np.ndarray, low: float, high: float, tolerance_s: float) -> None:
        near = _match(found, true, tolerance_s)
        inside = (found >= low) & (found <= high)
        inside[near[:, 0]] = True
        self.true += len(true)
        self.found += int(inside.sum())
        self.errors.append(found[near[:, 0]] - true[near[:, 1]])

    def give(self, kind: str, mark: str) -> Agreement:
        errors = 1000 * np.concatenate(self.errors) if self.errors else np.empty(0)
        mean = float(errors.mean()) if errors.size else float("nan")
        sd = float(errors.std(ddof=1)) if errors.size > 1 else float("nan")
        return Agreement(kind, mark, self.true, self.found, int(errors.size), mean, sd)


def _by_lead(found: pd.DataFrame, truth: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Marks of each row and lead that the truth has."""
    owners = found.groupby("row").indices
    for (row, lead), true in truth.groupby(["row", "lead"]):
        own = found.iloc[owners[row]] if row in owners else found.iloc[:0]
        yield own[own["lead"].isna() | (own["lead"] == lead)], true


def _match(
    found: Float[np.ndarray, " found"], true: Float[np.ndarray, " true"], tolerance_s: float
) -> np.ndarray:
    """Pairs (found, true) within the tolerance, each mark once, nearest first."""
    if not (found.size and true.size):
        return np.empty((0, 2), dtype=int)
    distance = np.abs(found[:, None] - true[None])
    a, b = np.nonzero(distance <= tolerance_s + 1e-9)
    order = np.argsort(distance[a, b], kind="stable")
    pairs: list[tuple[int, int]] = []
    left, right = set(), set()
    for i, j in zip(a[order].tolist(), b[order].tolist(), strict=True):
        if i not in left and j not in right:
            pairs.append((i, j))
            left.add(i)
            right.add(j)
    return np.array(pairs, dtype=int).reshape(-1, 2)
