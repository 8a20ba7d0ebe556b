"""Leads and seeds: names, exact algebra, and draws that depend on what they are for."""

import numpy as np
import pytest

from ecglipse.errors import RecordError
from ecglipse.leads import DOWER, EXPANSION, INVERSE_DOWER, LEADS, canonical, einthoven_error
from ecglipse.seeding import derive, numpy_rng


def test_names_in_any_case_are_found() -> None:
    assert [canonical(name.upper()) for name in LEADS] == list(LEADS)
    assert canonical(" avr ") == "aVR"


def test_unknown_lead_is_refused_with_a_suggestion() -> None:
    with pytest.raises(
        RecordError, match=r"lead name 'aVX' is not one of the twelve; did you mean 'aV"
    ) as caught:
        canonical("aVX")
    assert caught.value.reason == "lead-name"


def test_expansion_gives_leads_that_obey_the_algebra() -> None:
    eight = np.random.default_rng(0).standard_normal((8, 50))
    twelve = EXPANSION @ eight
    assert einthoven_error(twelve) < 1e-12
    assert np.array_equal(twelve[[0, 1, 6, 7, 8, 9, 10, 11]], eight)
    twelve[2, 7] += 0.1
    assert einthoven_error(twelve) == pytest.approx(0.1)


def test_dower_is_a_right_inverse() -> None:
    np.testing.assert_allclose(INVERSE_DOWER @ DOWER, np.eye(3), atol=1e-12)


def test_seeds_depend_on_every_part_of_their_path() -> None:
    seeds = [derive(0), derive(1), derive(0, "a"), derive(0, "a", 1), derive(0, "a", "1"), derive(0, "a1")]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_generators_repeat() -> None:
    assert numpy_rng(3, "x").random() == numpy_rng(3, "x").random()
    assert numpy_rng(3, "x").random() != numpy_rng(3, "y").random()
