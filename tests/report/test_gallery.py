"""What is read from runs: sound files as they are, damaged ones with a reason."""

from pathlib import Path

import numpy as np
import pytest
from dummy_study import write_run

from ecglipse.errors import EcglipseError
from ecglipse.report.gallery import read_masks, read_steps, run_folder
from ecglipse.report.methods import Method


def test_masks_are_read_as_written(tmp_path: Path) -> None:
    run = write_run(tmp_path, "a")
    masks = read_masks(run / "masks.npz")
    with np.load(run / "masks.npz") as raw:
        assert np.array_equal(masks.signal, raw["signal"])
        assert np.array_equal(masks.mask, raw["mask"])
        assert np.allclose(masks.probability, raw["probability"])
    assert (masks.fs, masks.titles) == (100.0, ("NORM", "AFIB"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY\x01\x00"])
def test_damaged_masks_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "masks.npz").write_bytes(content)
    with pytest.raises(EcglipseError, match=r"masks\.npz: not a file of masks"):
        read_masks(tmp_path / "masks.npz")


@pytest.mark.parametrize("position", [200, 2000, 9000])
def test_a_flipped_byte_is_never_a_traceback(tmp_path: Path, position: int) -> None:
    path = write_run(tmp_path, "a") / "masks.npz"
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(EcglipseError, match=r"masks\.npz"):
        read_masks(path)


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = write_run(tmp_path, "a") / "masks.npz"
    with np.load(path) as raw:
        content = dict(raw)
    content["mask"] = content["mask"][:, :, :-1]
    np.savez_compressed(path, **content)
    with pytest.raises(EcglipseError, match="arrays do not fit each other"):
        read_masks(path)


def test_pickles_are_refused(tmp_path: Path) -> None:
    path = write_run(tmp_path, "a") / "masks.npz"
    with np.load(path) as raw:
        content = dict(raw)
    content["titles"] = np.array([{"a": 1}, {"b": 2}], dtype=object)
    np.savez_compressed(path, **content)
    with pytest.raises(EcglipseError, match="not a file of masks"):
        read_masks(path)


def test_a_torn_last_step_is_left_out(tmp_path: Path) -> None:
    steps = read_steps(write_run(tmp_path, "a"))
    assert len(steps) == 40
    assert steps[-1]["loss"] == pytest.approx(0.1)
    assert read_steps(tmp_path) == []


def test_runs_outside_the_study_are_not_read(tmp_path: Path) -> None:
    write_run(tmp_path / "other", "a")
    write_run(tmp_path / "study", "b")
    names = {"0/0": "../../other/runs/a", "1/0": "b", "2/0": "..", "3/0": "", "4/0": "missing"}
    found = run_folder(tmp_path / "study", Method("m", "M", "pretrained", runs=names))
    assert found == [tmp_path / "study" / "runs" / "b"]
