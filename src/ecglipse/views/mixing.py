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
from ecglipse.views.parts import Change

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


def add_noise(noise: Noise, size: Float[Tensor, " batch source 1"], leads: Mixing) -> Change:
    """Add noise of its sources to the leads: x + M (size * noise).

    Args:
        noise: one waveform a source.
        size: factor on the noise, mV.
        leads: way from sources to leads.
    """
    if leads in ("each", "common"):
        return lambda x, records: x.addcmul_(noise(records).to(x.dtype), size[records].to(x.dtype))
    weights = _matrix(leads, size.device) * size.transpose(1, 2)
    return lambda x, records: x.baddbmm_(weights[records].to(x.dtype), noise(records).to(x.dtype))


def add_waves(
    weights: Float[Tensor, "batch source wave"], waves: Float[Tensor, "batch wave time"], leads: Mixing
) -> Change:
    """Add the same few waves to the leads, weighted source by source: x + M weights waves."""
    if leads == "common":
        one = weights @ waves
        return lambda x, records: x.add_(one[records])
    mixed = _matrix(leads, weights.device) @ weights
    if waves.shape[1] == 1:
        return lambda x, records: x.addcmul_(waves[records].to(x.dtype), mixed[records].to(x.dtype))
    return lambda x, records: x.baddbmm_(mixed[records].to(x.dtype), waves[records].to(x.dtype))


@functools.lru_cache(maxsize=16)
def _matrix(leads: Mixing, device: torch.device) -> Float[Tensor, "12 _"]:
    return torch.as_tensor(MATRICES[leads], dtype=torch.float32, device=device)
