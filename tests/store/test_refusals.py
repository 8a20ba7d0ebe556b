"""What the writer refuses, and in which words."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglipse.errors import RecordError, StoreError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.store import Manifest, Store, StoreWriter

Make = Callable[..., Record]
SETTINGS: dict[str, Any] = {
    "corpus": "test", "fs": 100.0, "duration_s": 1.0, "vocabulary": {}, "processing": []
}  # fmt: skip


def test_a_value_that_does_not_fit_is_refused_and_the_rest_stays(tmp_path: Path, make_record: Make) -> None:
    good, signal = make_record(0), make_record(1).signal.copy()
    signal[6, 50] = -32.7676
    with StoreWriter(tmp_path / "s", **SETTINGS) as writer:
        writer.add(good)
        with pytest.raises(
            RecordError, match=r"r1: lead V1 reaches 32\.768 mV; 32\.767 mV can be stored"
        ) as caught:
            writer.add(dataclasses.replace(make_record(1), signal=signal))
        writer.add(make_record(2))
        writer.commit()
    assert caught.value.reason == "amplitude"
    assert list(Store.open(tmp_path / "s").table["record_id"]) == ["r0", "r2"]


def test_the_largest_value_fits(tmp_path: Path, make_record: Make) -> None:
    signal = make_record(0).signal.copy()
    signal[0, :2] = 32.7674, -32.7674
    with StoreWriter(tmp_path / "s", **SETTINGS) as writer:
        writer.add(dataclasses.replace(make_record(0), signal=signal))
        writer.commit()
    assert Store.open(tmp_path / "s").signals(np.array([0]))[0, 0, :2].tolist() == [32767, -32767]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(tmp_path: Path, make_record: Make, value: float) -> None:
    signal = make_record(0).signal.copy()
    signal[2, 7] = value
    record = dataclasses.replace(make_record(0), signal=signal)
    with (
        StoreWriter(tmp_path / "s", **SETTINGS) as writer,
        pytest.raises(RecordError, match="r0: lead III has values that are no numbers") as caught,
    ):
        writer.add(record)
    assert caught.value.reason == "not-finite"


@pytest.mark.parametrize(
    "change", [{"fs": 500.0}, {"leads": LEADS[::-1]}, {"signal": np.zeros((12, 99), np.float32)}]
)
def test_a_record_of_another_form_is_a_programmers_mistake(
    tmp_path: Path, make_record: Make, change: dict[str, Any]
) -> None:
    record = dataclasses.replace(make_record(0), **change)
    with (
        StoreWriter(tmp_path / "s", **SETTINGS) as writer,
        pytest.raises(ValueError, match=r"`record` must have 100\.0 Hz, shape"),
    ):
        writer.add(record)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fs": 0.0}, "`fs` must be > 0; got 0.0"),
        ({"scale_mv": -1.0}, "`scale_mv` must be > 0"),
        ({"duration_s": float("inf")}, "`duration_s` must be > 0"),
        ({"shard_records": 0}, "`shard_records` must be >= 1; got 0"),
        ({"duration_s": 0.001}, "must be >= 1 sample"),
    ],
)
def test_refuses_numbers_that_make_no_store(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        StoreWriter(tmp_path / "s", **(SETTINGS | change))


def test_nothing_stored_means_no_store(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", **SETTINGS) as writer:
        writer.reject("a", "flat-lead", "a: flat")
        with pytest.raises(StoreError, match="no record to store; rejected: 1 flat-lead"):
            writer.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["s.rejects.jsonl"]


def test_a_folder_that_is_not_a_store_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match=r"holds `thesis.txt`, which no store has"):
        StoreWriter(tmp_path / "s", **SETTINGS).__enter__()
    assert (tmp_path / "s" / "thesis.txt").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("years of work")
    with pytest.raises(StoreError, match="holds `s`, which no store has"):
        StoreWriter(tmp_path / "s", **SETTINGS).__enter__()


def test_two_writers_of_one_place_do_not_meet(tmp_path: Path, make_record: Make) -> None:
    with StoreWriter(tmp_path / "s", **SETTINGS) as first:
        with pytest.raises(StoreError, match="is being written already"):
            StoreWriter(tmp_path / "s", **SETTINGS).__enter__()
        first.add(make_record(0))
        first.commit()
    assert len(Store.open(tmp_path / "s")) == 1


def test_a_store_that_appears_meanwhile_is_not_written_over(
    tmp_path: Path, make_record: Make, make_store: Callable[..., Manifest]
) -> None:
    make_store(tmp_path / "other")
    with StoreWriter(tmp_path / "s", **SETTINGS) as writer:
        writer.add(make_record(0))
        (tmp_path / "other").rename(tmp_path / "s")
        with pytest.raises(StoreError, match="another store appeared there meanwhile"):
            writer.commit()
    assert len(Store.open(tmp_path / "s")) == 10


def test_a_writer_is_used_within_with_alone(tmp_path: Path, make_record: Make) -> None:
    writer = StoreWriter(tmp_path / "s", **SETTINGS)
    with pytest.raises(ValueError, match="used within `with`"):
        writer.add(make_record(0))
    with writer:
        writer.add(make_record(0))
        writer.commit()
        with pytest.raises(ValueError, match="not after `commit`"):
            writer.add(make_record(0))
