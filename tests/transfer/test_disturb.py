"""Disturbances: their size, their algebra, and that every method meets the same ones."""

import numpy as np
import pytest

from ecglipse.leads import EXPANSION, LEADS, einthoven_error
from ecglipse.seeding import numpy_rng
from ecglipse.transfer.disturb import KEPT, LADDER, SNR_DB, disturbed, possible

ROWS = np.array([7, 3, 11])


def signals() -> np.ndarray:
    """Three recordings of 10 s at 100 Hz, smooth, with the leads' algebra."""
    rng = numpy_rng(0, "test")
    t = np.arange(1000) / 100
    waves = np.stack([np.sin(2 * np.pi * (k + 1) * t + rng.random()) for k in range(8)])
    mixed = rng.standard_normal((3, 8, 8)) @ waves
    return (EXPANSION @ mixed).astype(np.float32)


def under(name: str, x: np.ndarray, rows: np.ndarray = ROWS) -> np.ndarray:
    return disturbed(x, name, rows=rows, fs=100.0, leads=LEADS)


@pytest.mark.parametrize("name", LADDER)
def test_a_disturbance_keeps_the_shape_the_input_and_the_leads_algebra(name: str) -> None:
    x = signals()
    before = x.copy()
    found = under(name, x)
    assert found.shape == x.shape
    assert found.dtype == np.float32
    assert np.array_equal(x, before)
    if name not in KEPT:
        assert einthoven_error(found).max() < 1e-3


@pytest.mark.parametrize(("name", "db"), SNR_DB.items())
def test_noise_has_the_power_it_says(name: str, db: float) -> None:
    x = signals()
    noise = under(name, x).astype(np.float64) - x
    ratio = x.var(axis=-1).mean(axis=-1) / noise.var(axis=-1).mean(axis=-1)
    assert 10 * np.log10(ratio) == pytest.approx(np.full(3, db), abs=0.01)


def test_noise_is_the_records_own_whatever_the_batch() -> None:
    x = signals()
    whole = under("noise, 5 dB", x)
    assert np.array_equal(under("noise, 5 dB", x[1:2], ROWS[1:2])[0], whole[1])
    assert not np.allclose(under("noise, 5 dB", x, ROWS + 1), whole)


def test_arms_swapped_is_what_swapped_arms_give() -> None:
    """From electrode potentials: with RA and LA changed, all six limb leads follow."""
    ra, la, ll = numpy_rng(1, "electrodes").standard_normal((3, 1, 50))

    def limb(ra: np.ndarray, la: np.ndarray, ll: np.ndarray) -> np.ndarray:
        leads = [la - ra, ll - ra, ll - la, ra - (la + ll) / 2, la - (ra + ll) / 2, ll - (ra + la) / 2]
        return np.stack([*leads, *[np.zeros_like(ra)] * 6], axis=1).astype(np.float32)

    assert under("arms swapped", limb(ra, la, ll), ROWS[:1]) == pytest.approx(limb(la, ra, ll), abs=1e-5)


def test_lost_leads_are_zero_and_the_rest_as_they_were() -> None:
    x = signals()
    found = under("I and II only", x)
    assert np.array_equal(found[:, :2], x[:, :2])
    assert not found[:, 2:].any()


def test_a_faster_recorder_changes_next_to_nothing() -> None:
    x = signals()
    assert np.array_equal(under("recorded at 100 Hz", x), x)
    middle = slice(50, -50)
    assert under("recorded at 500 Hz", x)[..., middle] == pytest.approx(x[..., middle], abs=0.02)
    slow = disturbed(x, "recorded at 100 Hz", rows=ROWS, fs=500.0, leads=LEADS)
    assert not np.allclose(slow, x, atol=0.02)


def test_few_leads_have_few_disturbances() -> None:
    assert possible(LEADS) == LADDER
    two = possible(("I", "II"))
    assert "I only" in two
    assert not {"I and II only", "limb leads only", "arms swapped", "V1 and V2 swapped"} & set(two)
    with pytest.raises(ValueError, match="must be one of"):
        under("earthquake", signals())
