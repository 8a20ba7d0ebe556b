"""Random numbers by name: one generator per purpose and group of 64 patients or recordings, drawn at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from ecglipse.seeding import numpy_rng

GROUP = 64
"""Numbers that share a generator, which draws for all of them: to make one costs more than 500 draws."""


def normals(seed: int, purpose: str, numbers: Sequence[int], *shape: int) -> Float[np.ndarray, "row ..."]:
    """Standard normal draws, float32, one set of the given shape for each patient or recording.

    A set is a pure function of (seed, purpose, number, shape), whichever numbers are asked for beside it.
    """
    group, place = np.divmod(np.asarray(numbers, np.int64), GROUP)
    if len(group) == GROUP and group[0] == group[-1] and np.array_equal(place, np.arange(GROUP)):
        return _group(seed, purpose, int(group[0]), shape)
    out = np.empty((len(group), *shape), np.float32)
    for one in np.unique(group):
        own = group == one
        out[own] = _group(seed, purpose, int(one), shape)[place[own]]
    return out


def _group(seed: int, purpose: str, group: int, shape: tuple[int, ...]) -> Float[np.ndarray, "row ..."]:
    rng = numpy_rng(seed, "simulator", purpose, group)
    return rng.standard_normal((GROUP, *shape), dtype=np.float32)


def uniform(z: Float[np.ndarray, "*draw"], low: float, high: float) -> Float[np.ndarray, "*draw"]:
    """Turn standard normal draws into draws that are uniform between `low` and `high`."""
    return np.asarray(low + (high - low) * ndtr(z))


def truncated(
    z: Float[np.ndarray, " row"],
    mean: Float[np.ndarray, " row"],
    sd: Float[np.ndarray, " row"],
    *,
    low: Float[np.ndarray, " row"],
    high: Float[np.ndarray, " row"],
) -> Float[np.ndarray, " row"]:
    """Turn standard normal draws into draws of a normal distribution cut off at `low` and `high`."""
    below, above = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
    return np.asarray(np.clip(mean + sd * ndtri(below + (above - below) * ndtr(z)), low, high))
