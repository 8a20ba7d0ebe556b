"""Copies are found whatever was done to them, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.corpora.simulator import simulate
from ecglipse.leads import LEADS
from ecglipse.leaks import across_split, duplicates, known_overlaps
from ecglipse.records.record import Record
from ecglipse.signal import resample
from ecglipse.store import Store, StoreWriter

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def written(path: Path, signals: list[np.ndarray], *, fs: float = 100.0) -> Store:
    n = min(x.shape[1] for x in signals)
    with StoreWriter(
        path, corpus="t", fs=fs, duration_s=n / fs, vocabulary={}, processing=[], shard_records=16
    ) as writer:
        for number, x in enumerate(signals):
            writer.add(Record(x[:, :n].astype(np.float32), fs, LEADS, str(number), str(number), "t"))
        writer.commit()
    return Store.open(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Sixty simulated recordings of different people."""
    return written(tmp_path_factory.mktemp("s") / "s", [record.signal for record in simulate(60, seed=5)])


def halved(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    start = int(rng.integers(0, 500))
    return x[:, start : start + 500]


def moved(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return resample(resample(x, 100.0, 500.0)[:, 2:], 500.0, 100.0)


CHANGES: dict[str, Change] = {
    "rescaled": lambda x, rng: x * 3.3,
    "leads permuted": lambda x, rng: x[rng.permutation(12)],
    "cut to five seconds": halved,
    "moved by part of a sample": moved,
    "with a baseline": lambda x, rng: x + 0.3 * np.sin(np.arange(x.shape[1]) / 60),
    "all together": lambda x, rng: halved(moved(0.4 * x[rng.permutation(12)], rng), rng),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_found_across_stores_and_nothing_else(change: str, store: Store, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = np.arange(0, 60, 3)
    copies = written(tmp_path / "c", [CHANGES[change](x, rng) for x in store.millivolts(rows)])
    found = duplicates(store, copies)
    assert sorted(zip(found["row_a"], found["row_b"], strict=True)) == [
        (row, n) for n, row in enumerate(rows)
    ]
    turned = duplicates(copies, store)
    assert sorted(zip(turned["row_b"], turned["row_a"], strict=True)) == [
        (row, n) for n, row in enumerate(rows)
    ]


def test_a_copy_at_another_rate_is_found(store: Store, tmp_path: Path) -> None:
    rows = np.arange(20)
    fast = [resample(x, 100.0, 500.0) for x in store.millivolts(rows)]
    found = duplicates(store, written(tmp_path / "f", fast, fs=500.0))
    assert sorted(zip(found["row_a"], found["row_b"], strict=True)) == [(n, n) for n in range(20)]


def test_the_shift_says_where_the_copy_lies(store: Store, tmp_path: Path) -> None:
    later = [x[:, 300:900] for x in store.millivolts(np.arange(8))]
    found = duplicates(store, written(tmp_path / "l", later))
    np.testing.assert_allclose(found["shift_s"], -3.0, atol=0.006)
    np.testing.assert_allclose(found["overlap_s"], 6.0, atol=0.2)


def test_different_people_are_not_the_same_and_a_planted_copy_within_a_store_is(
    store: Store, tmp_path: Path
) -> None:
    assert len(duplicates(store)) == 0
    signals = list(store.millivolts(np.arange(30)))
    found = duplicates(written(tmp_path / "p", [*signals, signals[7] * 2]))
    assert list(zip(found["row_a"], found["row_b"], strict=True)) == [(7, 30)]


def test_silence_and_noise_are_no_copies_of_anything(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    signals = [np.zeros((12, 1000)), np.zeros((12, 1000)), *(rng.normal(size=(12, 1000)) for _ in range(6))]
    assert len(duplicates(written(tmp_path / "n", signals))) == 0


def test_only_pairs_across_the_split_are_leaks(store: Store, tmp_path: Path) -> None:
    signals = list(store.millivolts(np.arange(10)))
    found = duplicates(written(tmp_path / "x", [*signals, signals[1], signals[2]]))
    assert len(found) == 2
    crossing = across_split(found, train=[0, 1, 2, 3, 11], test=[10, 9])
    assert list(zip(crossing["row_a"], crossing["row_b"], strict=True)) == [(1, 10)]


def test_real_recordings_are_all_different_but_a_copy_is_found(pack: Path, tmp_path: Path) -> None:
    from ecglipse.commands import prepare

    made = Store.open(prepare(pack / "ptbxl", tmp_path / "s", limit=300, progress=False).store)
    assert len(duplicates(made)) == 0
    rng = np.random.default_rng(1)
    rows = np.arange(0, 300, 10)
    copies = written(tmp_path / "c", [CHANGES["all together"](x, rng) for x in made.millivolts(rows)])
    found = duplicates(made, copies)
    assert sorted(zip(found["row_a"], found["row_b"], strict=True)) == [
        (row, n) for n, row in enumerate(rows)
    ]


def test_known_overlaps_name_both_corpora() -> None:
    assert known_overlaps(["ptbxl", "cinc"])[0].what.startswith("the challenges' PTB-XL part")
    assert known_overlaps(["mine"]) == []
