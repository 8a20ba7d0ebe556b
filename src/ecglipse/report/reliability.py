"""Whether "30 %" happens in 30 of 100: reliability bins of each method, from the ledger's predictions."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, Int, Num

from ecglipse.metrics import apply_temperature, ece, equal_mass
from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells, Line
from ecglipse.report.kept import NO_CLASS
from ecglipse.report.measures import NO_TEMPERATURE
from ecglipse.report.scores import Bin, Group, Reliability
from ecglipse.report.subgroups import REPLICATES
from ecglipse.statistics import interval

BINS: Final = 10


def reliability(wanted: Sequence[tuple[Group, str]], cells: Cells, bench: Bench) -> tuple[Reliability, ...]:
    """Give the reliability of each group of cells, before and after the temperature of each cell.

    A prediction is one probability of one class of a test record by one cell; those of all cells and all
    classes that are not left out are put together and cut into `BINS` bins of equal mass. The interval of a
    bin's share of positives is of the study's bootstrap over patients, the bins held as they are: it says
    how sure the share is for these encoders and label draws.

    Args:
        wanted: which.
        cells: by group and method.
        bench: reads predictions, and has the resampled patients.
    """
    made = []
    for group, method in wanted:
        lines = list(cells[group, method].values())
        if any(line.get("temperature") is None for line in lines):
            made.append(_one(group, method, "before", lines, bench))
            made.append(Reliability(group, method, "after", None, note=NO_TEMPERATURE))
        else:
            made += [_one(group, method, when, lines, bench) for when in ("before", "after")]
    return tuple(made)


def _one(group: Group, method: str, when: str, lines: Sequence[Line], bench: Bench) -> Reliability:
    """Put the predictions of some cells together."""
    errors, parts = [], []
    for line in lines:
        ours, scores = bench.test_set(line), bench.scores(line)
        if when == "after":
            scores = apply_temperature(scores, float(line["temperature"]), line["task_kind"])
        if ours.keep.any():
            truth, kept = ours.truth[:, ours.keep], scores[:, ours.keep]
            errors.append(ece(truth, kept))
            parts.append((int(line["rotation"]), truth, kept))
    if not parts:
        return Reliability(group, method, when, None, note=NO_CLASS)
    weights = {int(line["rotation"]): bench.test_set(line).resampling.weights for line in lines}
    bins = _bins(parts, weights)
    return Reliability(group, method, when, float(np.mean(errors)), bins)


def _bins(
    parts: Sequence[tuple[int, Num[np.ndarray, "record class"], Float[np.ndarray, "record class"]]],
    weights: Mapping[int, Int[np.ndarray, "replicate record"]],
) -> tuple[Bin, ...]:
    """Cut predictions into bins of equal mass.

    Args:
        parts: rotation, truth and probabilities of each cell.
        weights: of the resampled records of each rotation.
    """
    scores = np.concatenate([kept.ravel() for _, _, kept in parts])
    place = equal_mass(scores, bins=BINS)
    positive = np.concatenate([truth.ravel() for _, truth, _ in parts]).astype(np.float64)
    counts, sums, hits = (np.bincount(place, w, minlength=BINS) for w in (None, scores, positive))
    replicates = min(REPLICATES, *(len(w) for w in weights.values()))
    resampled = np.zeros((2, replicates, BINS))
    start = 0
    for rotation, truth, kept in parts:
        stop = start + kept.size
        cut = place[start:stop].reshape(kept.shape)
        start = stop
        of_record = np.zeros((2, len(truth), BINS))
        for b in range(BINS):
            inside = cut == b
            of_record[0, :, b], of_record[1, :, b] = inside.sum(axis=1), (inside & (truth == 1)).sum(axis=1)
        resampled += weights[rotation][:replicates].astype(np.float64) @ of_record
    made = []
    for k in np.flatnonzero(counts):
        with np.errstate(invalid="ignore"):
            low, high = interval(resampled[1, :, k] / resampled[0, :, k])
        ends = [None if np.isnan(x) else float(x) for x in (low, high)]
        made.append(Bin(int(counts[k]), float(sums[k] / counts[k]), float(hits[k] / counts[k]), *ends))
    return tuple(made)
