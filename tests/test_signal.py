"""Resampling keeps what the new rate can hold, loses what it cannot, and leaves the edges alone."""

import numpy as np
import pytest

from ecglipse.signal import centre_window, resample


def sine(hz: float, fs: float, seconds: float = 10.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(fs * seconds)) / fs)[None].astype(np.float32)


@pytest.mark.parametrize("fs", [257.0, 360.0, 400.0, 500.0, 1000.0])
@pytest.mark.parametrize("to_fs", [100.0, 250.0, 500.0])
def test_length_follows_the_rates(fs: float, to_fs: float) -> None:
    changed = resample(sine(5.0, fs), fs, to_fs)
    assert changed.shape == (1, round(round(10 * fs) * to_fs / fs))
    assert changed.dtype == np.float32


def test_length_of_odd_recordings_is_rounded() -> None:
    for n in (1, 2, 3, 999, 5001, 5003):
        x = np.ones((2, n), dtype=np.float32)
        assert resample(x, 500.0, 100.0).shape == (2, round(n / 5))
        assert resample(x, 257.0, 100.0).shape == (2, round(n * 100 / 257))


@pytest.mark.parametrize(("hz", "folded"), [(70.0, 30.0), (120.0, 20.0), (140.0, 40.0), (150.0, 50.0)])
def test_what_the_new_rate_cannot_hold_is_gone(hz: float, folded: float) -> None:
    """Taking every fifth sample (negative control) shows that it would fold to a lower frequency."""
    fast = np.cos(2 * np.pi * hz * np.arange(5000) / 500)[None].astype(np.float32)
    naive = fast[0, ::5]
    np.testing.assert_allclose(naive, np.cos(2 * np.pi * folded * np.arange(1000) / 100), atol=1e-3)
    kept = resample(fast, 500.0, 100.0)[0, 50:-50]
    assert np.abs(kept).max() < 0.01 * np.abs(naive).max()


@pytest.mark.parametrize("hz", [1.0, 10.0, 25.0, 35.0, 40.0])
def test_what_it_can_hold_is_kept(hz: float) -> None:
    """Within 1 % up to 40 Hz, the upper limit of a monitoring electrocardiogram."""
    kept = resample(sine(hz, 500.0), 500.0, 100.0)
    np.testing.assert_allclose(kept[0, 50:-50], sine(hz, 100.0)[0, 50:-50], atol=0.01)


@pytest.mark.parametrize("fs", [100.0, 257.0, 360.0, 400.0, 500.0, 1000.0])
@pytest.mark.parametrize("to_fs", [100.0, 250.0, 500.0])
def test_offsets_and_drifts_are_exact_to_the_edges(fs: float, to_fs: float) -> None:
    """2e-5 is float32's rounding at 53 mV, the largest value; lengths are no multiples of the ratio."""
    level = np.full((1, 5001), 2.5, dtype=np.float32)
    np.testing.assert_allclose(resample(level, fs, to_fs), 2.5, rtol=1e-6)
    line = (3.0 + np.arange(5001) / fs)[None].astype(np.float32)
    changed = resample(line, fs, to_fs)
    np.testing.assert_allclose(changed[0], 3.0 + np.arange(changed.shape[1]) / to_fs, atol=2e-5)


def test_leads_do_not_mix() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 1000)).astype(np.float32)
    together = resample(x, 500.0, 100.0)
    for lead in range(3):
        np.testing.assert_allclose(together[lead], resample(x[lead : lead + 1], 500.0, 100.0)[0], atol=1e-6)


def test_resampling_is_linear() -> None:
    """So the exact relations between the limb leads survive it."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 1, 1001)).astype(np.float32)
    both = resample(2 * a - b, 360.0, 100.0)
    np.testing.assert_allclose(both, 2 * resample(a, 360.0, 100.0) - resample(b, 360.0, 100.0), atol=1e-5)


def test_equal_rates_change_nothing() -> None:
    x = sine(5.0, 100.0)
    assert resample(x, 100.0, 100.0) is x


def test_rates_that_are_no_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        resample(sine(5.0, 100.0), 0.0, 100.0)
    with pytest.raises(ValueError, match="ratio of integers"):
        resample(sine(5.0, 100.0), 1e9, 1.0)


def test_window_is_the_middle() -> None:
    x = np.arange(11.0)[None]
    window, start = centre_window(x, 5)
    assert (window[0].tolist(), start) == ([3, 4, 5, 6, 7], 3)
    with pytest.raises(ValueError, match="at least 12 samples; got 11"):
        centre_window(x, 12)
