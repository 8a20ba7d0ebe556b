"""`verify`: what it says of sound and of damaged stores and runs, and of what is neither."""

from pathlib import Path

import pytest
import torch

from ecglipse.checkpoints import save_checkpoint, write_json
from ecglipse.commands._demo import write_simulated_store
from ecglipse.commands._verify import verify
from ecglipse.errors import StoreError


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write_simulated_store(tmp_path / "s", 6)
    return tmp_path / "s"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "r"
    save_checkpoint(folder, {"w": torch.arange(100.0)}, {"step": 3})
    write_json(folder / "config.json", {})
    write_json(folder / "provenance.json", {})
    return folder


def test_a_sound_store_is_sound(store: Path) -> None:
    found = verify(store)
    assert (found.kind, found.ok, found.problems, found.checked) == ("store", True, (), 4)
    assert found.bytes == sum(path.stat().st_size for path in store.iterdir())
    assert found.mb_per_s > 0


def test_a_flipped_bit_of_a_store_is_named(store: Path) -> None:
    shard = store / "signals-00000.npy"
    content = bytearray(shard.read_bytes())
    content[1000] ^= 1
    shard.write_bytes(bytes(content))
    found = verify(store)
    assert (found.ok, found.problems) == (False, ("signals-00000.npy: does not match its SHA-256",))


def test_a_store_without_its_manifest_is_a_damaged_store(store: Path) -> None:
    (store / "manifest.json").unlink()
    found = verify(store)
    assert (found.kind, found.ok, found.problems) == ("store", False, ("has no manifest.json",))


def test_a_sound_run_is_sound_and_a_damaged_one_is_not(run: Path) -> None:
    assert (verify(run).kind, verify(run).ok) == ("run", True)
    weights = next(run.rglob("state.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    found = verify(run)
    assert not found.ok
    assert "state.safetensors does not match its SHA-256" in found.problems[0]


def test_what_is_neither_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is neither a store nor a run"):
        verify(tmp_path)
    with pytest.raises(StoreError, match="nowhere: no such folder"):
        verify(tmp_path / "nowhere")
    (tmp_path / "file").write_text("text")
    with pytest.raises(StoreError, match="is neither a store nor a run"):
        verify(tmp_path / "file")
