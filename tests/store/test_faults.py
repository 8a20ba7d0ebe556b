"""Whatever happens to a store's files is found; a file that is cut off never kills the process."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecglipse.errors import StoreError
from ecglipse.seeding import numpy_rng
from ecglipse.store import Manifest, Store, problems

FAULTS = 100
Make = Callable[..., Manifest]
Files = dict[str, bytes | None]
"""Content by name; None: the file is missing."""


def flip(files: dict[str, bytes], old: dict[str, bytes], rng: np.random.Generator) -> Files:
    name = rng.choice(sorted(files))
    content = bytearray(files[name])
    content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
    return {name: bytes(content)}


def truncate(files: dict[str, bytes], old: dict[str, bytes], rng: np.random.Generator) -> Files:
    name = rng.choice(sorted(files))
    return {name: files[name][: rng.integers(len(files[name]))]}


def delete(files: dict[str, bytes], old: dict[str, bytes], rng: np.random.Generator) -> Files:
    return {rng.choice(sorted(files)): None}


def swap(files: dict[str, bytes], old: dict[str, bytes], rng: np.random.Generator) -> Files:
    one, other = rng.permutation(sorted(files))[:2]
    return {one: files[other], other: files[one]}


def replay(files: dict[str, bytes], old: dict[str, bytes], rng: np.random.Generator) -> Files:
    name = rng.choice(sorted(name for name in files if files[name] != old[name] and name != "manifest.json"))
    return {name: old[name]}


def extra(files: dict[str, bytes], old: dict[str, bytes], rng: np.random.Generator) -> Files:
    return {rng.choice(["signals-00003.npy", "notes.txt", ".hidden"]): b"more"}


@pytest.mark.parametrize("fault", [flip, truncate, delete, swap, replay, extra])
def test_every_fault_is_found(tmp_path: Path, make_store: Make, fault: Callable[..., Files]) -> None:
    make_store(tmp_path / "old", 12, seed=1)
    make_store(tmp_path / "store", 12)
    old = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    files = {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir()}
    assert problems(tmp_path / "store") == []
    for number in range(FAULTS):
        broken = fault(files, old, numpy_rng(0, fault.__name__, number))
        write(tmp_path / "store", broken)
        found = problems(tmp_path / "store")
        assert found, f"{fault.__name__} {number} of {sorted(broken)} was not found"
        assert any(name in problem for name in broken for problem in found), (sorted(broken), found)
        write(tmp_path / "store", {name: files.get(name) for name in broken})
    assert problems(tmp_path / "store") == []


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize("cut", [0, 1, 127, 128, 5000, 9727])
def test_a_shard_that_is_cut_off_is_an_error_that_names_it(
    tmp_path: Path, make_store: Make, cut: int
) -> None:
    make_store(tmp_path / "s", 12)
    shard = tmp_path / "s" / "signals-00001.npy"
    shard.write_bytes(shard.read_bytes()[:cut])
    with pytest.raises(StoreError, match=f"signals-00001.npy has {cut} bytes, expected 9728"):
        Store.open(tmp_path / "s")


def test_a_missing_shard_is_an_error_that_names_it(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 12)
    (tmp_path / "s" / "signals-00002.npy").unlink()
    with pytest.raises(StoreError, match=r"signals-00002\.npy cannot be read: No such file"):
        Store.open(tmp_path / "s")


def test_a_shard_of_another_shape_is_refused(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 12)
    shard = tmp_path / "s" / "signals-00001.npy"
    np.save(shard, np.load(shard).reshape(4, 100, 12))
    with pytest.raises(
        StoreError, match=r"signals-00001.npy holds int16 \(4, 100, 12\), expected int16 \(4, 12,"
    ):
        Store.open(tmp_path / "s")


def test_a_pickle_is_never_loaded(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 12)
    shard = tmp_path / "s" / "signals-00001.npy"
    np.save(shard, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    shard.write_bytes(shard.read_bytes().ljust(9728, b"\0"))
    with pytest.raises(StoreError, match=r"signals-00001\.npy cannot be read"):
        Store.open(tmp_path / "s")


@pytest.mark.parametrize("name", ["records.parquet", "waves.parquet", "rejects.jsonl"])
def test_a_damaged_table_is_refused_when_it_is_read(tmp_path: Path, make_store: Make, name: str) -> None:
    make_store(tmp_path / "s", 12)
    content = bytearray((tmp_path / "s" / name).read_bytes())
    content[40] ^= 1
    (tmp_path / "s" / name).write_bytes(bytes(content))
    store = Store.open(tmp_path / "s")
    with pytest.raises(StoreError, match=f"{name} does not match its SHA-256"):
        getattr(store, name.split(".")[0].replace("records", "table"))


def test_tables_that_contradict_the_shards_are_found(tmp_path: Path, make_store: Make) -> None:
    manifest, fewer = make_store(tmp_path / "s", 12), make_store(tmp_path / "fewer", 11)
    (tmp_path / "s" / "records.parquet").write_bytes((tmp_path / "fewer" / "records.parquet").read_bytes())
    forged = replace(
        manifest,
        tables=tuple(one if one.file != "records.parquet" else fewer.tables[0] for one in manifest.tables),
        rejects={"flat-lead": 2},
    )
    (tmp_path / "s" / "manifest.json").write_text(forged.text(), encoding="utf-8")
    assert problems(tmp_path / "s") == [
        "records.parquet: 11 rows, expected 12",
        "rejects.jsonl: lists {'flat-lead': 1}, the manifest counts {'flat-lead': 2}",
    ]
    with pytest.raises(StoreError, match=r"records\.parquet has 11 rows, expected 12"):
        _ = Store.open(tmp_path / "s").table


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "zarr"}, "format 'ecglipse-store' expected, 'zarr' found"),
        ({"version": 7}, "version 7 of the format; this ecglipse reads version 2"),
        ({"fs": None}, "fs cannot be None"),
        ({"fs": 100.5}, "does not match its checksum"),
        ({"fs": 200}, "n_samples is 100, but fs . duration_s is 200"),
        ({"n_records": 13}, "n_records is 13, but the shards hold 12"),
        ({"n_records": True}, "n_records cannot be True"),
        ({"n_records": 10**400}, "n_records is 1"),
        ({"fs": 10**400}, "int too large"),
        ({"scale_mv": [0.001]}, "scale_mv has 1, but the leads are 12"),
        (
            {"shards": [{"file": "../x.npy", "records": 12, "bytes": 1, "sha256": "0" * 64}]},
            "shards cannot be",
        ),
        ({"tables": []}, "tables cannot be"),
        ({"vocabulary": {"A": {}}}, "vocabulary of 'A' cannot be"),
        ({"corpus": "other"}, "does not match its checksum"),
        ({"created": "2001-01-01T00:00:00+00:00"}, "does not match its checksum"),
        ({"more": 1}, "with unknown more"),
    ],
)
def test_a_manifest_that_is_wrong_says_how(
    tmp_path: Path, make_store: Make, change: dict[str, object], words: str
) -> None:
    make_store(tmp_path / "s", 12)
    where = tmp_path / "s" / "manifest.json"
    where.write_text(json.dumps(json.loads(where.read_text()) | change))
    with pytest.raises(StoreError, match=words):
        Store.open(tmp_path / "s")
    assert len(problems(tmp_path / "s")) == 1


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", "\ud800"])
def test_a_damaged_manifest_is_an_error(tmp_path: Path, make_store: Make, text: str) -> None:
    make_store(tmp_path / "s", 12)
    (tmp_path / "s" / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(StoreError, match=r"not JSON|format 'ecglipse-store' expected"):
        Store.open(tmp_path / "s")


def test_a_missing_key_is_named(tmp_path: Path, make_store: Make) -> None:
    make_store(tmp_path / "s", 12)
    where = tmp_path / "s" / "manifest.json"
    content = json.loads(where.read_text())
    del content["scale_mv"], content["leads"]
    where.write_text(json.dumps(content))
    with pytest.raises(StoreError, match="without leads, scale_mv"):
        Store.open(tmp_path / "s")


def test_a_missing_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere: no such folder"):
        Store.open(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"has no manifest\.json"):
        Store.open(tmp_path)
