"""Writes and reads runs: `config.json`, `provenance.json`, `steps.jsonl` and checkpoints.

A checkpoint is a folder `checkpoints/step-00000000` with `state.safetensors` and `state.json`, which holds
the counters and the SHA-256 of the tensors. It is written beside its place, flushed, and renamed in one
move; the last two are kept, so that a damaged one costs an interval and not the run. Never pickle.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from ecglipse.errors import CheckpointError

KEPT = 2
_HINT = "delete the run's folder to start it again, or restore it from a copy"


@dataclass(frozen=True)
class Checkpoint:
    """A state on disk.

    Args:
        path: its folder.
        tensors: by name, on the CPU.
        counters: plain integers, such as `step`.
    """

    path: Path
    tensors: dict[str, Tensor]
    counters: dict[str, int]


def write_json(path: Path, content: Any) -> None:
    """Write JSON beside its place, flush it, and move it there in one step."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CheckpointError: if the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file", hint="give the folder of a run") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: not JSON ({error})", hint=_HINT) from None


def save_checkpoint(run: Path, tensors: dict[str, Tensor], counters: dict[str, int]) -> Path:
    """Write a state as the newest checkpoint of a run and drop all but the last `KEPT`.

    Args:
        run: the run's folder.
        tensors: by name, on any device.
        counters: must hold `step`.
    """
    folder = run / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(".partial-*"):
        shutil.rmtree(stale, ignore_errors=True)
    partial = folder / f".partial-{os.getpid()}"
    partial.mkdir()
    weights = partial / "state.safetensors"
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, weights)
    _flush(weights)
    write_json(partial / "state.json", {"counters": counters, "sha256": _sha256(weights)})
    _flush(partial)
    place = folder / f"step-{counters['step']:08d}"
    if place.exists():
        shutil.rmtree(place)
    partial.rename(place)
    _flush(folder)
    for old in _checkpoints(run)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def save_weights(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors alone, beside their place, and move them there in one step."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, partial)
    _flush(partial)
    partial.replace(path)


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read tensors alone.

    Raises:
        CheckpointError: if the file cannot be read.
    """
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from None


def latest_checkpoint(run: Path) -> Checkpoint | None:
    """Give the newest undamaged checkpoint; None if the run has none at all.

    Raises:
        CheckpointError: if there are checkpoints but every one is damaged.
    """
    found = _checkpoints(run)
    faults = []
    for path in reversed(found):
        try:
            return _load(path)
        except CheckpointError as error:
            faults.append(error.message)
    if found:
        raise CheckpointError(f"{run}: no checkpoint is sound: {'; '.join(faults)}", hint=_HINT)
    return None


def problems(run: Path) -> list[str]:
    """Say what is wrong with a run's files; empty if nothing is."""
    found = _checkpoints(run)
    faults = [] if found else ["checkpoints: there is none"]
    checks: list[tuple[Callable[[Path], Any], Path]] = [(_load, path) for path in found]
    checks += [(read_json, run / name) for name in ("config.json", "provenance.json")]
    for check, path in checks:
        try:
            check(path)
        except CheckpointError as error:
            faults.append(error.message)
    return faults


def alone(run: Path) -> TextIO:
    """Hold a run's folder for this process, until the file that is given back is closed or the process ends.

    Raises:
        CheckpointError: if another process holds it.
    """
    file = (run / ".lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CheckpointError(
            f"{run}: another process is writing this run", hint="wait for it, or stop it"
        ) from None
    return file


def truncate_log(path: Path, *, steps: int) -> None:
    """Drop the lines of a step log after step `steps`, and a torn last line: the log of a resumed run."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] > steps:
                break
        except (json.JSONDecodeError, KeyError):
            break
        kept.append(line + "\n")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text("".join(kept), encoding="utf-8")
    partial.replace(path)


def _checkpoints(run: Path) -> list[Path]:
    return sorted(path for path in (run / "checkpoints").glob("step-*") if path.is_dir())


def _load(path: Path) -> Checkpoint:
    """Read one checkpoint whole, and hold it against its digest before anything in it is used."""
    state = read_json(path / "state.json")
    if not isinstance(state, dict) or not {"counters", "sha256"} <= state.keys():
        raise CheckpointError(f"{path.name}: state.json has no counters or no digest")
    try:
        content = (path / "state.safetensors").read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path.name}: state.safetensors cannot be read ({error.strerror})") from None
    if hashlib.sha256(content).hexdigest() != state["sha256"]:
        raise CheckpointError(f"{path.name}: state.safetensors does not match its SHA-256")
    try:
        return Checkpoint(path, load(content), state["counters"])
    except SafetensorError as error:
        raise CheckpointError(f"{path.name}: state.safetensors is not readable ({error})") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Ask the system to put a file's or folder's content on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
