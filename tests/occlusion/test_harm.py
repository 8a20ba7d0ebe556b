"""What hiding costs: nothing where scores are equal, with its sign where not, over fair classes alone."""

from typing import Any

import numpy as np
import pytest

from ecglipse.metrics.ranking import auroc
from ecglipse.occlusion import Arm, arms


def scored(*, learned: float, random: float) -> tuple[tuple[Arm, ...], Any, Any, dict[str, Any]]:
    """Two classes of 60 records, a third of 3; scores are truth with noise that depends on the arm."""
    rng = np.random.default_rng(0)
    truth = np.zeros((120, 3), np.uint8)
    truth[:60, 0], truth[60:, 1], truth[:3, 2] = 1, 1, 1
    noise = rng.normal(0, 1, (2, 120, 3))
    scores = {
        "none": truth + 0.3 * noise,
        "learned": truth + learned * noise,
        "random": truth + random * noise,
    }
    found, keep = arms(scores, truth, np.arange(120), replicates=400)
    return found, keep, truth, scores


def test_equal_scores_cost_nothing() -> None:
    found, _, _, _ = scored(learned=0.5, random=0.5)
    none, learned, random = found
    assert random.extra_loss == 0
    assert random.p_value == 1
    assert np.isnan(learned.p_value)
    assert none.extra_loss > 0


def test_what_learned_masks_cost_more_is_found_with_its_sign() -> None:
    (_, _, more), *_ = scored(learned=2.0, random=0.5)
    assert more.extra_low > 0
    assert more.p_value < 0.02
    (_, _, less), *_ = scored(learned=0.5, random=2.0)
    assert less.extra_high < 0


def test_the_average_is_over_classes_with_enough_records() -> None:
    found, keep, truth, scores = scored(learned=1.0, random=1.0)
    assert keep.tolist() == [True, True, False]
    by_hand = np.mean([auroc(truth[:, k], scores["learned"][d, :, k]) for d in range(2) for k in range(2)])
    assert found[1].auroc == pytest.approx(by_hand)


def test_the_learned_arm_is_needed() -> None:
    with pytest.raises(ValueError, match="'learned'; got none"):
        arms({"none": np.zeros((1, 2, 1))}, np.array([[0], [1]], np.uint8), np.arange(2))
