"""Beats that come early: which they are, by how much, and what the others do then."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from ecglipse.corpora.simulation.conditions import Conditions
from ecglipse.corpora.simulation.draws import normals, uniform

VENTRICULAR, ATRIAL = 1, 2
_COUPLING_S = 0.36
"""No beat comes sooner after the one before, unless that is 0.9 of the interval."""


def premature(
    seed: int,
    numbers: Sequence[int],
    conditions: Conditions,
    beats: Float[np.ndarray, "row beat"],
    *,
    duration_s: float,
) -> tuple[Float[np.ndarray, "row beat"], Int[np.ndarray, "row beat"]]:
    """Let beats of the recordings with PVC or PAC come early; give all times and kinds (0: on time).

    A premature ventricular beat comes after 0.5-0.72 of the interval and leaves the others where they were:
    the pause after it is compensatory. A premature atrial beat comes after 0.6-0.8 and sets the sinus node
    back: the next beat follows after 1.05-1.25 intervals and all later ones move with it. 3-20 % of the beats
    of such a recording, never two in a row of one kind, and one at least within its middle eight tenths.
    """
    kind = np.zeros(beats.shape, np.int64)
    forms = conditions.forms
    for name, code in (("PAC", ATRIAL), ("PVC", VENTRICULAR)):
        rows = np.flatnonzero(forms[name])
        if not len(rows):
            continue
        own = [numbers[row] for row in rows.tolist()]
        z = uniform(normals(seed, f"{name} beats", own, 2, beats.shape[1]), 0.0, 1.0)
        fate = uniform(normals(seed, name, own, 3), 0.0, 1.0)
        early = _which(z, 0.03 + 0.17 * fate[:, 0], beats[rows], free=kind[rows] == 0, duration_s=duration_s)
        rr = np.diff(beats[rows], axis=1, prepend=2 * beats[rows, :1] - beats[rows, 1:2])
        low, high = (0.50, 0.72) if code == VENTRICULAR else (0.60, 0.80)
        coupling = low + (high - low) * (0.7 * fate[:, 1, None] + 0.3 * z[:, 1])
        # one focus: nearly the same coupling each time
        new = np.clip(coupling * rr, np.minimum(_COUPLING_S, 0.9 * rr), 0.9 * rr)
        gain = np.where(early, rr - new, 0.0)
        if code == ATRIAL:
            pause = np.where(early, (0.05 + 0.2 * fate[:, 2, None]) * rr, 0.0)
            later = np.cumsum(np.column_stack([np.zeros(len(rows)), (pause - gain)[:, :-1]]), axis=1)
            beats[rows] += later
        beats[rows] -= gain
        kind[rows] = np.where(early, code, kind[rows])
    return beats, kind


def _which(
    z: Float[np.ndarray, "row 2 beat"],
    share: Float[np.ndarray, " row"],
    beats: Float[np.ndarray, "row beat"],
    *,
    free: Bool[np.ndarray, "row beat"],
    duration_s: float,
) -> Bool[np.ndarray, "row beat"]:
    """Choose the beats that come early: by chance, and one for certain inside the recording."""
    middle = (beats > 0.1 * duration_s) & (beats < 0.9 * duration_s) & free
    certain = np.where(middle, z[:, 1], -1.0).argmax(axis=1)
    early = (z[:, 0] < share[:, None]) & free
    early[:, 1:] &= ~early[:, :-1]
    early[:, 0] = False
    at = np.arange(len(beats))
    early[at, certain - 1] = False
    early[at, np.minimum(certain + 1, beats.shape[1] - 1)] = False
    early[at, certain] = True
    return np.asarray(early)
