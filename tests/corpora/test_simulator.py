"""The simulator's laws: exact leads, pure draws, marks that agree with the signal, what sex does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from jaxtyping import Float
from scipy.signal import find_peaks
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecglipse.corpora.simulation.block import Settings, simulate_block
from ecglipse.corpora.simulator import VOCABULARY, Simulated, simulate, simulate_arrays
from ecglipse.leads import LEADS, einthoven_error

N = 512


@pytest.fixture(scope="module")
def clean() -> Simulated:
    return simulate_arrays(N, noise=0.0)


@pytest.fixture(scope="module")
def noisy() -> Simulated:
    return simulate_arrays(N)


def r_peaks(signal: Float[np.ndarray, "12 time"], fs: float = 100.0) -> Float[np.ndarray, " beat"]:
    """Times in s of the peaks of the energy over the twelve leads; knows nothing of the simulator."""
    energy = ((signal - np.median(signal, axis=1, keepdims=True)) ** 2).sum(axis=0)
    steep = (np.gradient(signal, axis=1) ** 2).sum(axis=0)
    steep = np.convolve(steep, np.ones(7) / 7, "same")
    found, _ = find_peaks(steep, height=0.25 * np.quantile(steep, 0.985), distance=round(0.28 * fs))
    return (
        np.array([near + energy[near : near + 13].argmax() - 6 for near in found - 6 if near >= 0]) / fs
        + 0.06
    )


def marks(data: Simulated, row: int, kind: str) -> Float[np.ndarray, "wave 3"]:
    """Onset, peak and offset in s of the waves of one kind."""
    first, last = np.searchsorted(data.waves["row"].to_numpy(), [row, row + 1])
    own = data.waves.iloc[first:last]
    return own[own["kind"] == kind][["onset_s", "peak_s", "offset_s"]].to_numpy()


def around_qrs(data: Simulated, row: int) -> Float[np.ndarray, "12 window"]:
    """Mean beat from 50 ms before to 50 ms after the R peak, relative to the level before the QRS."""
    at = [round(peak * 100) for _, peak, _ in marks(data, row, "QRS") if 0.1 < peak < 9.9]
    beat = np.mean([data.signal[row, :, k - 6 : k + 6] for k in at], axis=0)
    return np.asarray(beat - beat[:, :1])


def test_leads_obey_their_algebra_even_when_noisy() -> None:
    bad = simulate_arrays(64, noise=3.0).signal
    assert einthoven_error(bad).max() < 1e-6
    bad[:, 2] += 2e-6  # the check itself can fail
    assert einthoven_error(bad).max() > 1e-6


def test_a_record_does_not_depend_on_how_many_are_asked_for(noisy: Simulated) -> None:
    few = list(simulate(3))
    for row, record in enumerate(few):
        np.testing.assert_array_equal(record.signal, noisy.signal[row])
    many = list(simulate(70))
    np.testing.assert_array_equal(many[69].signal, noisy.signal[69])
    assert many[69].waves
    assert len(many) == 70
    assert not np.array_equal(many[0].signal, many[64].signal)


def test_draws_do_not_depend_on_the_block() -> None:
    settings = Settings(100.0, 10.0, 0, ("SR", "SB", "ST", "AF"), 2, 1.0)
    whole, part = simulate_block(settings, range(64)), simulate_block(settings, range(20, 30))
    # not bit for bit: matrix products may round otherwise in another shape
    np.testing.assert_allclose(part.signal, whole.signal[20:30], atol=1e-5)


def test_another_seed_gives_other_records(noisy: Simulated) -> None:
    other = simulate_arrays(64, seed=1)
    alike = [np.corrcoef(a[1], b[1])[0, 1] for a, b in zip(other.signal, noisy.signal, strict=False)]
    assert max(alike) < 0.9
    assert list(other.truth["rhythm"]) != list(noisy.truth["rhythm"][:64])


def test_records_say_what_the_arrays_say(noisy: Simulated) -> None:
    for row, record in enumerate(simulate(20)):
        known = noisy.truth.iloc[row]
        assert record.leads == LEADS
        assert record.signal.dtype == np.float32
        assert record.signal.shape == (12, 1000)
        assert (record.source, record.fs) == ("simulator", 100.0)
        assert (record.record_id, record.patient_id) == (f"sim-{row}-0", f"sim-{row}")
        assert (record.sex, record.age, record.fold) == (known["sex"], known["age"], row % 10 + 1)
        assert record.codes == (known["rhythm"],)
        assert VOCABULARY[record.codes[0]]["kinds"] == ["rhythm"]
        table = noisy.waves[noisy.waves["row"] == row]
        assert [
            (wave.kind, wave.onset_s, wave.peak_s, wave.offset_s, wave.lead) for wave in record.waves
        ] == [(wave.kind, wave.onset_s, wave.peak_s, wave.offset_s, None) for wave in table.itertuples()]


def test_sampling_faster_shows_the_same_signal(clean: Simulated) -> None:
    fast = simulate_arrays(64, fs=500.0, noise=0.0)
    np.testing.assert_allclose(fast.signal[:, :, ::5], clean.signal[:64], atol=0.01)
    np.testing.assert_allclose(fast.truth["rate"], clean.truth["rate"][:64])


def test_r_peaks_and_rate_can_be_measured(clean: Simulated) -> None:
    late, wrong, missed, false, total = [], [], 0, 0, 0
    for row in range(N):
        found, true = r_peaks(clean.signal[row]), marks(clean, row, "QRS")[:, 1]
        found, true = found[(found > 0.2) & (found < 9.8)], true[(true > 0.2) & (true < 9.8)]
        off = np.abs(true[:, None] - found).min(axis=1)
        missed += int((off > 0.1).sum())
        false += int((np.abs(true[:, None] - found).min(axis=0) > 0.1).sum())
        total += len(true)
        late.extend(off[off <= 0.1])
        wrong.append(60 / np.diff(found).mean() - 60 / np.diff(true).mean())
    assert (missed + false) / total < 0.002
    assert np.mean(np.array(late) <= 0.020) > 0.99
    assert np.mean(np.abs(wrong) < 2) > 0.98


def test_rates_are_those_of_the_rhythm(clean: Simulated) -> None:
    limits = {"SR": (60, 100), "SB": (40, 60), "ST": (100, 150), "AF": (60, 140)}
    for code, (low, high) in limits.items():
        rate = clean.truth["rate"][clean.truth["rhythm"] == code]
        assert len(rate) == N // 4
        assert rate.between(low, high).all(), code


def test_fibrillation_has_no_p_waves_and_irregular_intervals(clean: Simulated) -> None:
    spread = {"SR": [], "SB": [], "ST": [], "AF": []}
    for row, code in enumerate(clean.truth["rhythm"]):
        p, qrs = marks(clean, row, "P"), marks(clean, row, "QRS")
        rr = np.diff(qrs[:, 1])
        spread[code].append(rr.std() / rr.mean())
        if code == "AF":
            assert len(p) == 0
        else:
            seen = qrs[qrs[:, 0] > 0.25]
            gap = seen[:, 0] - np.array([p[p[:, 0] < onset][-1, 0] for onset in seen[:, 0]])
            assert np.all((gap > 0.1) & (gap < 0.21))
    assert max(spread["SR"] + spread["SB"] + spread["ST"]) < 0.15
    assert np.median(spread["AF"]) > 0.18
    assert np.mean(np.array(spread["AF"]) > 0.12) > 0.95


def test_fibrillatory_waves_are_quick_and_largest_in_v1() -> None:
    data = simulate_arrays(64, rhythms=("AF",), noise=0.0)
    lead = {name: [] for name in ("I", "V1", "II")}
    for row in range(64):
        qrs, t = marks(data, row, "QRS"), marks(data, row, "T")
        for end in t[:-1, 2]:
            after = qrs[qrs[:, 0] > end]
            if len(after) and after[0, 0] - end > 0.35:
                window = data.signal[row, :, round(100 * end) + 3 : round(100 * after[0, 0]) - 3]
                for name, values in lead.items():
                    values.append(np.ptp(window[LEADS.index(name)]))
    assert len(lead["V1"]) > 30
    assert 0.03 < np.median(lead["V1"]) < 0.2
    assert np.median(lead["V1"]) > np.median(lead["II"]) > np.median(lead["I"])


def test_waves_are_in_order_and_inside_the_record(noisy: Simulated) -> None:
    waves = noisy.waves
    assert (waves["onset_s"] < waves["peak_s"]).all()
    assert (waves["peak_s"] < waves["offset_s"]).all()
    assert waves["onset_s"].min() >= 0
    assert waves["offset_s"].max() <= 10
    assert waves["lead"].isna().all()
    for row in range(64):
        rest = 0.0
        sinus = noisy.truth["rhythm"][row] != "AF"
        qrs, t, p = marks(noisy, row, "QRS"), marks(noisy, row, "T"), marks(noisy, row, "P")
        for onset, _, offset in qrs[:-1]:
            own_t = t[t[:, 0] > onset][0]
            assert offset <= own_t[0] + 1e-9 or own_t[0] > onset
            assert own_t[2] < qrs[qrs[:, 0] > onset][0, 0]  # over before the next QRS
            assert onset >= rest
            if sinus and onset > 0.25:
                assert rest - 0.2 < p[p[:, 0] < onset][-1, 2] < onset
            rest = offset


def test_nothing_beats_between_t_and_p(clean: Simulated) -> None:
    rest, beat = [], []
    for row in np.flatnonzero(clean.truth["rhythm"] == "SB"):
        size = np.abs(clean.signal[row]).max(axis=0)
        p, t = marks(clean, row, "P"), marks(clean, row, "T")
        for end in t[:-1, 2]:
            begin = p[p[:, 0] > end - 0.2][0, 0]
            rest.extend(size[round(100 * end) + 2 : max(0, round(100 * begin) - 2)])
        beat.extend(size)
    assert len(rest) > 1000
    assert np.quantile(rest, 0.99) < 0.05 < np.mean(beat)


def test_leads_look_like_leads(clean: Simulated) -> None:
    beats = np.array([around_qrs(clean, row) for row in range(N)])
    up = {name: beats[:, k].max(axis=1) for k, name in enumerate(LEADS)}
    down = {name: -beats[:, k].min(axis=1) for k, name in enumerate(LEADS)}
    assert np.mean(down["V1"] > up["V1"]) > 0.95  # rS
    assert np.mean(up["V6"] > down["V6"]) > 0.95  # qR
    assert np.mean(down["aVR"] > up["aVR"]) > 0.95
    share = [np.mean(up[name] / (up[name] + down[name])) for name in ("V1", "V2", "V3", "V4", "V5")]
    assert share == sorted(share)  # R grows from V1 to V5
    largest = np.maximum(up["II"], up["V5"])
    assert np.mean((largest > 0.2) & (largest < 3.5)) > 0.99
    sinus = np.flatnonzero(clean.truth["rhythm"] == "SR")
    for kind, share_up in (("P", 0.9), ("T", 0.95)):
        at = [(row, round(100 * marks(clean, row, kind)[2, 1])) for row in sinus]
        assert np.mean([clean.signal[row, 1, k] > 0.01 for row, k in at]) > share_up
        assert np.mean([clean.signal[row, 3, k] < -0.01 for row, k in at]) > share_up


def test_most_power_is_below_40_hz(noisy: Simulated) -> None:
    hz = np.fft.rfftfreq(1000, 0.01)
    power = np.abs(np.fft.rfft(noisy.signal, axis=-1)) ** 2
    share = power[..., (hz > 0.05) & (hz < 40)].sum(axis=-1) / power[..., hz > 0.05].sum(axis=-1)
    assert np.median(share) > 0.99
    assert np.mean(share > 0.9) > 0.98


def test_noise_is_of_real_size_and_its_own_in_each_lead(clean: Simulated, noisy: Simulated) -> None:
    noise = noisy.signal - clean.signal
    hz = np.fft.rfftfreq(1000, 0.01)
    lines = np.fft.rfft(noise, axis=-1)
    rms = {
        name: np.sqrt(2 * (np.abs(lines[..., band]) ** 2).sum(axis=-1)) / 1000
        for name, band in {"wander": (hz > 0) & (hz < 1), "muscle": (hz >= 20) & (hz <= 45)}.items()
    }
    assert 0.02 < np.median(rms["wander"]) < 0.15
    assert 0.001 < np.median(rms["muscle"]) < 0.005  # as between the beats of PTB-XL
    alike = np.array([np.corrcoef(record[6:])[np.triu_indices(6, 1)] for record in noise])
    assert np.abs(alike).max() < 0.9999
    assert np.median(np.abs(alike)) < 0.8
    np.testing.assert_allclose(
        simulate_arrays(8, noise=2.0).signal - clean.signal[:8], 2 * noise[:8], atol=1e-5
    )


def test_mains_hum_appears_only_below_half_the_sampling_rate() -> None:
    def above_neighbours(fs: float, hz: int) -> float:
        size = np.abs(np.fft.rfft(simulate_arrays(32, fs=fs).signal, axis=-1)).mean(axis=(0, 1))
        return float(size[10 * hz] / np.median(size[10 * hz - 20 : 10 * hz + 21]))  # lines are 0.1 Hz apart

    assert min(above_neighbours(250.0, 50), above_neighbours(250.0, 60)) > 2
    assert above_neighbours(110.0, 50) > 2
    assert above_neighbours(100.0, 40) < 1.5  # 60 Hz would be folded back to 40


def test_women_and_men_differ_as_they_do() -> None:
    data = simulate_arrays(1024, rhythms=("SR",), noise=0.0)
    female = (data.truth["sex"] == "female").to_numpy()
    assert female.sum() == 512
    mean = data.truth.assign(female=female).groupby("female")[["rate", "qtc_s", "qrs_s"]].mean()
    more = mean.loc[True] - mean.loc[False]
    assert 0.010 < more["qtc_s"] < 0.020
    assert -0.010 < more["qrs_s"] < -0.005
    assert 2 < more["rate"] < 7
    tall = np.array([np.ptp(around_qrs(data, row)[8]) for row in range(1024)])
    assert 1.15 < tall[~female].mean() / tall[female].mean() < 1.6


def test_sex_can_be_learned_but_not_perfectly(noisy: Simulated) -> None:
    features = []
    for row in range(N):
        qrs, t = marks(noisy, row, "QRS")[:, 0], marks(noisy, row, "T")
        qt = np.median([offset - qrs[qrs < onset][-1] for onset, _, offset in t[1:]])
        features.append([noisy.truth["rate"][row], qt, *around_qrs(noisy, row).max(axis=1)])
    female = (noisy.truth["sex"] == "female").to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_val_predict(model, np.array(features), female, cv=8, method="predict_proba")[:, 1]
    assert 0.75 < roc_auc_score(female, scores) < 0.90


def test_leads_are_as_tall_and_deep_as_in_normal_recordings(pack: Path) -> None:
    known = pd.read_csv(pack / "ptbxl" / "ptbxl_database.csv")
    normal = known[known["scp_codes"].str.contains("'NORM'")]["filename_lr"].iloc[:200]
    # format 16, 1000 steps a millivolt, 1000 samples of 12 leads
    real = np.stack([np.fromfile(pack / "ptbxl" / f"{name}.dat", "<i2").reshape(-1, 12).T for name in normal])
    made = simulate_arrays(256, rhythms=("SR",)).signal

    def extremes(signal: Float[np.ndarray, "record 12 time"]) -> Float[np.ndarray, "2 12"]:
        low, level, high = np.quantile(signal, [0.004, 0.5, 0.996], axis=-1).mean(axis=1)
        return np.stack([high - level, level - low])

    wanted, got = extremes(real / 1000), extremes(made)
    assert np.corrcoef(wanted.ravel(), got.ravel())[0, 1] > 0.95
    assert np.abs(got / wanted - 1).max() < 0.5
    assert np.abs(got / wanted - 1).mean() < 0.2


def test_recordings_of_one_patient_are_alike() -> None:
    data = simulate_arrays(256, recordings_per_patient=2, rhythms=("SR",))
    assert list(data.truth["patient_id"][:4]) == ["sim-0", "sim-0", "sim-1", "sim-1"]
    assert list(data.truth["record_id"][:2]) == ["sim-0-0", "sim-0-1"]
    pairs = data.truth.groupby("patient_id")
    for same in ("sex", "age", "fold", "qtc_s", "qrs_s"):
        assert (pairs[same].nunique() == 1).all()
    assert (pairs["rate"].nunique() == 2).all()
    beats = np.array([around_qrs(data, row).ravel() for row in range(256)])
    apart = np.linalg.norm(beats[:, None] - beats, axis=2)
    own = apart[np.arange(0, 256, 2), np.arange(1, 256, 2)]
    assert np.median(own) < 0.5 * np.median(apart[np.triu_indices(256, 1)])


def test_sex_rhythm_and_fold_are_balanced_and_unrelated() -> None:
    truth = simulate_arrays(1280, duration_s=2.0, fs=50.0, noise=0.0).truth
    table = truth.groupby(["sex", "rhythm"]).size()
    assert truth["sex"].value_counts().tolist() == [640, 640]
    assert truth["rhythm"].value_counts().tolist() == [320] * 4
    assert table.min() > 125  # 160 expected, SD about 9
    assert truth.groupby(["fold", "sex"]).size().min() > 40  # 64 expected
    assert truth["age"].between(20, 90).all()


@pytest.mark.parametrize("recording", [(50.0, 2.0), (250.0, 30.0), (333.0, 7.77), (128.0, 120.0)])
def test_any_rate_and_length_is_filled(recording: tuple[float, float]) -> None:
    fs, duration_s = recording
    data = simulate_arrays(3, fs=fs, duration_s=duration_s, rhythms=("ST", "AF"))
    assert data.signal.shape == (3, 12, round(fs * duration_s))
    assert np.isfinite(data.signal).all()
    for row in range(3):
        assert marks(data, row, "QRS")[-1, 1] > duration_s - 1.2


def test_asking_for_none_gives_none() -> None:
    assert list(simulate(0)) == []
    nothing = simulate_arrays(0)
    assert (len(nothing.signal), len(nothing.truth), len(nothing.waves)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"n": -1}, "`n` must be >= 0; got -1"),
        ({"fs": 20.0}, "`fs` must be between 50 and 2000 Hz; got 20.0"),
        ({"duration_s": 0.5}, "`duration_s` must be between 2 and 120 s; got 0.5"),
        ({"recordings_per_patient": 0}, "`recordings_per_patient` must be >= 1; got 0"),
        ({"noise": -0.1}, "`noise` must be a finite number >= 0; got -0.1"),
        ({"noise": float("nan")}, "`noise` must be a finite number >= 0; got nan"),
        (
            {"rhythms": ()},
            "`rhythms` must be a sequence of one or more of SR, SB, ST, AF, AFL, SVT, PACE; got ()",
        ),
        (
            {"rhythms": ("SR", "VT")},
            "one or more of SR, SB, ST, AF, AFL, SVT, PACE; got 'VT' in ('SR', 'VT')",
        ),
        ({"rhythms": "SR"}, "must be a sequence of one or more of SR, SB, ST, AF, AFL, SVT, PACE; got 'SR'"),
    ],
)
def test_wrong_arguments_are_refused_before_the_first_record(wrong: dict[str, object], words: str) -> None:
    arguments = {"n": 4, **wrong}
    with pytest.raises(ValueError) as refused:
        simulate(arguments.pop("n"), **arguments)
    assert words in str(refused.value)
