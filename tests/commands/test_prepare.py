"""`prepare`: what is stored, what is rejected and why, and that asking twice changes nothing."""

import dataclasses
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglipse import corpora
from ecglipse.commands import _prepare
from ecglipse.commands._form import Form, form_of
from ecglipse.commands._prepare import Prepared, prepare
from ecglipse.corpora.simulator import VOCABULARY, simulate
from ecglipse.errors import ConfigError, CorpusError, EcglipseError, RecordError, StoreError
from ecglipse.leads import LEADS
from ecglipse.quality import Limits
from ecglipse.records.record import Record, Wave
from ecglipse.store import Store, problems


@dataclass(frozen=True)
class Listed:
    """An entry of the corpus below."""

    record_id: str
    load: Callable[[], Record]


@dataclass
class Shelf:
    """A corpus of what a test puts on it."""

    name: str = "shelf"
    listed: list[Listed] = field(default_factory=list)
    guesses: None = None

    def entries(self, folder: Path) -> Iterator[Listed]:
        return iter(self.listed)

    def vocabulary(self, folder: Path) -> dict[str, dict[str, Any]]:
        return VOCABULARY

    def put(self, record: Record) -> None:
        self.listed.append(Listed(record.record_id, lambda: record))


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """An empty corpus that every folder is found to be."""
    found = Shelf()
    monkeypatch.setattr(corpora, "detect", lambda folder: found, raising=False)
    return found


@pytest.fixture(scope="module")
def good() -> list[Record]:
    """Eight simulated recordings of 10 s at 100 Hz, with waves."""
    return list(simulate(8))


def failing(error: Exception) -> Callable[[], Record]:
    def load() -> Record:
        raise error

    return load


def shards(store: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(store.glob("*.npy"))]


def test_bad_recordings_are_listed_exactly_and_the_good_ones_are_as_without_them(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    for record in good:
        shelf.put(record)
    clean = prepare(tmp_path, tmp_path / "clean")
    where = tmp_path.resolve() / "deep" / "a.hea"
    huge, lost = good[0].signal.copy(), good[0].signal.copy()
    huge[3] += 100 * np.sign(huge[3])
    lost[3, 5] = np.nan
    eleven = dataclasses.replace(good[0], signal=good[0].signal[1:], leads=LEADS[1:])
    short = dataclasses.replace(good[0], signal=good[0].signal[:, :999])
    bad: list[tuple[str, Callable[[], Record], str | None, str]] = [
        (
            "header",
            failing(RecordError(f"{where}:1: bad gain", reason="header")),
            "header",
            "deep/a.hea:1: bad gain",
        ),
        ("type", failing(ValueError("/etc/secret/x.dat is odd")), "unreadable", "ValueError: x.dat is odd"),
        (
            "gone",
            failing(FileNotFoundError(2, "No such file", str(where))),
            "unreadable",
            "FileNotFoundError",
        ),
        ("eleven", lambda: eleven, "missing-lead", "without lead I"),
        ("short", lambda: short, "too-short", "9.99 s long, 10 s needed"),
        ("huge", lambda: dataclasses.replace(good[0], signal=huge), None, ""),
        ("lost", lambda: dataclasses.replace(good[0], signal=lost), None, ""),
    ]
    for at, (name, load, _, _) in enumerate(bad):
        shelf.listed.insert(at * 2, Listed(name, load))
    made = prepare(tmp_path, tmp_path / "mixed")

    assert made.n_records == clean.n_records == 8
    assert shards(made.store) == shards(clean.store)
    assert Store.open(made.store).table.equals(Store.open(clean.store).table)
    assert Store.open(made.store).waves.equals(Store.open(clean.store).waves)
    rejects = [json.loads(line) for line in (made.store / "rejects.jsonl").read_text().splitlines()]
    assert [line["record_id"] for line in rejects] == [name for name, *_ in bad]
    for line, (_, _, reason, words) in zip(rejects, bad, strict=True):
        assert reason in (None, line["reason"])
        assert words in line["message"]
        assert str(tmp_path) not in line["message"]
    assert "/etc" not in rejects[1]["message"]
    assert sum(made.rejects.values()) == len(bad)
    assert made.rejects["unreadable"] == 2
    assert problems(made.store) == []
    assert not (clean.store / "rejects.jsonl").exists()


def test_a_longer_recording_gives_its_middle_and_its_waves_move_along(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    (record,) = simulate(1, duration_s=14.0)
    marks = (
        Wave("P", 0.5, 0.6, 0.7),
        Wave("QRS", 1.9, 2.1, float("nan"), "II"),
        Wave("T", 6.0, 6.25, 6.5),
        Wave("T", 11.9, 12.0, 12.1),
    )
    shelf.put(dataclasses.replace(record, waves=marks))
    store = Store.open(prepare(tmp_path, tmp_path / "s").store)
    np.testing.assert_allclose(store.millivolts(np.array([0]))[0], record.signal[:, 200:1200], atol=0.000501)
    found = store.waves[["onset_s", "peak_s", "offset_s"]].to_numpy()
    nan = np.nan
    np.testing.assert_allclose(found, [[nan, 0.1, nan], [4.0, 4.25, 4.5], [9.9, 10.0, nan]], atol=1e-9)
    assert list(store.waves["kind"]) == ["QRS", "T", "T"]
    assert "longer recordings: 1" in store.manifest.processing


def test_leads_are_found_by_name_and_others_left_out(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    order = np.random.default_rng(0).permutation(12)
    signal = np.concatenate([good[0].signal[order], good[0].signal[:1] * 3])
    names = (*(LEADS[lead] for lead in order), "vx")
    shelf.put(good[0])
    shelf.put(dataclasses.replace(good[0], signal=signal, leads=names))
    found = Store.open(prepare(tmp_path, tmp_path / "s").store).signals(np.array([0, 1]))
    np.testing.assert_array_equal(found[0], found[1])


def test_resampled_recordings_agree_with_the_same_at_the_stores_rate(tmp_path: Path, shelf: Shelf) -> None:
    """The simulator gives one recording at any rate; noise apart, 500 Hz taken to 100 Hz equals it."""
    at_100, at_500 = (next(simulate(1, fs=fs, noise=0.0)) for fs in (100.0, 500.0))
    shelf.put(at_100)
    shelf.put(at_500)
    store = Store.open(prepare(tmp_path, tmp_path / "s").store)
    one, other = store.millivolts(np.array([0, 1]))[:, :, 20:-20]
    assert np.abs(one - other).max() < 0.05 * np.abs(one).max()
    assert "resampled from 500 Hz to 100 Hz: 1 records" in store.manifest.processing
    assert "kept at 100 Hz: 1 records" in store.manifest.processing


def test_asked_again_nothing_changes(tmp_path: Path, shelf: Shelf, good: list[Record]) -> None:
    for record in good:
        shelf.put(record)
    shelf.listed.append(Listed("bad", failing(RecordError("bad: flat", reason="flat-lead"))))
    first = prepare(tmp_path, tmp_path / "s")
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.store.iterdir()}
    shelf.listed[0] = Listed(good[0].record_id, failing(AssertionError("was loaded")))
    again = prepare(tmp_path, tmp_path / "s")
    assert {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.store.iterdir()
    } == before
    assert (first.existed, again.existed) == (False, True)
    assert dataclasses.replace(again, seconds=first.seconds, existed=False) == first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"form": Form(fs=50.0)}, "a store is there whose fs is 100.0, not 50.0"),
        ({"form": Form(duration_s=5.0)}, "a store is there whose duration_s is 10.0, not 5.0"),
        (
            {"limit": 3},
            "a store of other recordings is there: 5 recordings are only there, 0 only in the source",
        ),
        ({"corpus": "other"}, "a store is there whose corpus is shelf, not other"),
    ],
)
def test_another_store_is_kept_unless_told_to_replace_it(
    tmp_path: Path,
    shelf: Shelf,
    good: list[Record],
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    words: str,
) -> None:
    for record in good:
        shelf.put(record)
    monkeypatch.setattr(corpora, "get", lambda name: Shelf(name, shelf.listed), raising=False)
    first = prepare(tmp_path, tmp_path / "s")
    with pytest.raises(StoreError, match=words) as caught:
        prepare(tmp_path, tmp_path / "s", **options)
    assert "`--replace`" in str(caught.value)
    assert Store.open(first.store).digest == first.digest
    made = prepare(tmp_path, tmp_path / "s", replace=True, **options)
    assert made.digest != first.digest
    assert problems(made.store) == []
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_damaged_store_is_replaced_when_asked(tmp_path: Path, shelf: Shelf, good: list[Record]) -> None:
    shelf.put(good[0])
    first = prepare(tmp_path, tmp_path / "s")
    (first.store / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="not JSON"):
        prepare(tmp_path, tmp_path / "s")
    assert prepare(tmp_path, tmp_path / "s", replace=True).digest == first.digest


def test_a_folder_of_something_else_is_never_replaced(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    shelf.put(good[0])
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("years of work")
    for replace in (False, True):
        with pytest.raises(StoreError):
            prepare(tmp_path, tmp_path / "s", replace=replace)
    assert (tmp_path / "s" / "thesis.txt").read_text() == "years of work"


def test_no_recordings_or_none_that_can_be_used_write_nothing(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(CorpusError, match="no recordings of corpus 'shelf'"):
        prepare(tmp_path, tmp_path / "s")
    for name in "ab":
        shelf.listed.append(Listed(name, failing(RecordError("bad: flat", reason="flat-lead"))))
    with pytest.raises(
        StoreError, match=r"no record to store; rejected: 2 flat-lead[\s\S]*s\.rejects\.jsonl"
    ):
        prepare(tmp_path, tmp_path / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["s.rejects.jsonl"]
    assert len((tmp_path / "s.rejects.jsonl").read_text().splitlines()) == 2


def test_a_full_disk_is_not_taken_for_a_bad_recording(
    tmp_path: Path, shelf: Shelf, good: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    for record in good:
        shelf.put(record)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="cannot be written: No space left on device"):
        prepare(tmp_path, tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fs": 0.0}, "--fs must be > 0; got 0.0"),
        ({"duration_s": float("nan")}, "--duration-s must be > 0; got nan"),
        ({"fs": 1.0, "duration_s": 0.1}, "give records without a sample"),
        ({"overlap": 1.0}, "--overlap must be >= 0 and < 1; got 1.0"),
        ({"highpass_hz": -1.0}, "--highpass-hz must be > 0; got -1.0"),
        ({"leads": "I,I"}, "--leads must name each lead once; got I,I"),
        ({"leads": "I,V7"}, "--leads: lead name 'V7' is not one of the twelve"),
        ({"quality": Path("none.toml")}, "none.toml: cannot be read"),
    ],
)
def test_refuses_options_that_make_no_store(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        form_of(**options)


@pytest.mark.parametrize("option", ["limit", "workers"])
def test_refuses_counts_below_one(tmp_path: Path, option: str) -> None:
    with pytest.raises(ConfigError, match=f"--{option} must be >= 1; got 0"):
        prepare(tmp_path, tmp_path / "s", **{option: 0})


def test_limits_come_from_a_file_and_a_misspelt_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "q.toml").write_text('flat_mv = 0.01\nreject = ["flat-lead"]\n')
    assert form_of(quality=tmp_path / "q.toml").limits == Limits(flat_mv=0.01, reject=("flat-lead",))
    (tmp_path / "q.toml").write_text('flat_mw = 0.01\nstuck_s = true\nreject = ["flat"]\n')
    with pytest.raises(ConfigError) as caught:
        form_of(quality=tmp_path / "q.toml")
    for words in ("did you mean 'flat_mv'", "stuck_s: must be a number; got True", "'flat' is not one of"):
        assert words in str(caught.value)


def test_all_windows_of_a_longer_recording_are_rows_that_know_where_they_begin(
    tmp_path: Path, shelf: Shelf
) -> None:
    (record,) = simulate(1, duration_s=34.0)
    shelf.put(record)
    store = Store.open(prepare(tmp_path, tmp_path / "s", form=Form(windows="all", overlap=0.5)).store)
    assert store.table["start_s"].tolist() == [0.0, 5.0, 10.0, 15.0, 20.0]
    assert store.table["record_id"].nunique() == store.table["patient_id"].nunique() == 1
    found = store.millivolts(np.arange(5))
    for window, start in zip(found, (0, 500, 1000, 1500, 2000), strict=True):
        np.testing.assert_allclose(window, record.signal[:, start : start + 1000], atol=0.000501)
    first, second = (store.waves[store.waves["row"] == row] for row in (0, 1))
    later = first[first["onset_s"] >= 5]["onset_s"].to_numpy() - 5
    np.testing.assert_allclose(second[second["onset_s"] < 5]["onset_s"].dropna().to_numpy(), later, atol=1e-9)


def test_a_bad_window_is_left_out_and_the_others_stay(tmp_path: Path, shelf: Shelf) -> None:
    (record,) = simulate(1, duration_s=30.0)
    signal = record.signal.copy()
    signal[3, 1500] = np.nan
    shelf.put(dataclasses.replace(record, signal=signal))
    store = Store.open(prepare(tmp_path, tmp_path / "s", form=Form(windows="all")).store)
    assert store.table["start_s"].tolist() == [0.0, 20.0]


def test_a_shorter_recording_is_padded_and_flagged_when_asked(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    shelf.put(good[0])
    shelf.put(dataclasses.replace(good[1], signal=good[1].signal[:, :700]))
    store = Store.open(prepare(tmp_path, tmp_path / "s", form=Form(short="pad")).store)
    assert store.table["n_valid"].tolist() == [1000, 700]
    padded = store.millivolts(np.array([1]))[0]
    np.testing.assert_allclose(padded[:, :700], good[1].signal[:, :700], atol=0.000501)
    assert not padded[:, 700:].any()
    assert "padded records: 1" in store.manifest.processing


def test_a_lead_that_is_missing_is_zero_and_flagged_when_asked(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    lacking = [row for row, lead in enumerate(LEADS) if lead != "V3"]
    leads = tuple(LEADS[row] for row in lacking)
    shelf.put(good[0])
    shelf.put(dataclasses.replace(good[1], signal=good[1].signal[lacking], leads=leads))
    store = Store.open(prepare(tmp_path, tmp_path / "s", form=Form(missing="zero")).store)
    assert store.table["missing"].tolist() == [[], ["V3"]]
    found = store.millivolts(np.array([1]))[0]
    assert not found[LEADS.index("V3")].any()
    np.testing.assert_allclose(found[lacking], good[1].signal[lacking], atol=0.000501)


def test_a_store_of_few_leads_takes_recordings_that_have_only_them(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    shelf.put(dataclasses.replace(good[0], signal=good[0].signal[[1, 0]], leads=("II", "I")))
    shelf.put(good[0])
    store = Store.open(prepare(tmp_path, tmp_path / "s", form=form_of(leads="i,ii")).store)
    assert store.leads == ("I", "II")
    one, other = store.millivolts(np.arange(2))
    np.testing.assert_array_equal(one, other)
    assert problems(store.path) == []


def test_filters_take_off_what_they_say_and_are_in_the_manifest(
    tmp_path: Path, shelf: Shelf, good: list[Record]
) -> None:
    time = np.arange(1000) / 100
    drift = 0.8 * np.sin(2 * np.pi * 0.15 * time)
    shelf.put(dataclasses.replace(good[0], signal=(good[0].signal + drift).astype(np.float32)))
    form = form_of(highpass_hz=0.5, lowpass_hz=40.0)
    store = Store.open(prepare(tmp_path, tmp_path / "s", form=form).store)
    raw = Store.open(prepare(tmp_path, tmp_path / "raw").store).millivolts(np.array([0]))[0]
    clean = store.millivolts(np.array([0]))[0]

    def of_drift(signal: np.ndarray) -> float:
        return float(np.abs(np.fft.rfft(signal, axis=-1))[:, 1:3].max())

    assert of_drift(clean) < 0.1 * of_drift(raw)
    assert any("high-pass filter at 0.5 Hz" in sentence for sentence in store.manifest.processing)


def test_the_number_of_workers_changes_nothing(
    tmp_path: Path, shelf: Shelf, good: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        shelf.put(dataclasses.replace(good[number % 8], record_id=str(number)))
    shelf.listed.insert(77, Listed("bad", failing(RecordError("bad: flat", reason="flat-lead"))))
    digests = [prepare(tmp_path, tmp_path / str(n), workers=n).digest for n in (1, 2, 3)]
    assert len(set(digests)) == 1


def test_a_worker_that_dies_is_said_and_the_next_preparation_goes_on(
    tmp_path: Path, shelf: Shelf, good: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setattr(_prepare, "_SHARD_RECORDS", 16)
    for number in range(200):
        shelf.put(dataclasses.replace(good[number % 8], record_id=str(number)))
    clean = prepare(tmp_path, tmp_path / "clean", workers=1)
    whole, shelf.listed[150] = shelf.listed[150], Listed("150", lambda: os._exit(9))
    with pytest.raises(
        EcglipseError, match=r"a process that read recordings died[\s\S]*it goes on from there"
    ):
        prepare(tmp_path, tmp_path / "s", workers=2)
    assert not (tmp_path / "s").exists()
    (left,) = tmp_path.glob(".s.partial-*")
    assert len(list(left.glob("signals-*.npy"))) >= 2
    shelf.listed[150] = whole
    shelf.listed[0] = Listed("0", failing(AssertionError("was read again")))
    made = prepare(tmp_path, tmp_path / "s", workers=1)
    assert (made.digest, made.rejects) == (clean.digest, {})
    assert problems(made.store) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "s"]


def test_eight_preparations_at_once_make_one_store(tmp_path: Path, shelf: Shelf, good: list[Record]) -> None:
    import multiprocessing

    for number in range(60):
        shelf.put(dataclasses.replace(good[number % 8], record_id=str(number)))
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()

    def one() -> None:
        made = prepare(tmp_path, tmp_path / "s", workers=1, progress=False)
        results.put((made.digest, made.n_records, made.existed))

    started = [fork.Process(target=one) for _ in range(8)]
    for process in started:
        process.start()
    found = [results.get(timeout=60) for _ in started]
    for process in started:
        process.join()
    assert len({digest for digest, _, _ in found}) == 1
    assert {count for _, count, _ in found} == {60}
    assert sorted(existed for _, _, existed in found) == [False] + [True] * 7
    assert problems(tmp_path / "s") == []
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.fixture(scope="module")
def ptbxl(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Prepared]:
    """The first hundred recordings of the real PTB-XL."""
    return pack / "ptbxl", prepare(pack / "ptbxl", tmp_path_factory.mktemp("real") / "s", limit=100)


def test_real_recordings_are_within_half_a_unit_of_wfdbs(ptbxl: tuple[Path, Prepared]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas
        import wfdb

    source, made = ptbxl
    store = Store.open(made.store)
    assert made.n_records + sum(made.rejects.values()) == 100
    assert made.n_records >= 95
    paths = {path.stem.removesuffix("_lr"): path.with_suffix("") for path in source.rglob("*_lr.hea")}
    for row, record_id in enumerate(store.table["record_id"]):
        stem = f"{int(''.join(filter(str.isdigit, record_id.split('/')[-1].removesuffix('_lr')))):05d}"
        read = wfdb.rdrecord(str(paths[stem]))
        order = [[name.lower() for name in read.sig_name].index(lead.lower()) for lead in LEADS]
        found = store.millivolts(np.array([row]))[0]
        assert np.abs(found - read.p_signal.T[order]).max() <= 0.0005 + 1e-5
    assert problems(made.store) == []


def test_real_recordings_keep_what_the_database_says(ptbxl: tuple[Path, Prepared]) -> None:
    import pandas as pd

    source, made = ptbxl
    store = Store.open(made.store)
    truth = pd.read_csv(source / "ptbxl_database.csv", nrows=100)
    if made.n_records == 100:
        assert list(store.table["fold"]) == list(truth["strat_fold"])
        assert list(store.table["sex"]) == ["female" if sex else "male" for sex in truth["sex"]]
        assert store.table["patient_id"].nunique() == truth["patient_id"].nunique()
    assert store.table["patient_id"].str.fullmatch("[0-9a-f]{16}").all()
    assert {code for codes in store.table["codes"] for code in codes} <= set(store.manifest.vocabulary)


def test_real_recordings_asked_again_are_there(ptbxl: tuple[Path, Prepared]) -> None:
    source, made = ptbxl
    again = prepare(source, made.store, limit=100)
    assert (again.existed, again.digest) == (True, made.digest)


def test_recordings_can_be_left_out_by_name(tmp_path: Path, shelf: Shelf, good: list[Record]) -> None:
    for record in good:
        shelf.put(record)
    left, kept = good[2].record_id, [record.record_id for record in good if record is not good[2]]
    made = prepare(tmp_path, tmp_path / "store", without=[left])
    there = Store.open(made.store)
    assert list(there.table["record_id"]) == kept
    assert there.rejects == []
    with pytest.raises(StoreError, match="0 recordings are only there, 1 only in the source"):
        prepare(tmp_path, tmp_path / "store")
    with pytest.raises(ConfigError, match=rf"--without: .* no recording '{left}x'; did you mean '{left}'"):
        prepare(tmp_path, tmp_path / "other", without=[f"{left}x"])
    assert not (tmp_path / "other").exists()
