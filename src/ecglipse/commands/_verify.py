"""`verify`: reads every byte of a store or a run and says what is damaged; changes nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecglipse.errors import StoreError


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Args:
        kind: what the folder is.
        ok: nothing is wrong.
        problems: what is, one sentence each, beginning with the file.
        checked: number of files.
        bytes: their length in all.
        mb_per_s: speed of the check, 10^6 bytes a second.
    """

    kind: Literal["store", "run"]
    ok: bool
    problems: tuple[str, ...]
    checked: int
    bytes: int
    mb_per_s: float


def verify(path: Path) -> Verdict:
    """Check every byte of a store or a run against its digests.

    Args:
        path: folder of a store or of a run.

    Raises:
        StoreError: if it is neither.
    """
    kind = _kind(path)
    check = _checker(kind)
    began = time.monotonic()
    found = check(path)
    seconds = time.monotonic() - began
    lengths = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
    speed = sum(lengths) / 1e6 / max(seconds, 1e-9)
    return Verdict(kind, not found, tuple(found), len(lengths), sum(lengths), speed)


def _kind(path: Path) -> Literal["store", "run"]:
    """What a folder is; a store that lost its manifest is still known by its shards."""
    if not path.exists():
        raise StoreError(f"{path}: no such folder", hint="give the folder of a store or of a run")
    if (path / "checkpoints").is_dir():
        return "run"
    if any((path / name).exists() for name in ("manifest.json", "records.parquet", "signals-00000.npy")):
        return "store"
    raise StoreError(
        f"{path}: is neither a store nor a run", hint="give a folder that `prepare` or `pretrain` wrote"
    )


def _checker(kind: Literal["store", "run"]) -> Callable[[Path], list[str]]:
    """What checks it; a store needs no torch."""
    if kind == "store":
        from ecglipse.store import problems as of_a_store

        return of_a_store
    from ecglipse.checkpoints import problems as of_a_run

    return of_a_run
