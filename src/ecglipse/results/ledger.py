"""Writes and reads the ledger's files: lines under a lock, predictions beside them in one step each."""

import fcntl
import hashlib
import logging
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, Num

from ecglipse.errors import LedgerError
from ecglipse.results.identity import is_cell_id
from ecglipse.results.line import as_text, check, parse
from ecglipse.results.predictions import Predictions, pack, unpack

LINES = "results.jsonl"

_log = logging.getLogger(__name__)


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
        given = Predictions(rows=rows, scores=scores, truth=truth, patients=patients)
        cell = check(line, given)
        content = pack(given)
        full = {"time": datetime.now(UTC).isoformat(timespec="seconds")} | dict(line)
        full |= {
            "predictions": f"predictions/{cell}.npz",
            "predictions_sha256": hashlib.sha256(content).hexdigest(),
        }
        text = as_text(full)
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
        if not is_cell_id(cell):
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
            return unpack(content)
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
            line = parse(raw, where=f"{self._path}:{self._count + 1}")
            self._count += 1
            self._read_to += len(raw) + 1
            if line["cell"] in self._known:
                _log.warning("%s:%d: cell %s stands there twice", self._path, self._count, line["cell"])
            else:
                self._known[line["cell"]] = line
        return rest

    def _forget(self) -> None:
        self._known, self._read_to, self._count = {}, 0, 0


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
