"""How far runs agree on what they hide, as those of several seeds, and what that is worth."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ecglipse.commands._mask_run import OnStore
from ecglipse.errors import ConfigError
from ecglipse.occlusion import Stability, stability

COMPARED = 256
"""Records on which the masks of runs are compared, at most."""


def compared(rows: Int[np.ndarray, " row"]) -> Int[np.ndarray, " some"]:
    """Give the rows on which runs are compared."""
    return np.asarray(rows[np.linspace(0, len(rows) - 1, min(COMPARED, len(rows))).astype(int)])


def agreements(
    on: OnStore, others: Sequence[OnStore], rows: Int[np.ndarray, " row"], *, draws: int
) -> Iterator[Stability]:
    """Agreement with other runs, and the levels that tell what it is worth; nothing without other runs.

    Raises:
        ConfigError: if another run hides other rows.
    """
    if not others:
        return
    run, store = on.run, on.store
    _, patients = np.unique(pd.factorize(store.table["patient_id"])[0][rows], return_inverse=True)
    segments, when = run.segments(store.n_samples), np.arange(store.n_samples)
    if run.spectral is not None:  # a place is a frame
        frames = run.spectral.frames(store.n_samples)
        segments = min(segments, frames)
        when = np.minimum(np.arange(frames) * run.spectral.hop, store.n_samples - 1)

    def maps(masks: OnStore, seed: int) -> Float[np.ndarray, "record row place"]:
        return masks.maps(rows, draws=draws, seed=seed)[..., when]

    twin = on.twin(rows[:1])
    ours, again = maps(on, 0), maps(on, 1)
    chance = [maps(twin, 2), maps(twin, 3)]
    yield stability(ours, again, other="the same run, other draws", patients=patients, segments=segments)
    for each in others:
        other = each.run
        if other.rows(store.leads) != run.rows(store.leads):
            raise ConfigError(
                f"{other.name}: hides other rows than {run.name}, leads or other bands",
                hint="give runs with the same `domain` and `masks.bands`",
            )
        theirs = maps(each, 4)
        yield stability(ours, theirs, other=other.name, patients=patients, segments=segments)
        wrong = np.roll(theirs, 1, axis=0)
        name = f"{other.name}, of another record"
        yield stability(ours, wrong, other=name, patients=patients, segments=segments)
    name = "random masks, among themselves"
    yield stability(*chance, other=name, patients=patients, segments=segments)
