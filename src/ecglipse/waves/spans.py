"""From marks of waves to the samples that each covers, of one kind of wave: what a mask aims at. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Int

AIMS: Final = {"p": "P", "qrs": "QRS", "r": "QRS", "t": "T"}
"""What can be aimed at, and the kind of wave that it is; "r" is the peak of the QRS complex alone."""

ALL_LEADS: Final = -1


@dataclass(frozen=True)
class Spans:
    """Marked waves as samples, in the order of the rows.

    Args:
        row: of the store.
        lead: number of the lead, or `ALL_LEADS`.
        start: first sample of the wave.
        stop: sample after its last one; at least one more than `start`.
    """

    row: Int[np.ndarray, " wave"]
    lead: Int[np.ndarray, " wave"]
    start: Int[np.ndarray, " wave"]
    stop: Int[np.ndarray, " wave"]


def spans(waves: pd.DataFrame, aim: str, *, leads: tuple[str, ...], n_samples: int, fs: float) -> Spans:
    """Give the samples of every marked wave of one kind.

    A wave lasts from its onset to its offset; where one of them is not marked, its peak stands for it. What
    lies outside the record, or in a lead that is not there, is left out.

    Args:
        waves: in the form of a store's `waves.parquet`; `lead` None holds for all leads.
        aim: one of `AIMS`.
        leads: names of the leads, in the order of the signals.
        n_samples: length of each record.
        fs: Hz.

    Raises:
        ValueError: if there is no such aim.
    """
    if aim not in AIMS:
        raise ValueError(f"`aim` must be one of {', '.join(AIMS)}; got {aim!r}")
    own = waves[waves["kind"] == AIMS[aim]].sort_values("row", kind="stable")
    onset, peak, offset = (own[f"{mark}_s"].to_numpy(dtype=float) for mark in ("onset", "peak", "offset"))
    if aim == "r":
        onset = offset = peak
    first = np.where(np.isnan(onset), peak, onset) * fs
    last = np.where(np.isnan(offset), peak, offset) * fs
    names = {lead: place for place, lead in enumerate(leads)}
    lead = np.array(
        [ALL_LEADS if pd.isna(name) else names.get(name, ALL_LEADS - 1) for name in own["lead"]],
        dtype=np.int64,
    )
    there = (last >= first) & (last > -0.5) & (first < n_samples - 0.5) & (lead >= ALL_LEADS)
    start = np.clip(np.round(first[there]), 0, n_samples - 1).astype(np.int64)
    stop = np.clip(np.round(last[there]), 0, n_samples - 1).astype(np.int64) + 1
    return Spans(own["row"].to_numpy(dtype=np.int64)[there], lead[there], start, stop)
