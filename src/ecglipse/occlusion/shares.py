"""How much of each band masks hide, against random masks of the same coverage. Pure NumPy.

Circular shifts keep how much of a band is hidden, so that `enrichment.py` cannot see it. Random cells of the
same coverage hide that share of every band, exactly, on average. With d_i the sum over patient i's records of
share - coverage, random cells give d a mean of 0, which a one-sample t-test over patients looks at.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ecglipse.seeding import numpy_rng
from ecglipse.statistics import holm, interval, resample_patients


@dataclass(frozen=True)
class BandShare:
    """How much of one band is hidden.

    Args:
        band: its name.
        low_hz: lower edge, Hz.
        high_hz: upper edge, Hz.
        bins: frequencies of the transform in it.
        hidden: share of the band that is hidden, mean over records.
        low: lower end of its 95 % interval, bootstrap over patients.
        high: upper end.
        chance: the same of random masks: their coverage.
        p_value: two-sided, against chance.
        p_holm: adjusted over the bands.
    """

    band: str
    low_hz: float
    high_hz: float
    bins: int
    hidden: float
    low: float
    high: float
    chance: float
    p_value: float
    p_holm: float


def band_names(edges_hz: Sequence[float]) -> tuple[str, ...]:
    """Name the bands between these edges, as "1–1.7 Hz": two digits, or whole numbers from 10 on."""
    said = [f"{edge:.0f}" if edge >= 9.95 else f"{edge:.2g}" for edge in edges_hz]
    return tuple(f"{low}–{high} Hz" for low, high in itertools.pairwise(said))


def band_shares(
    shares: Float[np.ndarray, "record band"],
    patients: Int[np.ndarray, " record"],
    *,
    edges_hz: Sequence[float],
    bins: Sequence[int],
    coverage: float,
    replicates: int = 2000,
    seed: int = 0,
) -> tuple[BandShare, ...]:
    """Give each band's share with its interval, and whether it departs from the coverage.

    Args:
        shares: of each band that is hidden in a record, mean over draws.
        patients: code of each record's patient.
        edges_hz: of the bands, one more than there are bands.
        bins: frequencies of the transform in each band.
        coverage: what random masks hide of every band.
        replicates: of the bootstrap.
        seed: of the bootstrap.
    """
    rng = numpy_rng(seed, "bootstrap", "bands")
    stratum = np.zeros((len(patients), 1), dtype=np.int64)
    weights = np.asarray(resample_patients(stratum, patients, draws=replicates, rng=rng), dtype=np.float64)
    again = (weights @ shares) / weights.sum(axis=1, keepdims=True)
    p_values = np.array([_p_value(column - coverage, patients) for column in shares.T])
    adjusted, found = holm(p_values), []
    for n, name in enumerate(band_names(edges_hz)):
        low, high = interval(again[:, n])
        found.append(
            BandShare(
                name,
                float(edges_hz[n]),
                float(edges_hz[n + 1]),
                int(bins[n]),
                float(shares[:, n].mean()),
                low,
                high,
                coverage,
                float(p_values[n]),
                float(adjusted[n]),
            )
        )
    return tuple(found)


def _p_value(departures: Float[np.ndarray, " record"], patients: Int[np.ndarray, " record"]) -> float:
    """Of the mean departure; patients are independent, records of one are not. NaN of a single patient."""
    from scipy.stats import t as student

    _, code = np.unique(patients, return_inverse=True)
    sums = np.bincount(code, weights=departures)
    if len(sums) < 2:
        return float("nan")
    error = max(float(sums.std(ddof=1)) / len(sums) ** 0.5, 1e-9)  # equal sums: rounding is no departure
    return float(2 * student.sf(abs(float(sums.mean())) / error, len(sums) - 1))
