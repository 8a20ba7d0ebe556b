"""The gate: each fault is refused with its reason and lead, sound recordings pass."""

from pathlib import Path

import numpy as np
import pytest

from ecglipse.corpora import get
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.quality import Limits, check


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    (record,) = simulate(1, fs=500.0, seed=2)
    return record.signal


def with_nan(x: np.ndarray) -> np.ndarray:
    x[4, 100:150] = np.nan
    return x


def with_flat_lead(x: np.ndarray) -> np.ndarray:
    x[7] = 0.3
    return x


def clipped(x: np.ndarray) -> np.ndarray:
    x[1, 1000:1200] = 4.0
    return x


FAULTS = {
    "not-finite": (with_nan, "lead aVL: 0.1% of the recording"),
    "flat-lead": (with_flat_lead, "lead V2: constant"),
    "saturated": (clipped, "lead II: stays at its extreme for 0.40 s"),
    "amplitude": (lambda x: x * 1000, "not a heart's voltage"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_is_refused_with_its_reason(reason: str, sound: np.ndarray) -> None:
    spoil, words = FAULTS[reason]
    check(sound, 500.0, LEADS)
    with pytest.raises(RecordError) as caught:
        check(spoil(sound.copy()), 500.0, LEADS)
    assert caught.value.reason == reason
    assert words in str(caught.value)


def test_volts_read_as_millivolts_are_refused(sound: np.ndarray) -> None:
    with pytest.raises(RecordError, match="the unit in the header may be wrong"):
        check(sound / 1000, 500.0, LEADS)


def test_limits_can_be_moved(sound: np.ndarray) -> None:
    check(clipped(sound.copy()), 500.0, LEADS, limits=Limits(saturated_s=1.0))


def test_a_short_stay_at_the_extreme_is_no_fault(sound: np.ndarray) -> None:
    x = sound.copy()
    x[1, 1000:1040] = 4.0
    check(x, 500.0, LEADS)


@pytest.mark.parametrize(
    ("corpus", "folder", "every", "refused"), [("ptbxl", "ptbxl", 20, 0), ("ludb", "ludb", 10, 0)]
)
def test_real_recordings_pass(pack: Path, corpus: str, folder: str, every: int, refused: int) -> None:
    found = 0
    for entry in get(corpus).entries(pack / folder)[::every]:
        record = entry.load()
        try:
            check(record.signal, record.fs, record.leads)
        except RecordError:
            found += 1
    assert found == refused


def test_the_constant_leads_of_ningbo_are_found(pack: Path) -> None:
    reasons = []
    for entry in get("cinc").entries(pack / "cinc2021" / "ningbo"):
        record = entry.load()
        try:
            check(record.signal, record.fs, record.leads)
        except RecordError as error:
            reasons.append(error.reason)
    assert reasons == ["flat-lead"] * 6
