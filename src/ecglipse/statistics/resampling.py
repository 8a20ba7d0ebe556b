"""What a bootstrap replicate is made of: patients by label pattern, pretraining seeds, label draws."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from ecglipse.seeding import derive, numpy_rng

SMALLEST_STRATUM = 10
"""Patients in a stratum, at least: m of them resampled among themselves give (m - 1) / m of the variance."""


@dataclass(frozen=True)
class Resampling:
    """The replicates of one test set, shared by all methods: that is what makes a comparison paired.

    Args:
        weights: how often each record is in each replicate; from `resample_patients`.
        seed: names the draws of seeds and label draws; equal numbers of them are resampled alike.
    """

    weights: Integer[np.ndarray, "replicate record"]
    seed: int

    def deviations(
        self, n_seeds: int, n_draws: int
    ) -> tuple[Float[np.ndarray, "replicate seed"], Float[np.ndarray, "replicate draw"]]:
        """How much more, or less, than its equal share each seed and each label draw weighs in a replicate.

        Of n seeds with results x, weighed by (g - mean g) / sqrt(n (n - 1)), g standard normal, the sum is
        normal with variance s^2(x) / n: what the mean of n seeds has, without bias. Choosing n of n again
        would give (n - 1) / n of it, and a distribution of few points. One seed (or draw) has no deviation:
        the interval then says nothing about how results vary with it. Crossed: a label draw is the same
        subset of records under every seed, so both deviate on their own.
        """
        n = len(self.weights)
        return _deviations(numpy_rng(self.seed, "seeds", n_seeds), n, n_seeds), _deviations(
            numpy_rng(self.seed, "draws", n_draws), n, n_draws
        )


def resample(
    truth: Integer[np.ndarray, "record class"],
    patients: Integer[np.ndarray, " record"],
    *,
    replicates: int,
    seed: int,
) -> Resampling:
    """Make the replicates of one test set, once, for all methods that are compared on it.

    Args:
        truth: 0 or 1.
        patients: equal numbers for records of one patient.
        replicates: of the bootstrap.
        seed: equal seeds give equal replicates.
    """
    rng = numpy_rng(seed, "patients")
    weights = resample_patients(truth, patients, draws=replicates, rng=rng)
    return Resampling(weights=weights, seed=derive(seed, "runs"))


def resample_patients(
    truth: Integer[np.ndarray, "record class"],
    patients: Integer[np.ndarray, " record"],
    *,
    draws: int,
    rng: np.random.Generator,
) -> Integer[np.ndarray, "draws record"]:
    """Bootstrap over patients, stratified by label pattern: how often each record is in each draw.

    A patient is chosen with all records. Patients are resampled among those with the same pattern, which
    is what any record of theirs is positive for; so each draw has as many patients of each pattern as the
    test set. Patterns rarer than `SMALLEST_STRATUM` patients are pooled, from the rarest up, until the
    pool has as many; there, the number of positives of a class may vary, even to none.

    Args:
        truth: 0 or 1.
        patients: equal numbers for records of one patient.
        draws: bootstrap draws.
        rng: draws the patients.

    Returns:
        Counts, int32. With one record a patient, every draw's weights sum to the number of records.

    Raises:
        ValueError: if there is no record, no draw, or the lengths differ.
    """
    if len(truth) != len(patients):
        raise ValueError(
            f"`truth` and `patients` must be of one length; got {len(truth)} and {len(patients)}"
        )
    if len(patients) == 0 or draws < 1:
        raise ValueError(f"at least one record and one draw are needed; got {len(patients)} and {draws}")
    _, owner = np.unique(patients, return_inverse=True)
    n_patients = int(owner.max()) + 1
    pattern = np.zeros((n_patients, truth.shape[1]), dtype=np.uint8)
    np.maximum.at(pattern, owner, truth.astype(np.uint8))
    _, stratum = np.unique(pattern, axis=0, return_inverse=True)
    stratum = _pool(stratum.reshape(-1))
    weights = np.zeros((draws, n_patients), dtype=np.int32)
    for label in np.unique(stratum):
        members = np.flatnonzero(stratum == label)
        weights[:, members] = rng.multinomial(members.size, np.full(members.size, 1 / members.size), draws)
    return np.asarray(weights[:, owner])


def _pool(stratum: Integer[np.ndarray, " patient"]) -> Integer[np.ndarray, " patient"]:
    """Merge rare strata, from the rarest up, until the merged one and all others are large enough."""
    labels, counts = np.unique(stratum, return_counts=True)
    by_size = np.argsort(counts, kind="stable")
    pooled: list[int] = []
    members = 0
    for label, count in zip(labels[by_size], counts[by_size], strict=True):
        if count >= SMALLEST_STRATUM and (not pooled or members >= SMALLEST_STRATUM):
            break
        pooled.append(int(label))
        members += int(count)
    return np.where(np.isin(stratum, pooled), -1, stratum)


def _deviations(rng: np.random.Generator, replicates: int, n: int) -> Float[np.ndarray, "replicate n"]:
    """See `Resampling.deviations`."""
    if n == 1:
        return np.zeros((replicates, 1))
    drawn = rng.standard_normal((replicates, n))
    return np.asarray((drawn - drawn.mean(axis=1, keepdims=True)) / np.sqrt(n * (n - 1)))
