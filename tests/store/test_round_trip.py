"""What is written is what is read: signals, tables, manifest, digest."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.store import Manifest, Store, StoreWriter, problems

Make = Callable[..., Manifest]


@pytest.mark.parametrize("scale_mv", [0.001, 0.0048, 0.00025])
def test_round_trip_errs_by_at_most_half_a_unit(
    tmp_path: Path, make_store: Make, make_record: Callable[..., Record], scale_mv: float
) -> None:
    make_store(tmp_path / "s", 10, scale_mv=scale_mv)
    found = Store.open(tmp_path / "s").millivolts(np.arange(10))
    truth = np.stack([make_record(number).signal for number in range(10)])
    error = np.abs(found.astype(np.float64) - truth).max()
    slack = 2 * np.finfo(np.float32).eps * np.abs(truth).max()  # float32 scale, and its product
    assert error <= scale_mv / 2 + slack
    assert error > scale_mv / 3  # the bound is near: the unit was not silently finer


def test_rows_come_in_the_order_asked_across_shards(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 10)
    store = Store.open(tmp_path / "s")
    every = np.concatenate([np.load(path) for path in sorted((tmp_path / "s").glob("*.npy"))])
    rows = np.random.default_rng(0).integers(0, 10, size=200)
    np.testing.assert_array_equal(store.signals(rows), every[rows])
    np.testing.assert_array_equal(store.signals(rows[:0]), every[rows[:0]])


@pytest.mark.parametrize("row", [-1, 10])
def test_refuses_a_row_that_is_not_there(tmp_path: Path, make_store: Make, row: int) -> None:
    make_store(tmp_path / "s", 10)
    with pytest.raises(IndexError, match=r"`rows` must be in 0..9; got"):
        Store.open(tmp_path / "s").signals(np.array([3, row]))


def test_tables_keep_what_is_known_and_what_is_not(
    tmp_path: Path, make_store: Make, make_record: Callable[..., Record]
) -> None:
    make_store(tmp_path / "s", 10)
    store = Store.open(tmp_path / "s")
    assert list(store.table.columns) == [
        *("record_id", "patient_id", "source", "fold", "age", "sex", "codes"),
        *("start_s", "n_valid", "missing", "flags", "source_fs", "source_s"),
    ]
    waves = []
    for number, row in enumerate(store.table.itertuples()):
        record = make_record(number)
        assert (row.record_id, row.patient_id, row.source) == (record.record_id, record.patient_id, "test")
        assert row.codes == list(record.codes)
        for name in ("fold", "age", "sex"):
            known = getattr(record, name)
            assert store.table[name].isna()[number] == (known is None)
            assert known is None or getattr(row, name) == known
        waves += [(number, wave.kind, wave.lead, wave.onset_s, wave.offset_s) for wave in record.waves]
    assert store.table["fold"].dtype == "Int64"
    columns = ["row", "kind", "lead", "onset_s", "offset_s"]
    assert list(store.waves[columns].itertuples(index=False, name=None)) == waves
    assert store.waves["peak_s"].isna().all()
    assert store.rejects == [{"record_id": "bad", "reason": "flat-lead", "message": "bad: lead V1 is flat"}]


def test_without_waves_the_table_is_empty_with_its_columns(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 1)
    waves = Store.open(tmp_path / "s").waves
    assert list(waves.columns) == ["row", "kind", "lead", "onset_s", "peak_s", "offset_s"]
    assert len(waves) == 0
    assert not (tmp_path / "s" / "waves.parquet").exists()


def test_equal_content_gives_an_equal_digest_and_other_content_another(
    tmp_path: Path, make_store: Make
) -> None:
    digests = [make_store(tmp_path / str(number), 10, seed=number // 2).digest for number in range(3)]
    assert digests[0] == digests[1] != digests[2]


def test_digest_leaves_out_the_date_alone(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s")
    where = tmp_path / "s" / "manifest.json"
    content = json.loads(where.read_text())
    before = Store.open(tmp_path / "s").digest
    del content["checksum"]
    where.write_text(json.dumps(content | {"created": "1999-01-01T00:00:00+00:00"}))
    assert Store.open(tmp_path / "s").digest == before
    where.write_text(json.dumps(content | {"corpus": "another"}))
    assert Store.open(tmp_path / "s").digest != before


def test_layout_is_the_documented_one(tmp_path: Path, make_store: Make) -> None:
    manifest = make_store(tmp_path / "s", 10)
    names = {"signals-00000.npy", "signals-00001.npy", "signals-00002.npy"}
    tables = {"records.parquet", "waves.parquet", "rejects.jsonl"}
    assert {path.name for path in (tmp_path / "s").iterdir()} == names | tables | {"manifest.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    content = json.loads((tmp_path / "s" / "manifest.json").read_text())
    assert (content["format"], content["version"], content["n_records"]) == ("ecglipse-store", 2, 10)
    assert [shard["records"] for shard in content["shards"]] == [4, 4, 2]
    assert content["leads"] == list(LEADS)
    assert content["scale_mv"] == [0.001] * 12
    assert content["rejects"] == {"flat-lead": 1}
    first = np.load(tmp_path / "s" / "signals-00000.npy", allow_pickle=False)
    assert (first.dtype, first.shape) == (np.dtype("<i2"), (4, 12, 100))
    store = Store.open(tmp_path / "s")
    assert store.manifest == manifest
    assert (len(store), store.fs, store.n_samples, store.leads) == (10, 100.0, 100, LEADS)
    assert problems(tmp_path / "s") == []


def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path, make_store: Make) -> None:
    old = os.umask(0o777)
    try:
        make_store(tmp_path / "s")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "s").iterdir()} == {0o600}


def test_shards_are_what_numpy_saves(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 3)
    np.save(tmp_path / "again.npy", np.load(tmp_path / "s" / "signals-00000.npy"))
    assert (tmp_path / "again.npy").read_bytes() == (tmp_path / "s" / "signals-00000.npy").read_bytes()


def test_shard_size_does_not_change_signals_or_tables(tmp_path: Path, make_store: Make) -> None:
    stores = []
    for size in (1, 4, 100):
        make_store(tmp_path / str(size), 10, shard_records=size)
        stores.append(Store.open(tmp_path / str(size)))
    for other in stores[1:]:
        np.testing.assert_array_equal(stores[0].signals(np.arange(10)), other.signals(np.arange(10)))
        assert stores[0].table.equals(other.table)
        assert stores[0].waves.equals(other.waves)


def test_sentences_may_be_added_until_commit(tmp_path: Path, make_record: Callable[..., Record]) -> None:
    with StoreWriter(
        tmp_path / "s", corpus="test", fs=100.0, duration_s=1.0, vocabulary={}, processing=["one"]
    ) as writer:
        writer.add(make_record(0))
        writer.processing.append("two")
        writer.commit()
    assert Store.open(tmp_path / "s").manifest.processing == ("one", "two")
