"""Do two mask networks hide the same places of the same records? Pure NumPy.

Each record's map (share of draws in which a sample is hidden) of one run is compared with another run's:
rank correlation, and cosine of the maps less their means. Three levels tell what the number is worth: the
run against itself (other draws: the most that two runs can reach), against another record's map of the other
run (what needs no look at the record), and random masks against random masks.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ecglipse.seeding import numpy_rng
from ecglipse.statistics import interval, resample_patients


@dataclass(frozen=True)
class Stability:
    """Agreement of the masks of two runs, a mean over records with its 95 % interval.

    Args:
        other: name of the other run, or of a level that agreement is held against.
        records: compared.
        rank_correlation: Spearman's, over leads and samples of a record.
        rank_low: lower end of its interval, bootstrap over patients.
        rank_high: upper end.
        cosine: of the maps less their means.
        cosine_low: lower end.
        cosine_high: upper end.
        p_value: of the cosine, two-sided, by circular shifts of the other run's maps.
    """

    other: str
    records: int
    rank_correlation: float
    rank_low: float
    rank_high: float
    cosine: float
    cosine_low: float
    cosine_high: float
    p_value: float


def stability(
    ours: Float[np.ndarray, "record lead time"],
    theirs: Float[np.ndarray, "record lead time"],
    *,
    other: str,
    patients: Int[np.ndarray, " record"],
    segments: int,
    shifts: int = 999,
    replicates: int = 2000,
    seed: int = 0,
) -> Stability:
    """Compare the maps of two runs, record by record.

    A map that is the same everywhere has no ranks: its record counts with agreement 0.

    Args:
        ours: share of draws in which each sample was hidden, by one run.
        theirs: by the other run, of the same records.
        other: its name.
        patients: code of each record's patient.
        segments: of a record in the masks of both: maps are shifted by whole segments, because two random
            masks of one grid overlap in whole segments or not at all.
        shifts: of the null distribution.
        replicates: of the bootstrap.
        seed: of both.
    """
    ranks = np.array([_cosine(_ranked(a), _ranked(b)) for a, b in zip(ours, theirs, strict=True)])
    grid = np.round(np.arange(segments) * ours.shape[-1] / segments).astype(int)
    over_shifts = np.stack([_shifted_cosines(a, b)[grid] for a, b in zip(ours, theirs, strict=True)])
    rng = numpy_rng(seed, "stability", "shifts")
    places = rng.integers(over_shifts.shape[1], size=(shifts, len(ours)))
    null = over_shifts[np.arange(len(ours)), places].mean(axis=1)
    cosines, centre = over_shifts[:, 0], over_shifts.mean()
    far = abs(cosines.mean() - centre) - 1e-9
    p_value = float((1 + (np.abs(null - centre) >= far).sum()) / (1 + shifts))
    weights = resample_patients(
        np.zeros((len(ours), 1), dtype=np.int64),
        patients,
        draws=replicates,
        rng=numpy_rng(seed, "stability", "bootstrap"),
    )
    rank_low, rank_high = interval((weights @ ranks) / weights.sum(axis=1))
    low, high = interval((weights @ cosines) / weights.sum(axis=1))
    return Stability(
        other, len(ours), float(ranks.mean()), rank_low, rank_high, float(cosines.mean()), low, high, p_value
    )


def _ranked(x: Float[np.ndarray, "lead time"]) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(x.reshape(-1)))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of two vectors less their means; 0 where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 1e-12 else 0.0


def _shifted_cosines(
    a: Float[np.ndarray, "lead time"], b: Float[np.ndarray, "lead time"]
) -> Float[np.ndarray, " time"]:
    """Cosine of two maps less their means, under every circular shift of the second in time."""
    a, b = (x.astype(np.float64) - x.mean(dtype=np.float64) for x in (a, b))
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    if size <= 1e-12:
        return np.zeros(a.shape[1])
    spectrum = (np.fft.rfft(a) * np.conj(np.fft.rfft(b))).sum(axis=0)
    return np.asarray(np.fft.irfft(spectrum, n=a.shape[1]) / size)
