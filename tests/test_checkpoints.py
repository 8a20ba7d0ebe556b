"""Checkpoints: written whole or not at all, checked before use, two kept."""

import json
from pathlib import Path

import pytest
import torch

from ecglipse.checkpoints import latest_checkpoint, problems, save_checkpoint, truncate_log, write_json
from ecglipse.errors import CheckpointError


def tensors(step: int) -> dict[str, torch.Tensor]:
    return {"a": torch.full((3, 2), float(step)), "n": torch.tensor(step)}


def save(run: Path, *steps: int) -> None:
    for step in steps:
        save_checkpoint(run, tensors(step), {"step": step, "total": 9})


def test_newest_is_given_back_to_the_bit_and_two_are_kept(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path) is None
    save(tmp_path, 1, 2, 3)
    found = latest_checkpoint(tmp_path)
    assert found is not None
    assert found.counters == {"step": 3, "total": 9}
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in tensors(3).items())
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "step-00000002",
        "step-00000003",
    ]


@pytest.mark.parametrize("harm", ["flip", "truncate", "delete", "json", "swap"])
def test_a_damaged_newest_falls_back_to_the_one_before(tmp_path: Path, harm: str) -> None:
    save(tmp_path, 1, 2)
    newest = tmp_path / "checkpoints" / "step-00000002"
    weights = newest / "state.safetensors"
    data = bytearray(weights.read_bytes())
    if harm == "flip":
        data[-3] ^= 1
        weights.write_bytes(data)
    elif harm == "truncate":
        weights.write_bytes(data[:-5])
    elif harm == "delete":
        weights.unlink()
    elif harm == "json":
        (newest / "state.json").write_text("{", encoding="utf-8")
    else:
        weights.write_bytes((tmp_path / "checkpoints" / "step-00000001" / "state.safetensors").read_bytes())
    assert latest_checkpoint(tmp_path).counters["step"] == 1
    write_json(tmp_path / "config.json", {})
    write_json(tmp_path / "provenance.json", {})
    assert len(problems(tmp_path)) == 1
    assert "step-00000002" in problems(tmp_path)[0]


def test_no_sound_checkpoint_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "checkpoints" / "step-00000001" / "state.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="no checkpoint is sound") as caught:
        latest_checkpoint(tmp_path)
    assert caught.value.hint is not None


def test_a_failed_save_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ecglipse.checkpoints.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, 2)
    monkeypatch.undo()
    assert latest_checkpoint(tmp_path).counters["step"] == 1
    save(tmp_path, 3)
    assert not list((tmp_path / "checkpoints").glob(".partial-*"))


def test_log_is_cut_to_the_checkpoint_and_torn_lines_go(tmp_path: Path) -> None:
    log = tmp_path / "steps.jsonl"
    log.write_text(
        "".join(json.dumps({"step": step}) + "\n" for step in range(1, 6)) + '{"st', encoding="utf-8"
    )
    truncate_log(log, steps=3)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2, 3]
    truncate_log(tmp_path / "none.jsonl", steps=3)
