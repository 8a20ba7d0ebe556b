"""Regions of samples from marks: closed forms by hand, and what must stay unknown."""

import numpy as np
import pandas as pd

from ecglipse.waves import REGIONS, UNSCORED, agreement, region_map, region_maps

NAN = float("nan")
BEAT = [("P", 0.10, 0.15, 0.20), ("QRS", 0.26, 0.30, 0.36), ("T", 0.50, 0.60, 0.70), ("P", 0.90, 0.95, 1.00)]


def table(marks: list[tuple[str, float, float, float]], lead: str | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(marks, columns=["kind", "onset_s", "peak_s", "offset_s"])
    return frame.assign(lead=pd.Series([lead] * len(frame), dtype=object))


def named(line: np.ndarray) -> list[tuple[str, int]]:
    """Runs of equal regions as (name, samples)."""
    cuts = np.flatnonzero(np.diff(line)) + 1
    return [(REGIONS[part[0]] if part[0] >= 0 else "?", len(part)) for part in np.split(line, cuts)]


def test_a_beat_is_cut_into_its_regions() -> None:
    (line,) = region_map(table(BEAT), leads=["II"], n_samples=120, fs=100.0)
    assert named(line) == [
        ("?", 10), ("P", 10), ("PQ", 6), ("QRS", 10), ("ST", 14), ("T", 20), ("TP", 20), ("P", 10), ("?", 20)
    ]  # fmt: skip


def test_a_mark_that_is_missing_leaves_its_neighbourhood_unknown() -> None:
    open_t = [BEAT[0], BEAT[1], ("T", NAN, 0.60, 0.70), BEAT[3]]
    (line,) = region_map(table(open_t), leads=["II"], n_samples=120, fs=100.0)
    assert ("ST", 14) not in named(line)
    assert ("T", 20) not in named(line)
    no_t = [BEAT[0], BEAT[1], BEAT[3]]
    (line,) = region_map(table(no_t), leads=["II"], n_samples=120, fs=100.0)
    assert named(line)[4] == ("?", 54), "what follows a QRS without a T wave is not TP"


def test_a_gap_too_long_for_its_name_is_unknown() -> None:
    late = [("P", 0.1, 0.15, 0.2), ("QRS", 0.9, 0.95, 1.0)]
    (line,) = region_map(table(late), leads=["II"], n_samples=120, fs=100.0)
    assert named(line) == [("?", 10), ("P", 10), ("?", 70), ("QRS", 10), ("?", 20)]


def test_marks_of_a_lead_stay_in_it_and_marks_of_none_hold_for_all() -> None:
    own = region_map(table(BEAT, "II"), leads=["I", "II"], n_samples=120, fs=100.0)
    assert (own[0] == UNSCORED).all()
    assert (own[1] != UNSCORED).any()
    both = region_map(table(BEAT), leads=["I", "II"], n_samples=120, fs=100.0)
    np.testing.assert_array_equal(both[0], own[1])
    np.testing.assert_array_equal(both[1], own[1])


def test_maps_of_rows_are_those_of_their_marks() -> None:
    waves = table(BEAT).assign(row=3)
    maps = list(region_maps(waves, [2, 3], leads=["II"], n_samples=120, fs=100.0))
    assert (maps[0] == UNSCORED).all()
    np.testing.assert_array_equal(maps[1], region_map(table(BEAT), leads=["II"], n_samples=120, fs=100.0))


def test_agreement_by_hand() -> None:
    """Two true T peaks, one found 20 ms late; a false one inside the span, and one outside of it."""
    truth = table([("T", 0.9, 1.0, 1.1), ("T", 1.9, 2.0, 2.1), ("QRS", 2.4, 2.5, 2.6)], "II").assign(row=0)
    found = table([("T", NAN, 1.02, NAN), ("T", NAN, 1.5, NAN), ("T", NAN, 9.0, NAN)]).assign(row=0)
    scores = {(a.kind, a.mark): a for a in agreement(found, truth)}
    peak = scores["T", "peak"]
    assert (peak.true, peak.found, peak.matched) == (2, 2, 1)
    assert (peak.sensitivity, peak.ppv) == (0.5, 0.5)
    assert abs(peak.mean_ms - 20) < 1e-9
    assert np.isnan(peak.sd_ms)
    assert (scores["T", "onset"].true, scores["T", "onset"].found) == (2, 0)
    assert np.isnan(scores["P", "peak"].sensitivity)


def test_a_mark_is_matched_once() -> None:
    truth = table([("P", 0.9, 1.00, 1.1), ("P", 1.0, 1.08, 1.2)], "II").assign(row=0)
    found = table([("P", NAN, 1.05, NAN)]).assign(row=0)
    (peak,) = [a for a in agreement(found, truth) if (a.kind, a.mark) == ("P", "peak")]
    assert (peak.matched, round(peak.mean_ms)) == (1, -30)
