"""The gate: each fault is refused with its reason and lead, sound recordings pass."""

from pathlib import Path

import numpy as np
import pytest

from ecglipse.corpora import get
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.quality import REASONS, Limits, check, findings


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


def reasons(signal: np.ndarray, fs: float = 500.0, **limits: object) -> list[str]:
    return [finding.reason for finding in findings(signal, fs, LEADS, limits=Limits(**limits))]


def coded(x: np.ndarray) -> np.ndarray:
    x[5, [10, 700, 2000]] = -32.768
    return x


def stuck(x: np.ndarray) -> np.ndarray:
    x[8, 1000:1700] = x[8, 1000]
    return x


def cut_off(x: np.ndarray) -> np.ndarray:
    x[1] *= 6
    return np.clip(x, np.percentile(x, 1.2), np.percentile(x, 98.8))


def renamed(x: np.ndarray) -> np.ndarray:
    return x[[1, 0, 2, 3, 4, 5, *range(6, 12)]]


def arms_exchanged(x: np.ndarray) -> np.ndarray:
    return np.concatenate([-x[[0]], x[[2, 1, 4, 3, 5]], x[6:]])


def loose(x: np.ndarray) -> np.ndarray:
    x[6:10] = np.random.default_rng(0).normal(size=(4, x.shape[1])).cumsum(axis=1) * 0.05
    return x


FLAGS = {
    "sentinel": coded,
    "stuck": stuck,
    "clipped": cut_off,
    "lead-algebra": renamed,
    "reversed-arms": arms_exchanged,
    "noisy": loose,
}


@pytest.mark.parametrize("reason", FLAGS)
def test_each_finding_is_found_where_it_was_planted_and_not_before(reason: str, sound: np.ndarray) -> None:
    assert reasons(sound) == []
    assert reason in reasons(FLAGS[reason](sound.copy()))


def test_a_flag_becomes_a_refusal_when_asked(sound: np.ndarray) -> None:
    spoilt = loose(sound.copy())
    assert [flag.reason for flag in check(spoilt, 500.0, LEADS)] == ["noisy"]
    with pytest.raises(RecordError, match="do not beat together") as caught:
        check(spoilt, 500.0, LEADS, limits=Limits(reject=("noisy",)))
    assert caught.value.reason == "noisy"


def test_all_reasons_are_documented_and_planted_by_some_test() -> None:
    assert set(REASONS) == set(FLAGS) | set(FAULTS)


def test_exchanged_arms_of_real_recordings_are_found(pack: Path) -> None:
    """By exchanging them: at least nine of ten are found, and fewer than one in fifty as they are."""
    signals = [entry.load().signal for entry in get("ptbxl").entries(pack / "ptbxl")[::20]]
    before = sum("reversed-arms" in reasons(x, 100.0) for x in signals)
    after = sum("reversed-arms" in reasons(arms_exchanged(x), 100.0) for x in signals)
    assert before < len(signals) / 50
    assert after > 0.9 * len(signals)


def test_volts_read_as_millivolts_are_refused(sound: np.ndarray) -> None:
    with pytest.raises(RecordError, match="the unit in the header may be wrong"):
        check(sound / 1000, 500.0, LEADS)


def test_limits_can_be_moved(sound: np.ndarray) -> None:
    check(clipped(sound.copy()), 500.0, LEADS, limits=Limits(saturated_s=1.0))


def test_a_short_stay_at_the_extreme_is_no_fault(sound: np.ndarray) -> None:
    x = sound.copy()
    x[1, 1000:1040] = 4.0
    check(x, 500.0, LEADS)


def test_a_lead_of_one_step_of_the_converter_is_flat(sound: np.ndarray) -> None:
    x = sound.copy()
    x[3] = np.where(np.arange(x.shape[1]) % 2, 0.0005, 0.0)
    with pytest.raises(RecordError, match="lead aVR: constant"):
        check(x, 500.0, LEADS)


def test_all_leads_constant_is_flat_and_not_a_matter_of_units() -> None:
    with pytest.raises(RecordError, match="constant") as caught:
        check(np.zeros((12, 1000), dtype=np.float32), 100.0, LEADS)
    assert caught.value.reason == "flat-lead"


def test_infinite_values_are_refused_and_every_lead_is_named(sound: np.ndarray) -> None:
    x = sound.copy()
    x[0, 0], x[11, -1] = np.inf, -np.inf
    with pytest.raises(RecordError, match="lead I, V6: ") as caught:
        check(x, 500.0, LEADS)
    assert caught.value.reason == "not-finite"


def refused(corpus: str, folder: Path, every: int, factor: float = 1.0) -> dict[str, str]:
    """Reasons by record."""
    found = {}
    for entry in get(corpus).entries(folder)[::every]:
        record = entry.load()
        try:
            check(record.signal * np.float32(factor), record.fs, record.leads)
        except RecordError as error:
            found[entry.record_id] = error.reason
    return found


@pytest.mark.parametrize(("corpus", "every"), [("ptbxl", 10), ("ludb", 5)])
def test_real_recordings_pass(pack: Path, corpus: str, every: int) -> None:
    assert refused(corpus, pack / corpus, every) == {}


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_real_recordings_in_another_unit_are_refused(pack: Path, factor: float) -> None:
    """Microvolts or volts read as millivolts: the negative control of the test above."""
    found = refused("ptbxl", pack / "ptbxl", 40, factor)
    assert (len(found), set(found.values())) == (50, {"amplitude"})


def test_the_recordings_of_cinc_with_constant_leads_and_with_coded_samples_are_found_and_no_other(
    pack: Path,
) -> None:
    """As published: lost chest leads in Ningbo's recordings; three samples of 32.743 mV in one of CPSC's."""
    six = ("JS11438", "JS20004", "JS20008", "JS45542", "JS45544", "JS45551")
    wanted = {f"ningbo/{name}": "flat-lead" for name in six} | {"cpsc2018/A1388": "sentinel"}
    assert refused("cinc", pack / "cinc2021", 1) == wanted


def test_what_is_refused_of_cinc2011_was_mostly_graded_unacceptable(pack: Path) -> None:
    """In every eighth recording; the gate is for faults that no encoder should learn from, not for noise."""
    grades = {entry.record_id: entry for entry in get("cinc2011").entries(pack / "cinc2011")}
    found = refused("cinc2011", pack / "cinc2011", 8)
    unacceptable = sum(grades[name].load().codes == ("quality:II",) for name in found)
    assert 10 < len(found) < 30
    assert unacceptable >= 0.9 * len(found)
