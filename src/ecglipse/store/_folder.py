"""Writes files and folders that appear whole or not at all; the store's one way to the disk.

A folder is filled under a hidden name beside its place, `.NAME.partial-PID`, which its process holds locked
(flock), and takes its place by one rename. Whoever dies leaves a partial folder without a lock; the next
writer of the same place sweeps it away. A writer with a key (`.NAME.partial-KEY`) finds what one of the same
key left, and goes on.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def open_new(path: Path) -> int:
    """Create a file that only its owner may read, whatever the umask; gives its descriptor."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def write_new(path: Path, pieces: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Write a new file and flush it to the disk; never by a memory map, for a full disk would then kill us.

    Returns:
        Its length in bytes and its SHA-256.
    """
    digest, length = hashlib.sha256(), 0
    descriptor = open_new(path)
    try:
        for piece in pieces:
            rest = memoryview(piece).cast("B")
            digest.update(rest)
            length += len(rest)
            while rest:
                rest = rest[os.write(descriptor, rest[: 1 << 26]) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return length, digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Digest of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(folder: Path) -> None:
    """Ask the system to put a folder's list of files on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def partial_folder(place: Path, *, key: str | None = None, keep: str = "") -> Iterator[Path]:
    """Give a locked, hidden folder beside `place`; whatever lies there at the end is removed.

    Args:
        place: of the folder to be.
        key: of the work; what a writer with the same key left is there. None: a new folder.
        keep: a file; if it is in the folder at the end, and there is a key, the folder stays.

    Raises:
        FileExistsError: if this process, or another with the same key, is writing to `place`.
    """
    folder = place.with_name(f".{place.name}.partial-{key or os.getpid()}")
    sweep(place, besides=folder if key else None)
    folder.mkdir(mode=0o700, exist_ok=key is not None)
    lock = _lock(folder)
    if lock is None:
        raise FileExistsError(str(folder))
    try:
        folder.chmod(0o700)
        yield folder
    finally:
        if key is None or not (folder / keep).is_file():
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(place: Path, *, besides: Path | None = None) -> None:
    """Remove the partial folders that dead processes left, and bring back what stepped aside for one."""
    for aside in place.parent.glob(f".{_literal(place.name)}.aside-*"):
        if not place.exists():
            aside.rename(place)
        shutil.rmtree(aside, ignore_errors=True)
    for stale in place.parent.glob(f".{_literal(place.name)}.partial-*"):
        lock = _lock(stale) if stale != besides else None
        if lock is not None:
            shutil.rmtree(stale, ignore_errors=True)
            os.close(lock)


def put(folder: Path, place: Path) -> None:
    """Rename `folder` to `place`; what is at `place` is at `folder` afterwards.

    Raises:
        OSError: if the file system fails; `place` is then as it was.
    """
    flush(folder)
    if not place.exists() or not _exchange(folder, place):
        _rename(folder, place)
    flush(place.parent)


def _rename(folder: Path, place: Path) -> None:
    """Rename where two folders cannot be exchanged in one step: the old one steps aside for a moment."""
    if not place.exists():
        folder.rename(place)
        return
    aside = place.with_name(f".{place.name}.aside-{os.getpid()}")
    place.rename(aside)
    try:
        folder.rename(place)
    except OSError:
        aside.rename(place)
        raise
    aside.rename(folder)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step, where the system can (Linux); True if it was done."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    return bool(call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


def _lock(folder: Path) -> int | None:
    """Lock a folder until the descriptor is closed or the process dies; None if another holds or moved it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _literal(name: str) -> str:
    """A file name as a glob pattern that matches only it."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
