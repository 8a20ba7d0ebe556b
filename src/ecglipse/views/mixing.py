"""How noise gets from its sources to the leads: one matrix for each way, for any leads in any order.

| name | sources | lead algebra of what is added |
|---|---|---|
| independent | the eight independent leads | kept: III, aVR, aVL and aVF follow |
| electrodes | nine electrodes (RA, LA, LL, V1..V6) | kept: each lead is a difference of potentials |
| each | each lead alone | broken |
| common | one for all leads | broken: III is not II - I |
"""

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.leads import EXPANSION, LEADS
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


@dataclass(frozen=True)
class Way:
    """A way into certain leads.

    Args:
        leads: where noise comes in.
        names: of the leads of the signals, in their order.
    """

    leads: Mixing
    names: tuple[str, ...]

    @functools.cached_property
    def matrix(self) -> Float[np.ndarray, "lead source"]:
        """Maps the sources that these leads see to them."""
        if self.leads == "each":
            return np.eye(len(self.names))
        rows = MATRICES[self.leads][[LEADS.index(name) for name in self.names]]
        return np.asarray(rows[:, rows.any(axis=0)])

    @property
    def sources(self) -> int:
        """How many there are."""
        return int(self.matrix.shape[1])

    def add_noise(self, noise: Noise, size: Float[Tensor, "batch source 1"]) -> Linear:
        """Add noise of its sources to the leads: x + M (size * noise).

        Args:
            noise: one waveform a source.
            size: factor on the noise, mV.
        """
        weights = size * noise.mix
        return self.add_sources(weights, noise.write) if noise.apart else self.add_waves(weights, noise.write)

    def add_sources(self, size: Float[Tensor, "batch _ 1"], rows: Rows) -> Linear:
        """Add what the sources give, a row each, to the leads: x + M (size * rows)."""
        if self.leads == "each":
            return Linear(None, (Term(size.expand(-1, self.sources, -1), rows, apart=True),))
        return Linear(None, (Term(self._on(size.device) * size.transpose(1, 2), rows),))

    def add_waves(self, weights: Float[Tensor, "batch source wave"], waves: Rows) -> Linear:
        """Add the same few waves to the leads, weighted source by source: x + M weights waves."""
        if self.leads == "each":
            return Linear(None, (Term(weights, waves),))
        if self.leads == "common":
            return Linear(None, (Term(weights.expand(-1, len(self.names), -1), waves),))
        return Linear(None, (Term(self._on(weights.device) @ weights, waves),))

    def _on(self, device: torch.device) -> Float[Tensor, "lead source"]:
        return _tensor(self.leads, self.names, device)


@functools.lru_cache(maxsize=64)
def way(leads: Mixing, names: tuple[str, ...]) -> Way:
    """Give the way of this name into these leads, made once."""
    return Way(leads, names)


@functools.lru_cache(maxsize=64)
def _tensor(leads: Mixing, names: tuple[str, ...], device: torch.device) -> Float[Tensor, "lead source"]:
    return torch.as_tensor(way(leads, names).matrix, dtype=torch.float32, device=device)
