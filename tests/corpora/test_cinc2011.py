"""CinC 2011: one array of microvolts, with a grade for each recording; other arrays are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglipse.corpora import get
from ecglipse.corpora.cinc2011 import FILE
from ecglipse.errors import CorpusError
from ecglipse.leads import LEADS


def test_cinc2011_is_in_millivolts_with_its_grade(pack: Path) -> None:
    record = get("cinc2011").entries(pack / "cinc2011")[0].load()
    with np.load(pack / "cinc2011" / "set_a_12lead_500hz_uV_int16.npz", allow_pickle=False) as archive:
        np.testing.assert_allclose(record.signal, archive["x"][0].T / 1000, rtol=1e-6)
        assert record.codes == (f"quality:{archive['quality_group'][0]}",)
    assert (record.fs, record.signal.shape) == (500.0, (12, 5000))


def array(folder: Path, **changes: Any) -> Path:
    """A folder with an array of two recordings."""
    parts = {
        "x": np.arange(2 * 50 * 12, dtype=np.int16).reshape(2, 50, 12),
        "record": np.array(["a", "b"]),
        "leads": np.array(LEADS),
        "quality_group": np.array(["I", "II"]),
    } | changes
    np.savez(folder / FILE, **{name: part for name, part in parts.items() if part is not None})
    return folder


def test_recordings_of_an_array_are_read_in_order(tmp_path: Path) -> None:
    first, second = (entry.load() for entry in get("cinc2011").entries(array(tmp_path)))
    assert (first.record_id, first.codes) == ("a", ("quality:I",))
    np.testing.assert_allclose(second.signal[:, 0], np.arange(600, 612) / 1000, rtol=1e-6)
    assert second.leads == LEADS


def test_grades_may_be_absent(tmp_path: Path) -> None:
    assert get("cinc2011").entries(array(tmp_path, quality_group=None))[0].load().codes == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": np.zeros((2, 50, 12), dtype=np.float32)}, "x is float32"),
        ({"x": np.zeros((2, 50), dtype=np.int16)}, r"x is int16 \(2, 50\)"),
        ({"x": np.zeros((3, 50, 12), dtype=np.int16)}, r"x is int16 \(3, 50, 12\)"),
        ({"x": None}, "not the array of set-a"),
        ({"leads": np.array(["I"] * 11 + ["V9"])}, "lead name 'V9' is not one of the twelve"),
        ({"quality_group": np.array(["I"])}, r"\(1,\) grades for 2 records"),
        ({"record": np.array([{}, {}], dtype=object)}, "not the array of set-a"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CorpusError, match=words):
        get("cinc2011").entries(array(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x80\x04K\x01.", b"words"])
def test_files_that_are_no_archive_are_refused(tmp_path: Path, content: bytes) -> None:
    """The third is a pickle: it is not loaded."""
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CorpusError, match="not the array of set-a"):
        get("cinc2011").entries(tmp_path)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with (tmp_path / FILE).open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(CorpusError, match="a single array"):
        get("cinc2011").entries(tmp_path)
