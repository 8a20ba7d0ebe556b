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


def test_what_the_new_rate_cannot_hold_is_gone() -> None:
    """150 Hz at 500 Hz would fold to 50 Hz at 100 Hz; taking every fifth sample shows that it would."""
    fast = sine(140.0, 500.0)
    kept = resample(fast, 500.0, 100.0)[0, 50:-50]
    assert np.abs(kept).max() < 0.01
    assert np.abs(fast[0, ::5]).max() > 0.5


@pytest.mark.parametrize("hz", [1.0, 10.0, 35.0])
def test_what_it_can_hold_is_kept(hz: float) -> None:
    kept = resample(sine(hz, 500.0), 500.0, 100.0)
    np.testing.assert_allclose(kept[0, 50:-50], sine(hz, 100.0)[0, 50:-50], atol=0.02)


def test_offsets_and_drifts_are_exact_to_the_edges() -> None:
    line = (3.0 + 0.5 * np.arange(5000) / 5000)[None].astype(np.float32)
    np.testing.assert_allclose(resample(line, 500.0, 100.0)[0], line[0, ::5], atol=2e-3)
    level = np.full((1, 5000), 2.5, dtype=np.float32)
    np.testing.assert_allclose(resample(level, 500.0, 100.0), 2.5, rtol=1e-6)


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
