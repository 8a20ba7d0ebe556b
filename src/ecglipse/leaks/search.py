"""`duplicates`: finds recordings that are the same, within a store or between two. Reads stores.

Candidates come from an exact search among fingerprints, in blocks; each is then held against the other
recording sample by sample. A fingerprint only brings two recordings together, the samples decide.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ecglipse.leaks.fingerprint import RATE_HZ, Fingerprints, fingerprints
from ecglipse.signal import resample
from ecglipse.store import Store

_BLOCK = 512
_CELLS = 2**23
"""Likenesses that memory holds at a time."""
_ALIKE = 0.97
"""Correlation of fingerprints from which recordings are looked at; copies have 0.98 and more."""
_IN_STEP = 0.9
"""Correlation of two recordings' lines, where they overlap, from which the samples are compared."""
_NEIGHBOURS = 8
_QUERIES = 3
"""Fingerprints of each recording that are looked for; the others are only found."""
_SHORTEST_S = 3.0
_EDGE = 8
"""Samples at the ends that are not compared: what comes before them is not known."""
_PROMISING = 0.8
"""Likeness from which a pair is looked at closely."""

COLUMNS = ("row_a", "row_b", "similarity", "shift_s", "overlap_s")


def duplicates(
    a: Store,
    b: Store | None = None,
    *,
    threshold: float = 0.96,
    rows_a: Int[np.ndarray, " row"] | None = None,
    rows_b: Int[np.ndarray, " row2"] | None = None,
) -> pd.DataFrame:
    """Find pairs of rows that hold the same recording, or overlapping stretches of one.

    Args:
        a: a store.
        b: another one; None: pairs within `a`.
        threshold: least similarity; see docs/data.md for what copies and others have.
        rows_a: rows of `a` to look at; all by default.
        rows_b: rows of `b`; all by default.

    Returns:
        row_a, row_b (row_a < row_b within a store), similarity (mean correlation of matched leads, 1 = the
        same), shift_s (time in b less time in a) and overlap_s, most similar first.
    """
    rows_a = np.arange(len(a)) if rows_a is None else rows_a
    prints_a = _of_store(a, rows_a)
    if b is None:
        rows_b, prints_b, own = rows_a, prints_a, True
    else:
        rows_b = np.arange(len(b)) if rows_b is None else rows_b
        prints_b, own = _of_store(b, rows_b), False
    if b is not None and b.n_samples / b.fs < a.n_samples / a.fs:  # a shorter copy lies within the longer one
        candidates = _candidates(prints_b, prints_a, own=False)
        candidates = candidates.rename(columns={"row_a": "row_b", "row_b": "row_a"})
        candidates = candidates.assign(shift=-candidates["shift"])[["row_a", "row_b", "shift"]]
    else:
        candidates = _candidates(prints_a, prints_b, own=own)
    candidates = candidates[_in_step(candidates, rows_a, prints_a, rows_b, prints_b)]
    found = _compared(a, a if b is None else b, candidates)
    table = pd.DataFrame([row for row in found if row[2] >= threshold], columns=list(COLUMNS))
    table = table.sort_values(["similarity", "row_a", "row_b"], ascending=[False, True, True])
    return table.drop_duplicates(["row_a", "row_b"]).reset_index(drop=True)


def across_split(
    found: pd.DataFrame, *, train: Sequence[int] | np.ndarray, test: Sequence[int] | np.ndarray
) -> pd.DataFrame:
    """The duplicates within a store of which one is trained on (or chosen by) and the other tested."""
    learnt, read = set(map(int, train)), set(map(int, test))
    crosses = [
        (a in learnt and b in read) or (b in learnt and a in read)
        for a, b in zip(found["row_a"], found["row_b"], strict=True)
    ]
    return found[np.array(crosses, dtype=bool)].reset_index(drop=True)


def _at_rate(store: Store, rows: Int[np.ndarray, " row"]) -> Float[np.ndarray, "row lead time"]:
    """Signals in mV at the rate of comparison."""
    signals = store.millivolts(rows)
    if store.fs == RATE_HZ:
        return signals
    flat = resample(signals.reshape(-1, signals.shape[-1]), store.fs, RATE_HZ)
    return np.asarray(flat.reshape(len(rows), -1, flat.shape[-1]))


def _of_store(store: Store, rows: Int[np.ndarray, " row"]) -> Fingerprints:
    parts = [
        fingerprints(_at_rate(store, rows[start : start + _BLOCK]), rows[start : start + _BLOCK])
        for start in range(0, len(rows), _BLOCK)
    ]
    return Fingerprints(
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.lines for part in parts]),
    )


def _candidates(a: Fingerprints, b: Fingerprints, *, own: bool) -> pd.DataFrame:
    """Pairs of rows with the shift at which their fingerprints are alike."""
    queries = _spread(a)
    found: list[np.ndarray] = []
    block = max(_CELLS // max(len(b.vectors), 1), 1)
    for start in range(0, len(queries), block):
        which = queries[start : start + block]
        likeness = a.vectors[which] @ b.vectors.T
        likeness[likeness < _ALIKE] = 0
        if own:
            likeness[a.rows[which][:, None] == b.rows[None, :]] = 0
        query, hit = np.nonzero(likeness)
        query, hit = _nearest(query, hit, likeness[query, hit])
        shift = np.round((b.times_s[hit] - a.times_s[which[query]]) * RATE_HZ)
        found.append(np.stack([a.rows[which[query]], b.rows[hit], shift.astype(np.int64)], axis=1))
    pairs = np.concatenate(found) if found else np.empty((0, 3), dtype=np.int64)
    if own:
        turned = pairs[:, 0] > pairs[:, 1]
        pairs[turned] = np.stack([pairs[turned, 1], pairs[turned, 0], -pairs[turned, 2]], axis=1)
    return pd.DataFrame(np.unique(pairs, axis=0), columns=["row_a", "row_b", "shift"])


def _in_step(
    candidates: pd.DataFrame,
    rows_a: Int[np.ndarray, " row"],
    prints_a: Fingerprints,
    rows_b: Int[np.ndarray, " row2"],
    prints_b: Fingerprints,
) -> Bool[np.ndarray, " candidate"]:
    """Whether the lines of each pair go together all along their overlap."""
    passed = np.zeros(len(candidates), dtype=bool)
    order_a, order_b = np.argsort(rows_a), np.argsort(rows_b)
    places_a = order_a[np.searchsorted(rows_a, candidates["row_a"], sorter=order_a)]
    places_b = order_b[np.searchsorted(rows_b, candidates["row_b"], sorter=order_b)]
    shifts = candidates["shift"].to_numpy()
    time, other = prints_a.lines.shape[1], prints_b.lines.shape[1]
    for start in range(0, len(candidates), _BLOCK):
        part = slice(start, start + _BLOCK)
        at = np.arange(time) + shifts[part, None]
        among = (at >= 0) & (at < other)
        x = prints_a.lines[places_a[part]]
        y = np.take_along_axis(prints_b.lines[places_b[part]], at.clip(0, other - 1), axis=1)
        count = np.maximum(among.sum(axis=1, keepdims=True), 1)
        x = np.where(among, x - (x * among).sum(axis=1, keepdims=True) / count, 0)
        y = np.where(among, y - (y * among).sum(axis=1, keepdims=True) / count, 0)
        norm = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
        passed[part] = (x * y).sum(axis=1) >= _IN_STEP * np.maximum(norm, 1e-12)
    return passed


def _nearest(query: np.ndarray, hit: np.ndarray, likeness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of all hits, the few most alike of each query."""
    order = np.lexsort([hit, -likeness, query])
    query, hit = query[order], hit[order]
    place = np.arange(len(query)) - np.searchsorted(query, query)
    return query[place < _NEIGHBOURS], hit[place < _NEIGHBOURS]


def _spread(prints: Fingerprints) -> Int[np.ndarray, " query"]:
    """A few fingerprints of each recording, from its middle on outwards."""
    order = np.lexsort([prints.times_s, prints.rows])
    _, starts, counts = np.unique(prints.rows[order], return_index=True, return_counts=True)
    chosen: list[int] = []
    for start, count in zip(starts, counts, strict=True):
        places = np.unique(np.linspace(0, count - 1, _QUERIES + 2).round().astype(int)[1:-1])
        chosen += list(order[start + places])
    return np.array(chosen, dtype=np.int64)


def _compared(a: Store, b: Store, candidates: pd.DataFrame) -> Iterator[tuple[int, int, float, float, float]]:
    """Hold each candidate pair's samples against each other."""
    for start in range(0, len(candidates), _BLOCK):
        part = candidates.iloc[start : start + _BLOCK]
        ones = _at_rate(a, part["row_a"].to_numpy())
        others = _at_rate(b, part["row_b"].to_numpy())
        for (row_a, row_b, shift), one, other in zip(part.itertuples(index=False), ones, others, strict=True):
            likeness, moved, samples = _best(_steep(one), _steep(other), int(shift))
            yield int(row_a), int(row_b), likeness, moved / RATE_HZ, samples / RATE_HZ


def _best(
    x: Float[np.ndarray, "lead time"], y: Float[np.ndarray, "lead2 time2"], shift: int
) -> tuple[float, float, int]:
    """The greatest likeness near a shift, in steps of half a sample; that shift; and the overlap."""
    tried = [(*_likeness(x, y, shift + moved), float(shift + moved)) for moved in (-2, 0, 2)]
    if max(tried)[0] > _PROMISING:
        tried += [(*_likeness(x, y, shift + moved), float(shift + moved)) for moved in (-3, -1, 1, 3)]
        halfway, near = (y[:, 1:] + y[:, :-1]) / 2, round(max(tried)[2])
        tried += [(*_likeness(x, halfway, near + moved), near + moved + 0.5) for moved in (-1, 0)]
    likeness, samples, moved_by = max(tried)
    return likeness, moved_by, samples


def _likeness(
    x: Float[np.ndarray, "lead time"], y: Float[np.ndarray, "lead2 time2"], shift: int
) -> tuple[float, int]:
    """Correlation of two recordings where they overlap, leads best matched; and the overlap in samples.

    Leads weigh by their size: a small one is mostly noise.
    """
    from scipy.optimize import linear_sum_assignment

    first = max(0, -shift) + _EDGE
    last = min(x.shape[1], y.shape[1] - shift) - _EDGE
    if last - first < _SHORTEST_S * RATE_HZ:
        return 0.0, 0
    x, y = x[:, first:last], y[:, first + shift : last + shift]
    size_x, size_y = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
    x, y = x[size_x > 1e-6] / size_x[size_x > 1e-6, None], y[size_y > 1e-6] / size_y[size_y > 1e-6, None]
    size_x, size_y = size_x[size_x > 1e-6], size_y[size_y > 1e-6]
    if not (len(x) and len(y)):
        return 0.0, 0
    table = x @ y.T
    rows, columns = linear_sum_assignment(-table)
    weight = np.sqrt(size_x[rows] * size_y[columns])
    return float((table[rows, columns] * weight).sum() / weight.sum()), last - first


def _steep(signal: Float[np.ndarray, "lead time"]) -> Float[np.ndarray, "lead time2"]:
    """The slope smoothed over 20 ms less that over 150 ms: no baseline, little noise, nothing very fast."""
    from scipy.ndimage import gaussian_filter1d

    sharp, blunt = (
        gaussian_filter1d(signal, seconds * RATE_HZ, axis=1, order=1, mode="nearest", truncate=3)
        for seconds in (0.02, 0.15)
    )
    return np.asarray(sharp - blunt)
