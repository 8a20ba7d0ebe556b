"""Leads that beat together, and what it says of quality: against graders, and where it must not matter."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecglipse.corpora import get
from ecglipse.corpora.simulator import simulate
from ecglipse.quality import badness, beat_agreement


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    (record,) = simulate(1, fs=500.0, seed=2)
    return record.signal


def test_gain_offset_and_polarity_of_a_lead_do_not_matter(sound: np.ndarray) -> None:
    changed = sound * np.linspace(-3, 3, 12, dtype=np.float32)[:, None] + 5
    np.testing.assert_allclose(beat_agreement(changed, 500.0), beat_agreement(sound, 500.0), atol=1e-4)


def test_a_lead_of_its_own_stands_out_alone(sound: np.ndarray) -> None:
    spoilt = sound.copy()
    spoilt[9] = np.random.default_rng(0).normal(size=sound.shape[1]) * sound[9].std()
    agreement = beat_agreement(spoilt, 500.0)
    assert agreement.argmin() == 9
    assert agreement[9] < 0.2 < 0.5 < np.delete(agreement, 9).min()


def test_silence_is_the_worst_and_gives_no_warning() -> None:
    assert badness(np.zeros((12, 1000), dtype=np.float32), 100.0) == 1.0
    assert badness(np.zeros((12, 3), dtype=np.float32), 100.0) == 1.0


def test_it_ranks_cinc2011_as_its_graders_did(pack: Path) -> None:
    """All 998 graded recordings; a random grade has 0.5."""
    records = [entry.load() for entry in get("cinc2011").entries(pack / "cinc2011")]
    graded = [record for record in records if record.codes != ("quality:?",)]
    assert len(graded) == 998
    bad = [record.codes == ("quality:II",) for record in graded]
    grade = [badness(record.signal, record.fs) for record in graded]
    assert roc_auc_score(bad, grade) > 0.96
    order = np.random.default_rng(0).permutation(len(bad))
    assert abs(roc_auc_score(np.array(bad)[order], grade) - 0.5) < 0.1
