"""Writes and reads the ledger: `results.jsonl`, one line a cell, and `predictions/CELL.npz` beside it.

Lines are only ever added. Several processes may add at once; one that is killed loses its own cell and
nothing else. A line counts once its newline is there. There is no way here to change or delete a result.
"""

import fcntl
import hashlib
import io
import json
import logging
import math
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, Num

from ecglipse.errors import LedgerError

LINES = "results.jsonl"
REQUIRED: tuple[str, ...] = (
    *("cell", "study", "method", "kind", "seed", "rotation", "task", "task_kind", "classes", "probe"),
    *("fraction", "draw", "validation", "n_train", "n_validation", "n_test", "positives_test"),
    *("split", "config", "store", "run", "chosen", "metrics", "per_class", "left_out", "undefined"),
    *("seconds", "commit", "versions", "hardware"),
)
"""What a caller must give (docs/architecture.md, "Ledger line"); the ledger adds `predictions`,
`predictions_sha256` and, where it is missing, `time`."""

_CELL = re.compile(r"[0-9a-f]{16}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predictions:
    """What a method said about each test record of a cell.

    Args:
        rows: of the store.
        scores: probabilities; of a regression, the predicted numbers.
        truth: 0 or 1; of a regression, the true numbers.
        patients: codes 0..n_patients-1; equal for records of one patient.
    """

    rows: Integer[np.ndarray, " record"]
    scores: Float[np.ndarray, "record class"]
    truth: Num[np.ndarray, "record class"]
    patients: Integer[np.ndarray, " record"]


def cell_id(**determinants: Any) -> str:
    """Name a cell by everything that determines its result: 16 hex digits.

    SHA-256 of the canonical JSON: keys sorted, no blanks, whole floats as integers (as RFC 8785 has it), so
    that 1.0 and 1, tuples and lists, NumPy's and Python's numbers give the same name.

    Raises:
        ValueError: if a value is NaN or infinite: it would equal no other.
        TypeError: if a value is not JSON.
    """
    text = json.dumps(_canonical(determinants), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def headline(line: Mapping[str, Any]) -> str:
    """Name the metric that a line's task is judged by; higher is better."""
    return "r2" if line["task_kind"] == "regression" else "macro_auroc"


def budget(line: Mapping[str, Any]) -> float:
    """Give what a line was trained with: the share of the labels, or -k for k of each class."""
    shots = int(line.get("shots", 0))
    return -float(shots) if shots else float(line["fraction"])


class Ledger:
    """The results of a study, in one folder.

    Args:
        folder: made at the first append; reading one that is not there gives no lines.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / LINES
        self._known: dict[str, dict[str, Any]] = {}
        self._read_to = 0
        self._count = 0
        self._inode = 0

    def append(
        self,
        line: Mapping[str, Any],
        *,
        rows: Integer[np.ndarray, " record"],
        scores: Float[np.ndarray, "record class"],
        truth: Num[np.ndarray, "record class"],
        patients: Integer[np.ndarray, " record"],
    ) -> None:
        """Add a cell: its predictions first, then its line; nothing if the cell is there already.

        Args:
            line: the keys of `REQUIRED`, and more if wanted. Numbers that are NaN or infinite become null.
            rows: row of each test record in the store.
            scores: probabilities; kept as float32, so metrics should be computed from float32.
            truth: 0 or 1, or float numbers, kept as float32.
            patients: codes of the patients.

        Raises:
            ValueError: if a key is missing, `cell` is not 16 hex digits, the arrays do not fit each other
                and the line, or a score is not a number.
            LedgerError: if a line that is there is damaged, or the disk takes no more.
        """
        cell = _check(line, rows=rows, scores=scores, truth=truth, patients=patients)
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            rows=rows.astype(np.int64),
            scores=scores.astype(np.float32),
            truth=truth.astype(np.float32 if truth.dtype.kind == "f" else np.uint8),
            patients=patients.astype(np.int64),
        )
        content = packed.getvalue()
        full = {"time": datetime.now(UTC).isoformat(timespec="seconds")} | dict(line)
        full |= {
            "predictions": f"predictions/{cell}.npz",
            "predictions_sha256": hashlib.sha256(content).hexdigest(),
        }
        text = json.dumps(_plain(full), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._locked(os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as file:
                self._repair(file)
                if cell in self._known:
                    return
                _write_beside(self.folder / "predictions" / f"{cell}.npz", content)
                _add(file, text.encode())
        except OSError as problem:
            raise LedgerError(
                f"{self._path}: cell {cell} could not be written: {problem.strerror or problem}",
                hint="make room on the disk, or mend its permissions, and run again: the cell will be redone",
            ) from None

    def has(self, cell: str) -> bool:
        """Tell whether a cell is in the ledger; lines that other processes have added since are seen."""
        self._refresh()
        return cell in self._known

    def lines(self) -> list[dict[str, Any]]:
        """Give all lines, in the order they were added; of a cell that stands there twice, the first.

        Raises:
            LedgerError: if a line is damaged. A torn last line, of a process that was killed while it
                wrote, is left out with a note in the log.
        """
        self._forget()
        self._refresh()
        return [dict(line) for line in self._known.values()]

    def predictions(self, line: Mapping[str, Any]) -> Predictions:
        """Give the predictions of a line, after checking that they are those it was written with.

        Raises:
            LedgerError: if the file is missing, was changed, or does not hold what it should.
        """
        cell = str(line.get("cell"))
        path = self.folder / "predictions" / f"{cell}.npz"
        hint = "restore it from a copy, or start the study in a new folder"
        if not _CELL.fullmatch(cell):
            raise LedgerError(f"{self._path}: cell {cell!r} is not 16 hex digits", hint=hint)
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise LedgerError(f"{path}: cannot be read: {problem.strerror or problem}", hint=hint) from None
        digest = hashlib.sha256(content).hexdigest()
        if digest != line.get("predictions_sha256"):
            raise LedgerError(
                f"{path}: changed since it was written: SHA-256 {digest[:16]}..., "
                f"not {str(line.get('predictions_sha256'))[:16]}... as `{LINES}` has it",
                hint=hint,
            )
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                names = ("rows", "scores", "truth", "patients")
                return Predictions(**{name: _array(packed.read(f"{name}.npy")) for name in names})
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as problem:
            raise LedgerError(f"{path}: not a prediction file: {problem}", hint=hint) from None

    @contextmanager
    def _locked(self, flags: int, lock: int) -> Iterator[int]:
        """Open the lines and hold a lock on them; closing lets it go, and so does being killed."""
        file = os.open(self._path, flags | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, lock)
            yield file
        finally:
            os.close(file)

    def _refresh(self) -> None:
        """Read what was added since the last time."""
        try:
            with self._locked(os.O_RDONLY, fcntl.LOCK_SH) as file:
                rest = self._take(file)
        except FileNotFoundError:
            self._forget()
            return
        except OSError as problem:
            raise LedgerError(f"{self._path}: cannot be read: {problem.strerror or problem}") from None
        if rest:
            _log.warning("%s:%d: torn last line of %d bytes left out", self._path, self._count + 1, len(rest))

    def _repair(self, file: int) -> None:
        """Read what was added, and cut off a torn last line. The caller holds the exclusive lock."""
        rest = self._take(file)
        if rest:
            _log.warning("%s:%d: torn last line of %d bytes cut off", self._path, self._count + 1, len(rest))
            os.ftruncate(file, self._read_to)

    def _take(self, file: int) -> bytes:
        """Take in all finished lines not yet read; give what follows the last of them."""
        facts = os.fstat(file)
        size = facts.st_size
        if size < self._read_to or facts.st_ino != self._inode:
            self._forget()
        self._inode = facts.st_ino
        new = b""
        while len(new) < size - self._read_to:
            part = os.pread(file, size - self._read_to - len(new), self._read_to + len(new))
            if not part:
                break
            new += part
        *finished, rest = new.split(b"\n")
        for raw in finished:
            line = _parse(raw, where=f"{self._path}:{self._count + 1}")
            self._count += 1
            self._read_to += len(raw) + 1
            if line["cell"] in self._known:
                _log.warning("%s:%d: cell %s stands there twice", self._path, self._count, line["cell"])
            else:
                self._known[line["cell"]] = line
        return rest

    def _forget(self) -> None:
        self._known, self._read_to, self._count = {}, 0, 0


def _check(
    line: Mapping[str, Any],
    *,
    rows: Integer[np.ndarray, " record"],
    scores: Float[np.ndarray, "record class"],
    truth: Num[np.ndarray, "record class"],
    patients: Integer[np.ndarray, " record"],
) -> str:
    """Refuse what is not a ledger line with its predictions; give the cell."""
    missing = [key for key in REQUIRED if key not in line]
    if missing:
        raise ValueError(f"`line` lacks {', '.join(missing)}")
    cell = line["cell"]
    if not isinstance(cell, str) or not _CELL.fullmatch(cell):
        raise ValueError(f"`cell` must be 16 hex digits (see `cell_id`); got {cell!r}")
    expected = (int(line["n_test"]), len(line["classes"]))
    if not (scores.shape == truth.shape == expected and rows.shape == patients.shape == expected[:1]):
        raise ValueError(
            f"predictions must be of {expected[0]} records and {expected[1]} classes; got rows {rows.shape}, "
            f"scores {scores.shape}, truth {truth.shape}, patients {patients.shape}"
        )
    if np.isnan(scores).any():
        raise ValueError(f"`scores` must hold numbers; {int(np.isnan(scores).sum())} are NaN")
    return cell


def _parse(raw: bytes, *, where: str) -> dict[str, Any]:
    """Read one finished line."""
    try:
        line = json.loads(raw)
    except ValueError as problem:
        line, fault = None, f"not JSON ({problem})"
    else:
        fault = "no cell of 16 hex digits in it"
    if not isinstance(line, dict) or not _CELL.fullmatch(str(line.get("cell"))):
        raise LedgerError(
            f"{where}: damaged line: {fault}: {raw[:60].decode(errors='replace')!r}",
            hint="restore the file from a copy, or delete this line: its cell will be computed again",
        )
    return line


def _array(raw: bytes) -> np.ndarray:
    """Read a .npy file as `np.load` does, in a third of its time: a study has few different headers."""
    start = 10 + int.from_bytes(raw[8:10], "little")
    shape, fortran, dtype = _header(raw[:start])
    return np.frombuffer(raw, dtype, offset=start).reshape(shape, order="F" if fortran else "C")


@lru_cache(maxsize=1024)
def _header(raw: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first index runs fastest, and dtype."""
    file = io.BytesIO(raw)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("not a .npy file of version 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("objects instead of numbers")
    return shape, fortran, dtype


def _write_beside(path: Path, content: bytes) -> None:
    """Write beside the place, flush, and move there in one step."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _add(file: int, content: bytes) -> None:
    """Append in one write, and flush; take a part back if the disk has no room for the whole."""
    start = os.fstat(file).st_size
    try:
        written = os.write(file, content)
        if written != len(content):
            raise OSError(f"{written} of {len(content)} bytes written")
        os.fsync(file)
    except OSError:
        os.ftruncate(file, start)
        raise


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers, tuples and mappings into what JSON has; NaN and infinity into None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _canonical(value: Any) -> Any:
    """As `_plain`, but whole floats become integers, and what is not finite stays, to be refused."""
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _canonical(value.tolist())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
