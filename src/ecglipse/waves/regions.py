"""From marks of waves to a region for each sample: P, PQ, QRS, ST, T, TP, or none that is known. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Int8

REGIONS: Final = ("P", "PQ", "QRS", "ST", "T", "TP")
"""Waves and what lies between them; TP is the rest: from a T wave to the next P wave or QRS complex."""

UNSCORED: Final = -1
"""Where nothing is known: before the first mark, after the last one, and beside a wave marked in part."""

_BETWEEN: Final = {
    ("P", "QRS"): ("PQ", 0.4),
    ("QRS", "T"): ("ST", 0.4),
    ("T", "P"): ("TP", 2.0),
    ("T", "QRS"): ("TP", 2.0),
    ("P", "P"): ("TP", 2.0),
}
"""What lies between two neighbours, and how long it may last, s; longer gaps hold a wave nobody marked."""


def region_map(
    waves: pd.DataFrame, *, leads: Sequence[str], n_samples: int, fs: float
) -> Int8[np.ndarray, "lead {n_samples}"]:
    """Give the region of each sample of one record, as an index into `REGIONS`, or `UNSCORED`.

    A sample is in a wave from its onset up to its offset. A stretch between two waves gets a name only if
    both its ends are marked and the two belong together: a QRS complex without a marked T wave is followed
    by nothing that is known. Where waves overlap, QRS counts before P, and P before T.

    Args:
        waves: marks of the record, in the form of a store's `waves.parquet`; `lead` None holds for all.
        leads: names of the leads.
        n_samples: length of the record.
        fs: samples per second, Hz.
    """
    found = np.full((len(leads), n_samples), UNSCORED, dtype=np.int8)
    kinds, owners = waves["kind"].to_numpy(dtype=object), waves["lead"].to_numpy(dtype=object)
    marks = waves[["onset_s", "peak_s", "offset_s"]].to_numpy(dtype=float)
    every = waves["lead"].isna().to_numpy(dtype=bool)
    if every.all():
        _paint(found[0], kinds, marks, fs)
        found[1:] = found[0]
        return found
    for place, lead in enumerate(leads):
        own = every | (owners == lead)
        _paint(found[place], kinds[own], marks[own], fs)
    return found


def region_maps(
    waves: pd.DataFrame, rows: Sequence[int], *, leads: Sequence[str], n_samples: int, fs: float
) -> Iterator[Int8[np.ndarray, "lead {n_samples}"]]:
    """Give the region map of each of these rows of a store, one after the other.

    Args:
        waves: of the store; its column `row` says whose marks they are.
        rows: which records.
        leads: as in `region_map`; so are `n_samples` and `fs`.
    """
    marked = waves[waves["row"].isin(list(rows))]
    places = marked.groupby("row").indices
    for row in rows:
        own = marked.iloc[places[row]] if row in places else marked.iloc[:0]
        yield region_map(own, leads=leads, n_samples=n_samples, fs=fs)


def _paint(line: np.ndarray, kinds: np.ndarray, table: np.ndarray, fs: float) -> None:
    """Name the samples of one lead, in place."""
    middle = np.where(np.isnan(table[:, 1]), np.fmin(table[:, 0], table[:, 2]), table[:, 1])
    order = np.argsort(middle, kind="stable")
    kinds = kinds[order]
    onset, offset = table[order, 0], table[order, 2]
    edges = np.stack([onset, offset])
    cuts = np.where(np.isnan(edges), -1, np.ceil(np.nan_to_num(edges) * fs - 1e-6)).astype(int)
    for a in range(len(kinds) - 1):
        name, longest = _BETWEEN.get((kinds[a], kinds[a + 1]), ("", 0.0))
        if name and 0 <= onset[a + 1] - offset[a] <= longest:
            line[max(cuts[1, a], 0) : cuts[0, a + 1]] = REGIONS.index(name)
    for kind in ("T", "P", "QRS"):
        for a in np.flatnonzero((kinds == kind) & (offset > onset)).tolist():
            line[max(cuts[0, a], 0) : cuts[1, a]] = REGIONS.index(kind)
