"""Recordings that a study would train on and test on: looked for before anything is run. Touches the disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.checkpoints import read_json, write_json
from ecglipse.commands._assemble import also
from ecglipse.commands._places import Place, places
from ecglipse.config import Config
from ecglipse.errors import TaskError


def crossing(config: Config, *, rotations: Sequence[int], folder: Path | None = None) -> list[str]:
    """Say which recordings are on both sides of a split, of the study's store and of its targets.

    Args:
        config: of the study.
        rotations: which splits of its own store.
        folder: of the study, where the pairs are kept for the next call; None: they are not kept.

    Returns:
        A sentence a pair; empty if there is none.
    """
    found = []
    for rotation in rotations:
        at = places(config, rotation=rotation)
        own = at[""]
        seen = set(map(int, own.split.train)) | set(map(int, own.split.validation))
        for name, place in at.items():
            read = set(map(int, place.split.test))
            pairs = _pairs(own.store, place.store if name else None, folder)
            learnt = seen if not name else set(map(int, own.split.train))
            if name:
                crossed = [(a, b) for a, b in pairs if a in learnt and b in read]
                own_side = set(map(int, place.split.train)) | set(map(int, place.split.validation))
                within = _pairs(place.store, None, folder)
            else:
                crossed, own_side, within = [], seen, pairs
            ids, theirs = own.store.table["record_id"], place.store.table["record_id"]
            where = f"{name} " if name else ""
            found += [
                f"{ids[a]} is trained on, and is {where}{theirs[b]}, which is tested" for a, b in crossed
            ]
            for a, b in within:
                for one, other in ((a, b), (b, a)):
                    if one in own_side and other in read:
                        found.append(
                            f"{where}{theirs[one]} is trained on, and is {theirs[other]}, which is tested"
                        )
        found += _from_elsewhere(config, at, folder)
    return list(dict.fromkeys(found))


def _from_elsewhere(config: Config, at: dict[str, Place], folder: Path | None) -> list[str]:
    """Recordings of the other stores that are pretrained on, and are tested here."""
    found = []
    own = at[""].store
    others = {other.path: other for name in config.methods for other in also(config.of(name), own)}
    for path, other in sorted(others.items()):
        for name, place in at.items():
            read, where = set(map(int, place.split.test)), f"{name} " if name else ""
            if other.digest == place.store.digest:
                found.append(f"{path} is pretrained on, and is {name}, which is tested")
                continue
            ids, theirs = other.table["record_id"], place.store.table["record_id"]
            found += [
                f"{path} {ids[a]} is pretrained on, and is {where}{theirs[b]}, which is tested"
                for a, b in _pairs(other, place.store, folder)
                if b in read
            ]
    return found


def refuse(config: Config, sentences: list[str]) -> None:
    """Refuse a study that would test what it trained on, unless its config says otherwise.

    Raises:
        TaskError: naming the recordings.
    """
    if not sentences or config.study.leaks == "mark":
        return
    shown = "; ".join(sentences[:5]) + (f"; and {len(sentences) - 5} more" if len(sentences) > 5 else "")
    plural = "" if len(sentences) == 1 else "s"
    raise TaskError(
        f"{len(sentences)} recording{plural} would be trained on and tested: {shown}",
        hint="see `ecglipse leaks STORE`; prepare the store anew with `--without ID,ID`, or set "
        '`study.leaks = "mark"` to run it all the same and say so in the report',
    )


def _pairs(a: Any, b: Any, folder: Path | None) -> list[tuple[int, int]]:
    """Duplicates as pairs of rows, kept in the study's folder by the stores' digests."""
    from ecglipse.leaks import duplicates

    key = a.digest[:16] + ("" if b is None else f"-{b.digest[:16]}")
    path = None if folder is None else folder / "leaks.json"
    known: dict[str, Any] = read_json(path) if path is not None and path.exists() else {}
    if key not in known:
        table = duplicates(a, b)
        patients_a = a.table["patient_id"].to_numpy()[table["row_a"]]
        ids_a = a.table["record_id"].to_numpy()[table["row_a"]]
        other = a if b is None else b
        patients_b = other.table["patient_id"].to_numpy()[table["row_b"]]
        ids_b = other.table["record_id"].to_numpy()[table["row_b"]]
        windows = (ids_a == ids_b) & (patients_a == patients_b) & (b is None)  # of one recording
        kept = table[~np.asarray(windows, dtype=bool)]
        known[key] = [[int(x), int(y)] for x, y in zip(kept["row_a"], kept["row_b"], strict=True)]
        if path is not None:
            write_json(path, known)
    return [(int(x), int(y)) for x, y in known[key]]
