"""Every rhythm and form shows what its definition asks for, and a planted class differs in its wave alone."""

import numpy as np
import pytest
from jaxtyping import Float

from ecglipse.corpora.simulation.atria import flutter
from ecglipse.corpora.simulation.block import Settings, simulate_block
from ecglipse.corpora.simulation.conditions import EXCLUDED, FORMS, OF_PATIENT, RHYTHMS
from ecglipse.corpora.simulator import VOCABULARY, Planted, Simulated, simulate, simulate_arrays
from ecglipse.leads import LEADS, einthoven_error
from ecglipse.tasks import find_task, label

FS = 250.0
ALL = {"rhythms": tuple(RHYTHMS), "forms": dict.fromkeys(FORMS, 0.3)}


def clean(rhythm: str = "SR", form: str | None = None, **rest: object) -> Simulated:
    """64 recordings of one rhythm, all with the form, without noise."""
    return simulate_arrays(64, fs=FS, rhythms=(rhythm,), forms={form: 1.0} if form else {}, noise=0.0, **rest)


@pytest.fixture(scope="module")
def plain() -> Simulated:
    return clean()


@pytest.fixture(scope="module")
def mixed() -> Simulated:
    return simulate_arrays(448, **ALL)


def marks(data: Simulated, row: int, kind: str) -> Float[np.ndarray, "wave 3"]:
    """Onset, peak and offset in s of one recording's waves of a kind."""
    own = data.waves[(data.waves["row"] == row) & (data.waves["kind"] == kind)]
    return own[["onset_s", "peak_s", "offset_s"]].to_numpy(float)


def beat(data: Simulated, row: int, lead: str, *, within: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """Median QRS of a lead from onset (0) to offset (1), less the level before it."""
    signal = data.signal[row, LEADS.index(lead)]
    parts = []
    for onset, _, offset in marks(data, row, "QRS")[1:-1]:
        at = onset + (offset - onset) * np.linspace(*within, 60)
        parts.append(np.interp(at, np.arange(len(signal)) / FS, signal) - signal[int((onset - 0.015) * FS)])
    return np.median(parts, axis=0)


def at_t(data: Simulated, row: int, lead: str) -> float:
    """Height of a lead halfway through the later part of T, where the T wave is."""
    signal = data.signal[row, LEADS.index(lead)]
    own = marks(data, row, "T")[1:-1]
    return float(np.median([signal[int((on + 0.55 * (off - on)) * FS)] for on, _, off in own]))


def share(holds: list[bool]) -> float:
    return float(np.mean(holds))


def test_every_rhythm_and_form_comes_and_obeys_the_leads(mixed: Simulated) -> None:
    held = {code for forms in mixed.truth["forms"] for code in forms}
    assert held == set(FORMS)
    assert mixed.truth["rhythm"].value_counts().to_dict() == dict.fromkeys(RHYTHMS, 64)
    assert einthoven_error(mixed.signal).max() < 1e-6
    assert np.isfinite(mixed.signal).all()
    assert np.abs(mixed.signal).max() < 10


def test_forms_that_do_not_go_together_never_meet(mixed: Simulated) -> None:
    for rhythm, forms in zip(mixed.truth["rhythm"], mixed.truth["forms"], strict=True):
        for form in forms:
            assert not EXCLUDED[form] & {rhythm, *forms}
    of_sinus = mixed.truth["forms"][mixed.truth["rhythm"].isin(["SR", "SB", "ST"])]
    assert 0.2 < np.mean(["PVC" in forms for forms in of_sinus]) < 0.4


def test_some_forms_stay_with_the_patient() -> None:
    data = simulate_arrays(
        256, recordings_per_patient=2, rhythms=("SR", "SB"), forms=dict.fromkeys(FORMS, 0.3)
    )
    pairs = data.truth["forms"].to_numpy().reshape(-1, 2)
    both = {form: np.mean([(form in a) == (form in b) for a, b in pairs]) for form in FORMS}
    assert all(both[form] == 1.0 for form in OF_PATIENT)
    assert all(both[form] < 0.8 for form in ("PVC", "PAC"))


def test_records_carry_rhythm_and_forms_of_the_vocabulary(mixed: Simulated) -> None:
    for row, record in enumerate(simulate(70, **ALL)):
        known = mixed.truth.iloc[row]
        assert record.codes == (known["rhythm"], *known["forms"])
        assert VOCABULARY[record.codes[0]]["kinds"] == ["rhythm"]
        assert all(VOCABULARY[code]["kinds"] == ["form"] for code in record.codes[1:])
        np.testing.assert_array_equal(record.signal, mixed.signal[row])
        assert len(record.waves) == (mixed.waves["row"] == row).sum()


def test_forms_do_not_depend_on_the_block() -> None:
    settings = Settings(100.0, 10.0, 0, ALL["rhythms"], 2, 1.0, ALL["forms"])
    whole, part = simulate_block(settings, range(64, 128)), simulate_block(settings, range(70, 80))
    assert list(part.truth["forms"]) == list(whole.truth["forms"][6:16])
    np.testing.assert_allclose(part.signal, whole.signal[6:16], atol=1e-5)


def test_waves_are_in_order_whatever_the_rhythm(mixed: Simulated) -> None:
    waves = mixed.waves
    assert ((waves["onset_s"] < waves["peak_s"]) & (waves["peak_s"] < waves["offset_s"])).all()
    assert waves["onset_s"].min() >= 0
    assert waves["offset_s"].max() <= 10
    for row in range(len(mixed.truth)):
        qrs, t, p = (marks(mixed, row, kind) for kind in ("QRS", "T", "P"))
        assert np.all(qrs[1:, 0] > qrs[:-1, 2]), mixed.truth.iloc[row]
        for onset, _, offset in t:
            assert onset > qrs[qrs[:, 0] < onset][-1, 2] - 0.04 if (qrs[:, 0] < onset).any() else True
            assert not ((qrs[:, 0] > onset) & (qrs[:, 0] < offset)).any()
        for _, _, offset in p:
            assert (qrs[:, 0] > offset - 1e-9).any() or offset > 9.4


@pytest.mark.parametrize(("rhythm", "low", "high"), [("AFL", 55, 172), ("SVT", 150, 220), ("PACE", 55, 90)])
def test_rates_are_those_of_the_rhythm(rhythm: str, low: float, high: float) -> None:
    data = clean(rhythm)
    assert data.truth["rate"].between(low, high).all()
    if rhythm != "PACE":
        assert (data.waves["kind"] != "P").all()
        assert data.truth["pr_s"].isna().all()


def test_flutter_conducts_whole_numbers_of_waves() -> None:
    data, ratios = clean("AFL"), []
    for row in range(64):
        rr = np.diff(marks(data, row, "QRS")[:, 1])
        off = [np.abs(rr / (rr.min() / k) - np.round(rr / (rr.min() / k))).max() for k in (2, 3, 4)]
        assert min(off) < 0.03
        ratios.append(rr.max() / rr.min())
    assert 0.2 < share([ratio > 1.2 for ratio in ratios]) < 0.6  # conduction changes in some, not in all


def test_flutter_waves_fall_slowly_and_rise_fast_in_the_inferior_leads() -> None:
    period = np.full(64, 0.2)
    dipole = flutter(0, range(64), period_s=period, first_beat_s=np.zeros(64), n_samples=2000, fs=500.0)
    steps = np.diff(dipole[:, 1], axis=1)
    assert np.mean(steps < 0) > 0.6
    assert np.ptp(dipole[:, 1], axis=1).min() > 2 * np.ptp(dipole[:, 0], axis=1).max() / 2
    np.testing.assert_allclose(dipole[:, :, :900], dipole[:, :, 100:1000], atol=1e-3)


def test_supraventricular_tachycardia_is_regular() -> None:
    data = clean("SVT")
    spread = [np.std(rr) / np.mean(rr) for rr in (np.diff(marks(data, r, "QRS")[:, 1]) for r in range(64))]
    assert max(spread) < 0.02


def test_paced_beats_follow_a_spike_and_go_upwards() -> None:
    data = clean("PACE")
    two = data.signal[:, LEADS.index("II")]
    with_p = 0
    for row in range(64):
        qrs = marks(data, row, "QRS")
        with_p += len(marks(data, row, "P")) > 0
        steep = np.abs(np.diff(two[row], 2))
        near = [steep[int(onset * FS) - 5 : int(onset * FS) + 3].max() for onset, _, _ in qrs[1:]]
        assert min(near) > 3 * np.quantile(steep, 0.9)
    assert 20 <= with_p <= 44
    assert (data.truth["qrs_s"] > 0.135).all()
    assert share([beat(data, r, "II", within=(0.3, 1)).mean() < 0 for r in range(64)]) > 0.95
    assert share([beat(data, r, "V1", within=(0.3, 1)).mean() < 0 for r in range(64)]) > 0.95


def test_first_degree_block_prolongs_pr_and_nothing_else(plain: Simulated) -> None:
    data = clean("SR", "1AVB")
    assert data.truth["pr_s"].between(0.21, 0.321).all()
    assert plain.truth["pr_s"].max() <= 0.2
    without_p = [one.waves[one.waves["kind"] != "P"] for one in (plain, data)]
    times = [table[["onset_s", "peak_s", "offset_s"]].to_numpy(float) for table in without_p]
    np.testing.assert_allclose(*times)
    for row in range(8):
        qrs, p = marks(data, row, "QRS"), marks(data, row, "P")
        gap = [qrs[qrs[:, 0] > onset][0, 0] - onset for onset, _, _ in p if (qrs[:, 0] > onset).any()]
        np.testing.assert_allclose(gap, data.truth["pr_s"][row], atol=1e-6)


def test_left_bundle_branch_block_looks_so() -> None:
    data = clean("SR", "LBBB")
    assert data.truth["qrs_s"].between(0.12, 0.165).all()
    v1 = [beat(data, row, "V1") for row in range(64)]
    v6 = [beat(data, row, "V6") for row in range(64)]
    assert share([one.max() < 0.3 * -one.min() for one in v1]) > 0.95
    assert share([one.max() > 3 * -one.min() for one in v6]) > 0.9
    assert share([np.mean(one > 0.5 * one.max()) > 0.35 for one in v6]) > 0.9  # broad
    assert share([at_t(data, row, "V6") < 0 < at_t(data, row, "V1") for row in range(64)]) > 0.9


def test_right_bundle_branch_block_looks_so() -> None:
    data = clean("SR", "RBBB")
    assert data.truth["qrs_s"].between(0.12, 0.155).all()
    late = {
        name: [beat(data, row, name, within=(0.6, 0.95)) for row in range(64)] for name in ("V1", "I", "V6")
    }
    first = [beat(data, row, "V1", within=(0.0, 0.35)).max() for row in range(64)]
    assert share([one.max() > r > 0 for one, r in zip(late["V1"], first, strict=True)]) > 0.9  # rSR'
    assert share([one.min() < -0.1 for one in late["I"]]) > 0.9
    assert share([one.min() < -0.1 for one in late["V6"]]) > 0.9
    assert share([at_t(data, row, "V1") < 0 for row in range(64)]) > 0.9


def test_hypertrophy_has_the_voltage(plain: Simulated) -> None:
    def sokolow(data: Simulated, row: int) -> float:
        return -beat(data, row, "V1").min() + max(beat(data, row, name).max() for name in ("V5", "V6"))

    data = clean("SR", "LVH")
    assert share([sokolow(data, row) > 3.4 for row in range(64)]) > 0.95
    assert share([sokolow(plain, row) > 3.5 for row in range(64)]) < 0.15
    np.testing.assert_allclose(data.truth["qrs_s"], plain.truth["qrs_s"])


@pytest.mark.parametrize("form", ["STE", "STD"])
def test_st_segments_are_shifted_where_said(form: str, plain: Simulated) -> None:
    data, most = clean("SR", form), []
    for row in range(64):
        change = data.signal[row] - plain.signal[row]
        at = [int((offset + 0.060) * FS) for _, _, offset in marks(plain, row, "QRS")[1:-1]]
        level = np.median(change[:, at], axis=1)
        most.append(level)
        outside = [int((onset - 0.02) * FS) for onset, _, _ in marks(plain, row, "P")[2:-1]]
        assert np.abs(np.median(change[:, outside], axis=1)).max() < 0.02
    shift = np.array(most) if form == "STE" else -np.array(most)
    assert np.median(shift.max(axis=1)) > (0.2 if form == "STE" else 0.13)
    assert shift.max() < 0.7
    assert share(list((shift > 0.08).sum(axis=1) >= 2)) > 0.95
    if form == "STE":
        largest = {LEADS[k] for k in shift.argmax(axis=1)}
        assert {"V2", "V3"} & largest
        assert {"II", "III", "aVF"} & largest
        assert {"I", "V5", "V6", "V4", "aVL"} & largest
    else:
        assert share(list(shift[:, LEADS.index("aVR")] < 0)) > 0.95


def test_premature_ventricular_beats_are_wide_early_and_compensated() -> None:
    data, compensated = clean("SR", "PVC"), []
    for row in range(64):
        qrs, p = marks(data, row, "QRS"), marks(data, row, "P")
        wide = (qrs[:, 2] - qrs[:, 0]) > data.truth["qrs_s"][row] + 0.004
        assert 1 <= wide.sum() <= 0.5 * len(qrs), row
        rr = np.diff(qrs[:, 1])
        for k in np.flatnonzero(wide):
            if 0 < k < len(qrs) - 1:
                normal = np.median(rr[~wide[1:] & ~wide[:-1]]) if (~wide[1:] & ~wide[:-1]).any() else np.nan
                assert rr[k - 1] < rr[k]
                compensated.append((rr[k - 1] + rr[k]) / normal)
                assert not ((p[:, 2] > qrs[k - 1, 2]) & (p[:, 0] < qrs[k, 0])).any()
    assert 1.9 < np.nanmedian(compensated) < 2.1


def test_premature_atrial_beats_are_narrow_early_and_reset_the_sinus(plain: Simulated) -> None:
    data, sums = clean("SR", "PAC"), []
    for row in range(64):
        qrs, p = marks(data, row, "QRS"), marks(data, row, "P")
        rr, width = np.diff(qrs[:, 1]), qrs[:, 2] - qrs[:, 0]
        np.testing.assert_allclose(width, data.truth["qrs_s"][row])
        early = np.flatnonzero(rr < 0.87 * np.median(rr)) + 1
        assert len(early) >= 1, row
        for k in early:
            before = p[p[:, 0] < qrs[k, 0]]
            assert 0.1 < qrs[k, 0] - before[-1, 0] < 0.21
            if k < len(rr):
                sums.append((rr[k - 1] + rr[k]) / np.median(rr))
    assert 1.7 < np.median(sums) < 1.97
    assert data.truth["rate"].between(60, 100).all()


@pytest.mark.parametrize("wave", ["P", "QRS", "T"])
def test_a_planted_class_differs_in_its_wave_alone(wave: str, plain: Simulated) -> None:
    half, twice = (clean(planted=Planted(wave, gain=gain)) for gain in (0.5, 2.0))
    assert half.waves.equals(plain.waves)
    planted = np.array([f"planted-{wave}" in forms for forms in half.truth["forms"]])
    assert 16 < planted.sum() < 48
    np.testing.assert_array_equal(half.signal[~planted], plain.signal[~planted])
    np.testing.assert_allclose(
        -2 * (half.signal - plain.signal), twice.signal - plain.signal, atol=1e-5
    )  # linear in the gain
    for row in np.flatnonzero(planted)[:12]:
        energy = ((twice.signal[row] - plain.signal[row]) ** 2).sum(axis=0)
        t, inside = np.arange(len(energy)) / FS, np.zeros(len(energy), bool)
        for onset, _, offset in marks(plain, row, wave):
            inside |= (t >= onset - 0.01) & (t <= offset + 0.01)
        middle = (t > 1.5) & (t < 8.5)
        assert energy[middle & inside].sum() > 0.97 * energy[middle].sum() > 0


def test_planted_classes_are_unrelated_to_sex_and_rhythm() -> None:
    data = simulate_arrays(
        1280, rhythms=("SR", "SB"), planted=Planted("T"), duration_s=2.0, fs=50.0, noise=0.0
    )
    planted = np.array(["planted-T" in forms for forms in data.truth["forms"]])
    assert 0.45 < planted.mean() < 0.55
    for column in ("sex", "rhythm"):
        rate = data.truth.assign(planted=planted).groupby(column)["planted"].mean()
        assert np.ptp(rate) < 0.09  # SD of the difference about 0.028


def test_age_does_what_is_said() -> None:
    data = simulate_arrays(2048, rhythms=("SR",), noise=0.0, duration_s=3.0)
    truth, female = data.truth, (data.truth["sex"] == "female").to_numpy()
    v2 = np.ptp(data.signal[:, LEADS.index("V2")], axis=1)

    def slope(values: np.ndarray, rows: np.ndarray) -> float:
        return float(np.polyfit(truth["age"][rows], values[rows], 1)[0])

    assert 0.0001 < slope(truth["pr_s"].to_numpy(), female) < 0.0004
    men, women = (slope(truth["qtc_s"].to_numpy(), rows) for rows in (~female, female))
    assert men > women > 0
    men, women = (slope(np.log(v2), rows) for rows in (~female, female))
    assert men < women < 0


def test_the_tasks_of_a_simulated_store(mixed: Simulated) -> None:
    table = mixed.truth[["patient_id", "sex"]].assign(
        codes=[
            [rhythm, *forms]
            for rhythm, forms in zip(mixed.truth["rhythm"], mixed.truth["forms"], strict=True)
        ]
    )
    rhythm = label(find_task("rhythm", VOCABULARY, table), table)
    assert rhythm.task.classes == tuple(RHYTHMS)
    assert len(rhythm.rows) == len(table)
    form = label(find_task("form", VOCABULARY, table), table)
    assert set(form.task.classes) <= set(FORMS)
    assert {"LBBB", "PVC", "STE"} <= set(form.task.classes)
    known = set(form.task.classes)
    assert form.rows.tolist() == [row for row, codes in enumerate(table["codes"]) if known & set(codes)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"forms": {"LQT": 0.5}}, "`forms` must name some of LBBB, RBBB, 1AVB"),
        ({"forms": {"PVC": 1.5}}, "a share in `forms` must be between 0 and 1; got 1.5 for 'PVC'"),
        ({"planted": Planted("P"), "rhythms": ("SR", "AF")}, "`planted` P waves need rhythms that have them"),
    ],
)
def test_wrong_forms_are_refused_before_the_first_record(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        simulate(4, **wrong)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"wave": "U"}, "`wave` must be one of P, QRS, T; got 'U'"),
        ({"wave": "T", "gain": 1.0}, "`gain` must be between -10 and 10, neither 0 nor 1; got 1.0"),
        ({"wave": "T", "share": 1.0}, "`share` must be above 0 and below 1; got 1.0"),
    ],
)
def test_a_class_that_cannot_be_is_not_planted(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        Planted(**wrong)
    assert words in str(refused.value)
