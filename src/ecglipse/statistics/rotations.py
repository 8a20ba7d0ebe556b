"""Several test sets of one task: who is tested in more than one of them, and patients resampled once."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Integer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecglipse.statistics.resampling import resample_patients


def people(
    rows: Sequence[Integer[np.ndarray, " _"]], patients: Sequence[Integer[np.ndarray, " _"]]
) -> list[Integer[np.ndarray, " _"]]:
    """Number the patients of several test sets through: who shares a record is one person.

    Args:
        rows: of each test set, by record: its row in the store.
        patients: likewise: equal numbers for records of one patient, within the set alone.

    Returns:
        Of each test set, by record: the person's number, the same in all sets.
    """
    codes = [np.unique(one, return_inverse=True)[1] for one in patients]
    starts = np.cumsum([0, *(int(one.max()) + 1 for one in codes)])
    patient = np.concatenate([one + start for one, start in zip(codes, starts[:-1], strict=True)])
    _, record = np.unique(np.concatenate(list(rows)), return_inverse=True)
    size = int(starts[-1] + record.max() + 1)
    links = coo_array((np.ones(len(record)), (patient, starts[-1] + record)), shape=(size, size))
    _, person = connected_components(links, directed=False)
    return np.split(person[patient], _ends(rows))


def sharing(owners: Sequence[Integer[np.ndarray, " _"]]) -> list[list[int]]:
    """Group test sets, given as `people` gives them: sets that share a person are together."""
    pairs = [(a, b) for a, b in combinations(range(len(owners)), 2) if np.isin(owners[a], owners[b]).any()]
    links = np.zeros((len(owners), len(owners)))
    for pair in pairs:
        links[pair] = 1
    _, group = connected_components(links, directed=False)
    return [np.flatnonzero(group == g).tolist() for g in dict.fromkeys(group.tolist())]


def resample_rotations(
    truth: Sequence[Integer[np.ndarray, "_ class"]],
    owners: Sequence[Integer[np.ndarray, " _"]],
    *,
    draws: int,
    rngs: Sequence[np.random.Generator],
) -> list[Integer[np.ndarray, "draws _"]]:
    """Bootstrap over the people of several test sets: whoever is tested twice is drawn as one.

    Sets that share nobody are resampled each on its own, by `resample_patients`. Those that share people
    are resampled together: a mean over them would else look surer than it is, as if the second reading of
    a patient were another patient.

    Args:
        truth: of each test set, 0 or 1.
        owners: likewise, by record; from `people`.
        draws: bootstrap draws.
        rngs: one a test set; of sets resampled together, the first one's is used.

    Returns:
        Of each test set, how often each record is in each draw.
    """
    found: dict[int, Integer[np.ndarray, "draws _"]] = {}
    for group in sharing(owners):
        of_all = [np.concatenate([some[k] for k in group]) for some in (truth, owners)]
        weights = resample_patients(of_all[0], of_all[1], draws=draws, rng=rngs[group[0]])
        parts = np.split(weights, _ends([owners[k] for k in group]), axis=1)
        found |= dict(zip(group, parts, strict=True))
    return [found[k] for k in range(len(owners))]


def _ends(parts: Sequence[Integer[np.ndarray, " _"]]) -> list[int]:
    """Where all but the last of several arrays end, one after the other."""
    return [int(end) for end in np.cumsum([len(one) for one in parts])[:-1]]
