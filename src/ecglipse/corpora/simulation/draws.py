"""Random numbers by name: one generator per purpose and patient or recording, drawn over a block."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from ecglipse.seeding import numpy_rng


def generators(seed: int, purpose: str, numbers: Sequence[int]) -> list[np.random.Generator]:
    """One generator for each number; the same (seed, purpose, number) gives the same draws in any block."""
    return [numpy_rng(seed, "simulator", purpose, int(number)) for number in numbers]


def normals(rngs: Sequence[np.random.Generator], *shape: int) -> Float[np.ndarray, "row ..."]:
    """Standard normal draws of the given shape, one set from each generator."""
    return np.stack([rng.standard_normal(shape) for rng in rngs])


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
