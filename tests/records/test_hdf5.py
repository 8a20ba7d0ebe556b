"""HDF5 files of one's own: values, what is asked for, what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ecglipse.commands import prepare
from ecglipse.commands._form import Form
from ecglipse.errors import CorpusError, RecordError
from ecglipse.leads import LEADS
from ecglipse.records.hdf5 import read_column, read_hdf5
from ecglipse.records.reading import Reading, unit_mv
from ecglipse.seeding import numpy_rng
from ecglipse.store import Store

FULL = Reading(unit="uV", fs=500.0, leads=LEADS)


def some(n: int = 3, *, time: int = 5000) -> np.ndarray:
    """Recordings (record, time, lead) in microvolt; no sample is 0."""
    return np.round(300 * numpy_rng(1, "hdf5").standard_normal((n, time, 12))) + 0.5


PACKINGS = ({}, {"compression": "gzip", "shuffle": True, "fletcher32": True}, {"compression": "lzf"})


@pytest.mark.parametrize("packing", PACKINGS, ids=["plain", "gzip", "lzf"])
@pytest.mark.parametrize("leads_last", [True, False])
def test_each_recording_is_read_in_millivolts(packing: dict, leads_last: bool, tmp_path: Path) -> None:
    x = some()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("ecg", data=x if leads_last else x.transpose(0, 2, 1), **packing)
    for index in range(3):
        found = read_hdf5(tmp_path / "a.h5", FULL, index=index)
        assert (found.fs, found.leads, found.record_id) == (500.0, LEADS, f"a-{index:06d}")
        np.testing.assert_allclose(found.signal, x[index].T / 1000, rtol=1e-6)


def test_attributes_are_taken_at_their_word_and_go_before_the_reading(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("group/ecg", data=some(1)[0])
        made.attrs["unit"], made.attrs["leads"] = "mV", ",".join(LEADS[::-1])
        file.attrs["fs"] = 250
    found = read_hdf5(tmp_path / "a.h5", Reading(unit="uV", fs=500.0, dataset="group/ecg"))
    assert (found.fs, found.leads) == (250.0, LEADS[::-1])
    np.testing.assert_allclose(found.signal[0], some(1)[0][:, 0], rtol=1e-6)


def test_zeros_at_the_ends_are_cut_off_and_zeros_within_stay(tmp_path: Path) -> None:
    x = np.zeros((2, 6000, 12))
    x[0, 500:5500] = some(1)[0]
    x[0, 2000:2300] = 0
    x[1, 40:] = 1.0
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ecg"] = x
    cut = read_hdf5(tmp_path / "a.h5", FULL, index=0).signal
    np.testing.assert_allclose(cut, x[0, 500:5500].T / 1000, rtol=1e-6)
    assert read_hdf5(tmp_path / "a.h5", FULL, index=1).signal.shape == (12, 6000), "40 samples are not 0.1 s"


def test_a_folder_of_hdf5_becomes_a_store_and_what_is_unknown_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    with h5py.File(folder / "many.h5", "w") as file:
        file["a"], file["b"] = some(4), some(4)
        file["a"][2] = 0
    for reading, words in (
        (FULL, "`--dataset NAME`"),
        (Reading(unit="uV", fs=500.0, dataset="a"), "`--source-leads"),
        (Reading(unit="uV", leads=LEADS, dataset="a"), "`--source-fs 500`"),
        (Reading(fs=500.0, leads=LEADS, dataset="a"), "`--unit mV`"),
    ):
        with pytest.raises(CorpusError) as caught:
            prepare(folder, tmp_path / "s", reading=reading)
        assert words in str(caught.value)
    made = prepare(folder, tmp_path / "s", reading=Reading("uV", 500.0, LEADS, "a"))
    assert (made.n_records, made.rejects) == (3, {"empty": 1})
    assert any("0.1 s and more at either end are padding" in sentence for sentence in made.guessed)
    store = Store.open(made.store)
    assert list(store.table["record_id"]) == ["many-000000", "many-000001", "many-000003"]
    assert store.manifest.processing[0].endswith("dataset a")


def test_processes_read_what_one_reads(tmp_path: Path) -> None:
    """A handle that was open before the fork is not used after it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    with h5py.File(folder / "many.h5", "w") as file:
        file.create_dataset("ecg", data=some(100, time=500), chunks=(7, 500, 12), compression="gzip")
    form = Form(fs=500.0, duration_s=1.0)
    held = []
    for workers in (1, 3):
        made = prepare(folder, tmp_path / f"s{workers}", reading=FULL, form=form, workers=workers)
        assert made.n_records == 100
        held.append(Store.open(made.store).millivolts(np.arange(100)))
    np.testing.assert_array_equal(*held)


def _external(path: Path) -> None:
    (path.parent / "secret").write_bytes(bytes(12 * 5000))
    with h5py.File(path, "w") as file:
        file.create_dataset("ecg", (5000, 12), "i1", external=[(str(path.parent / "secret"), 0, 60_000)])


def _virtual(path: Path) -> None:
    with h5py.File(path.with_name("other.hdf5x"), "w") as file:
        file["ecg"] = some(1)[0]
    layout = h5py.VirtualLayout((5000, 12), "f8")
    layout[...] = h5py.VirtualSource(str(path.with_name("other.hdf5x")), "ecg", (5000, 12))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("ecg", layout)


def _linked(path: Path, link: object) -> None:
    with h5py.File(path.with_name("linked.hdf5x"), "w") as file:
        file["ecg"] = some(1)[0]
    with h5py.File(path, "w") as file:
        file["ecg"] = link


def _external_link(path: Path) -> None:
    _linked(path, h5py.ExternalLink("linked.hdf5x", "ecg"))


def _soft_link(path: Path) -> None:
    _linked(path, h5py.SoftLink("/other"))


def _holds(value: object, **packing: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("ecg", data=value, **packing)

    return write


def _claims(shape: tuple[int, ...], chunks: tuple[int, ...] | None) -> Callable[[Path], None]:
    """A dataset of which nothing was written."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("ecg", shape, "f4", chunks=chunks)

    return write


def _cut(path: Path) -> None:
    _holds(some(1)[0])(path)
    os.truncate(path, path.stat().st_size // 2)


def _flipped(path: Path) -> None:
    _holds(some(1)[0], chunks=(5000, 12), fletcher32=True)(path)
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)


def _odd_numbers(path: Path) -> None:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(120)
    with h5py.File(path, "w") as file:
        made = h5py.h5d.create(file.id, b"ecg", kind, h5py.h5s.create_simple((5000, 12)))
        h5py.Dataset(made)[...] = some(1)[0]


HOSTILE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "external-storage": (_external, "unsafe-path", "are in another file"),
    "virtual": (_virtual, "unsafe-path", "are in another file"),
    "external-link": (_external_link, "unsafe-path", "is a link"),
    "soft-link": (_soft_link, "unsafe-path", "is a link"),
    "link": (lambda p: p.symlink_to("/etc/passwd"), "unsafe-path", "is not a plain file"),
    "pipe": (os.mkfifo, "unsafe-path", "is not a plain file"),
    "missing": (lambda p: None, "missing-file", "no such file"),
    "not-hdf5": (lambda p: p.write_bytes(b"\x89HDF\r\n\x1a\n" + b"junk" * 100), "format", "as HDF5"),
    "truncated": (_cut, "format", "truncated file"),
    "odd-numbers": (_odd_numbers, "format", "numbers of an unusual form"),
    "flipped-bit": (_flipped, "format", "as HDF5"),
    "text": (_holds(np.array([[b"a", b"b"]])), "format", "numbers of two or three axes expected"),
    "objects": (_holds([["a", "b"]], dtype=h5py.string_dtype()), "format", "numbers of two or three axes"),
    "four-axes": (_holds(np.zeros((2, 2, 2, 2))), "format", "numbers of two or three axes expected"),
    "nobody-wrote-it": (_claims((10**9, 4096, 12), (1, 4096, 12)), "length", "is not stored whole"),
    "nobody-wrote-it-2": (_claims((4096, 12), None), "length", "is not stored whole"),
    "huge-chunks": (_claims((10**6, 4096, 12), (10**4, 4096, 12)), "length", "has chunks above"),
    "zeros": (_holds(np.zeros((5000, 12))), "empty", "all zeros"),
    "many-without-a-number": (_holds(np.ones((2, 5000, 12))), "format", "holds 2 recordings"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_sound_is_refused_with_its_reason(case: str, tmp_path: Path) -> None:
    write, reason, words = HOSTILE[case]
    path = tmp_path / "a.h5"
    write(path)
    with pytest.raises(RecordError) as caught:
        read_hdf5(path, Reading("uV", 500.0, LEADS, "ecg"))
    assert caught.value.reason == reason, caught.value
    assert words in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_column_is_whole_numbers_or_nothing(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ids"], file["floats"] = np.arange(5), np.arange(5.0)
    found = read_column(tmp_path / "a.h5", "ids")
    assert found is not None
    np.testing.assert_array_equal(found, np.arange(5))
    assert read_column(tmp_path / "a.h5", "none") is None
    with pytest.raises(RecordError, match="whole numbers of one axis expected"):
        read_column(tmp_path / "a.h5", "floats")


UNITS = {"mV": 1.0, "uV": 1e-3, "0.5mV": 0.5, "1e-4V": 0.1, "4.88uV": 4.88e-3}
NO_UNITS = dict.fromkeys(("2", "mm", "0mV", "-1mV", "infmV", "1e99V", "1 mV", ""))


@pytest.mark.parametrize(("text", "mv"), (UNITS | NO_UNITS).items())
def test_units_may_have_a_number_before_them(text: str, mv: float | None) -> None:
    assert unit_mv(text) == (None if mv is None else pytest.approx(mv, rel=1e-12))
