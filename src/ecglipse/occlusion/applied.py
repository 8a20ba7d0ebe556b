"""What masks hide in all: how much, in pieces of which length, in how many leads at once. Pure NumPy."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Integer

QUANTILES: Final = (0.05, 0.5, 0.95)
HALF: Final = 0.5
"""A sample counts as hidden, where whole samples are counted, if more than this of it is."""


@dataclass(frozen=True)
class Applied:
    """What the masks of a run hid of some records.

    Args:
        records: looked at.
        draws: of masks, a record.
        coverage: share hidden, mean over all; of a soft mask, the mean of the mask.
        run_mean_s: mean length of a hidden stretch of one lead, s; None where nothing is hidden.
        run_s: its `QUANTILES`, s; none likewise.
        leads_at_once: share of the leads that are hidden, mean over the moments at which one is; None too.
    """

    records: int
    draws: int
    coverage: float
    run_mean_s: float | None
    run_s: tuple[float, ...]
    leads_at_once: float | None


def applied(masks: Float[np.ndarray, "draw record lead time"], *, fs: float) -> Applied:
    """Measure masks, 1 = hidden; one lead stands for all where they are hidden alike.

    A stretch ends where the record does.

    Args:
        masks: as they were applied; soft ones lie between 0 and 1.
        fs: Hz.
    """
    hidden = masks > HALF
    stretches = run_lengths(hidden.reshape(-1, hidden.shape[-1])) / fs
    anywhere = hidden.any(axis=2)
    return Applied(
        records=masks.shape[1],
        draws=masks.shape[0],
        coverage=float(masks.mean(dtype=np.float64)),
        run_mean_s=float(stretches.mean()) if stretches.size else None,
        run_s=tuple(map(float, np.quantile(stretches, QUANTILES))) if stretches.size else (),
        leads_at_once=float(hidden.mean(axis=2)[anywhere].mean()) if anywhere.any() else None,
    )


def run_lengths(hidden: Bool[np.ndarray, "row time"]) -> Integer[np.ndarray, " stretch"]:
    """Give the lengths of all stretches of ones, in samples."""
    edges = np.diff(np.pad(hidden.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    return np.asarray(np.nonzero(edges == -1)[1] - np.nonzero(edges == 1)[1])
