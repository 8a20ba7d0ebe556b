"""The journal of a store that is being written: how far it is, so that the same writer can go on."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ecglipse.store._folder import flush, open_new
from ecglipse.store.manifest import ShardFile

FILE = "journal.json"


@dataclass
class Journal:
    """What is on the disk for good.

    Args:
        shards: written, in order.
        entries: recordings that are done, stored or rejected.
        windows: of the next recording, those that are stored already.
        rejects: recordings left out, by reason.
        rejects_bytes: length of `rejects.jsonl`.
    """

    shards: list[ShardFile] = field(default_factory=list)
    entries: int = 0
    windows: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    rejects_bytes: int = 0


def write_journal(folder: Path, journal: Journal) -> None:
    """Write it in one step: after a crash it is the one before or this one."""
    fresh = folder / f"{FILE}.new"
    fresh.unlink(missing_ok=True)
    descriptor = open_new(fresh)
    try:
        os.write(descriptor, json.dumps(asdict(journal)).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(folder / FILE)
    flush(folder)


def read_journal(folder: Path) -> Journal:
    """Read it; an empty one where there is none, or where the files are not as it says."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        journal = Journal(**(found | {"shards": [ShardFile(**shard) for shard in found["shards"]]}))
        lengths = all((folder / shard.file).stat().st_size == shard.bytes for shard in journal.shards)
        rejects = folder / "rejects.jsonl"
        listed = rejects.stat().st_size if rejects.exists() else 0
    except (OSError, ValueError, TypeError, KeyError):
        return Journal()
    return journal if lengths and listed >= journal.rejects_bytes else Journal()
