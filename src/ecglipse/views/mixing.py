"""How noise gets from its sources to the twelve leads: one matrix for each way.

| name | sources | lead algebra of what is added |
|---|---|---|
| independent | the eight independent leads | kept: III, aVR, aVL and aVF follow |
| electrodes | nine electrodes (RA, LA, LL, V1..V6) | kept: each lead is a difference of potentials |
| each | each of the twelve leads alone | broken |
| common | one for all leads | broken: III is not II - I |
"""

import functools
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.leads import EXPANSION
from ecglipse.views.bank import Noise
from ecglipse.views.linear import Linear, Rows, Term

Mixing = Literal["independent", "electrodes", "each", "common"]

_INDEPENDENT_FROM_ELECTRODES = np.array(
    [
        [-1.0, 1.0, 0.0, *np.zeros(6)],
        [-1.0, 0.0, 1.0, *np.zeros(6)],
        *np.hstack([np.full((6, 3), -1 / 3), np.eye(6)]),
    ]
)
"""I = LA - RA, II = LL - RA, Vi = Vi - (RA + LA + LL) / 3 (Wilson's central terminal)."""

ELECTRODES: tuple[str, ...] = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
"""The nine electrodes whose potentials make the leads; RL is ground."""

FROM_ELECTRODES: Float[np.ndarray, "12 9"] = EXPANSION @ _INDEPENDENT_FROM_ELECTRODES
"""Maps the potentials of `ELECTRODES` to the twelve leads."""

MATRICES: dict[str, Float[np.ndarray, "12 _"]] = {
    "independent": EXPANSION,
    "electrodes": FROM_ELECTRODES,
    "each": np.eye(12),
    "common": np.ones((12, 1)),
}
"""Maps the sources of each way to the twelve leads."""


def sources(leads: Mixing) -> int:
    """Number of sources."""
    return int(MATRICES[leads].shape[1])


def add_noise(noise: Noise, size: Float[Tensor, "batch source 1"], leads: Mixing) -> Linear:
    """Add noise of its sources to the leads: x + M (size * noise).

    Args:
        noise: one waveform a source.
        size: factor on the noise, mV.
        leads: way from sources to leads.
    """
    weights = size * noise.mix
    return add_sources(weights, noise.write, leads) if noise.apart else add_waves(weights, noise.write, leads)


def add_sources(size: Float[Tensor, "batch _ 1"], rows: Rows, leads: Mixing) -> Linear:
    """Add what the sources give, a row each, to the leads: x + M (size * rows)."""
    if leads == "each":
        return Linear(None, (Term(size.expand(-1, sources(leads), -1), rows, apart=True),))
    return Linear(None, (Term(_matrix(leads, size.device) * size.transpose(1, 2), rows),))


def add_waves(weights: Float[Tensor, "batch source wave"], waves: Rows, leads: Mixing) -> Linear:
    """Add the same few waves to the leads, weighted source by source: x + M weights waves."""
    if leads == "each":
        return Linear(None, (Term(weights, waves),))
    if leads == "common":
        return Linear(None, (Term(weights.expand(-1, 12, -1), waves),))
    return Linear(None, (Term(_matrix(leads, weights.device) @ weights, waves),))


@functools.lru_cache(maxsize=16)
def _matrix(leads: Mixing, device: torch.device) -> Float[Tensor, "12 _"]:
    return torch.as_tensor(MATRICES[leads], dtype=torch.float32, device=device)
