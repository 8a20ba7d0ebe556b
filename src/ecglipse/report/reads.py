"""How often test sets were read: by the ledger's cells, and under masks. Reads disk only."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ecglipse.errors import LedgerError

FILE: Final = "test_reads.jsonl"
"""In a run's folder: {task, store, reads}, a line for each time that `masks --harm` tested a model."""


def test_reads(folder: Path, lines: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> dict[str, int]:
    """Give the readings of each task's test set, one a ledger line and one a test under masks.

    Args:
        folder: of the study.
        lines: all of the ledger, those of earlier settings too: they have read the test set as well.
        facts: `study.json` as read; names the stores that tasks are of.

    Raises:
        LedgerError: a file of counts is damaged.
    """
    found = Counter(str(line["task"]) for line in lines)
    places = _places(facts)
    for path in sorted((folder / "runs").glob(f"*/{FILE}")):
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                line = json.loads(text)
                task, store, reads = str(line["task"]), str(line["store"]), int(line["reads"])
            except (ValueError, KeyError, TypeError):
                raise LedgerError(
                    f"{path}:{number}: not a count of test readings: {text[:60]!r}",
                    hint="restore the file from a copy: the report counts every reading",
                ) from None
            found[places.get(store, f"store {store[:8]}:") + task] += reads
    return dict(found)


def _places(facts: Mapping[str, Any]) -> dict[str, str]:
    """What a task's name begins with, by the digest of its store."""
    store, targets = facts.get("store"), facts.get("targets")
    found = (
        {str(t.get("digest")): f"{name}:" for name, t in targets.items()} if isinstance(targets, dict) else {}
    )
    return found | ({str(store.get("digest")): ""} if isinstance(store, dict) else {})
