"""Coverage, stretches and leads at once: by hand, and as laws of what does not matter."""

import numpy as np
import pytest

from ecglipse.occlusion import applied
from ecglipse.occlusion.applied import run_lengths


def test_by_hand() -> None:
    masks = np.zeros((1, 1, 2, 10))
    masks[0, 0, 0, 2:5] = 1  # three samples
    masks[0, 0, 1, 4:5] = masks[0, 0, 1, 9:] = 1  # one, and one at the end
    found = applied(masks, fs=10.0)
    assert (found.records, found.draws, found.coverage) == (1, 1, 0.25)
    assert found.run_mean_s == pytest.approx((0.3 + 0.1 + 0.1) / 3)
    assert found.run_s[1] == pytest.approx(0.1)
    assert found.leads_at_once == pytest.approx((0.5 + 0.5 + 1 + 0.5) / 4)


def test_stretches_add_up_to_what_is_hidden_and_are_the_same_backwards() -> None:
    hidden = np.random.default_rng(0).random((20, 300)) < 0.5
    lengths = run_lengths(hidden)
    assert lengths.sum() == hidden.sum()
    assert sorted(lengths) == sorted(run_lengths(hidden[:, ::-1]))


def test_one_mask_for_all_leads_is_the_same_as_its_copies() -> None:
    one = (np.random.default_rng(1).random((2, 3, 1, 200)) < 0.3).astype(np.float64)
    assert applied(one, fs=100.0) == applied(np.repeat(one, 12, axis=2), fs=100.0)
    assert applied(one, fs=100.0).leads_at_once == 1


def test_soft_masks_cover_by_their_mean_and_hide_above_half() -> None:
    found = applied(np.full((1, 1, 1, 50), 0.4), fs=100.0)
    assert found.coverage == pytest.approx(0.4)
    assert (found.run_mean_s, found.run_s, found.leads_at_once) == (None, (), None)
    assert applied(np.full((1, 1, 1, 50), 0.6), fs=100.0).run_mean_s == pytest.approx(0.5)
