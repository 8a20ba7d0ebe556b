"""Recordings on both sides of a split of a study: looked for before anything is run. Touches the disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.checkpoints import read_json, write_json
from ecglipse.commands._places import Place, places
from ecglipse.commands._stores import also
from ecglipse.config import Config
from ecglipse.errors import TaskError
from ecglipse.store import Store

_ORDER = ("train", "validation", "test")
_DOES = {"train": "trained on", "validation": "chosen by", "test": "tested"}


@dataclass(frozen=True)
class Crossing:
    """Recordings on both sides of a split, a sentence a pair.

    Args:
        tested: trained on or chosen by on one side, tested on the other.
        chosen: trained on, and chosen by.
    """

    tested: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All sentences, those about tests first."""
        return self.tested + self.chosen


def crossing(config: Config, *, rotations: Sequence[int], folder: Path | None = None) -> Crossing:
    """Say which recordings are on both sides of a split, of the study's store and of its targets.

    Args:
        config: of the study.
        rotations: which splits of its own store.
        folder: of the study, where the pairs are kept for the next call; None: they are not kept.
    """
    found, pairs = dict[str, bool](), _Pairs(folder)
    for rotation in rotations:
        at = places(config, rotation=rotation)
        for name, place in at.items():
            found |= _within(name, place, pairs)
            if name:
                found |= _learnt("", at[""].store, set(map(int, at[""].split.train)), name, place, pairs)
        found |= _from_elsewhere(config, at, pairs)
    tested = tuple(sentence for sentence, is_tested in found.items() if is_tested)
    return Crossing(tested, tuple(sentence for sentence in found if sentence not in set(tested)))


def _within(name: str, place: Place, pairs: "_Pairs") -> dict[str, bool]:
    """Recordings of one store that are in two parts of its split, and whether one of these is the test."""
    part = _parts(place)
    ids, where, found = place.store.table["record_id"], f"{name} " if name else "", {}
    for pair in pairs(place.store):
        if all(row in part for row in pair) and part[pair[0]] != part[pair[1]]:
            a, b = sorted(pair, key=lambda row: _ORDER.index(part[row]))
            said = f"{where}{ids[a]} is {_DOES[part[a]]}, and is {ids[b]}, which is {_DOES[part[b]]}"
            found[said] = part[b] == "test"
    return found


def _learnt(
    title: str, store: Store, rows: set[int], name: str, place: Place, pairs: "_Pairs"
) -> dict[str, bool]:
    """Rows of a store that an encoder learns from, and that choose or are tested in another one."""
    part, found = _parts(place), {}
    ids, theirs = store.table["record_id"], place.store.table["record_id"]
    for a, b in pairs(store, place.store):
        if a in rows and part.get(b, "train") != "train":
            its = f"{name} {theirs[b]}".strip()
            does = "pretrained on" if title else "trained on"
            said = f"{title} {ids[a]}".strip() + f" is {does}, and is {its}, which is {_DOES[part[b]]}"
            found[said] = part[b] == "test"
    return found


def _from_elsewhere(config: Config, at: dict[str, Place], pairs: "_Pairs") -> dict[str, bool]:
    """Recordings of the other stores that are pretrained on, and choose or are tested here."""
    found: dict[str, bool] = {}
    own = at[""].store
    others = {other.path: other for name in config.methods for other in also(config.of(name), own)}
    for path, other in sorted(others.items()):
        for name, place in at.items():
            if other.digest == place.store.digest:
                found[f"{path} is pretrained on, and is {name}, which is tested"] = True
            else:
                found |= _learnt(str(path), other, set(range(len(other))), name, place, pairs)
    return found


def _parts(place: Place) -> dict[int, str]:
    """The part of the split that each row is in."""
    return {int(row): name for name in _ORDER for row in getattr(place.split, name)}


def refuse(config: Config, found: Crossing) -> None:
    """Refuse a study with recordings on both sides of a split, unless its config says otherwise.

    Raises:
        TaskError: naming the recordings.
    """
    if not found.all or config.study.leaks == "mark":
        return
    shown = "; ".join(found.all[:5]) + (f"; and {len(found.all) - 5} more" if len(found.all) > 5 else "")
    plural = " is" if len(found.all) == 1 else "s are"
    raise TaskError(
        f"{len(found.all)} recording{plural} on both sides of a split: {shown}",
        hint="see `ecglipse leaks STORE`; prepare the store anew with `--without ID,ID`, or set "
        '`study.leaks = "mark"` to run it all the same and say so in the report',
    )


class _Pairs:
    """Duplicates as pairs of rows, by the stores' digests; kept in the study's folder, where one is given."""

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / "leaks.json"
        there = self.path is not None and self.path.exists()
        self.known: dict[str, Any] = read_json(self.path) if there and self.path is not None else {}

    def __call__(self, a: Store, b: Store | None = None) -> list[tuple[int, int]]:
        """Give them; of one store, without windows of one recording."""
        key = a.digest[:16] + ("" if b is None else f"-{b.digest[:16]}")
        if key not in self.known:
            self.known[key] = _searched(a, b)
            if self.path is not None:
                write_json(self.path, self.known)
        return [(int(x), int(y)) for x, y in self.known[key]]


def _searched(a: Store, b: Store | None) -> list[list[int]]:
    from ecglipse.leaks import duplicates

    table, other = duplicates(a, b), a if b is None else b
    keys = ["record_id", "patient_id"]
    ones = a.table[keys].iloc[table["row_a"]].to_numpy()
    others = other.table[keys].iloc[table["row_b"]].to_numpy()
    windows = (ones == others).all(axis=1) & (b is None)  # of one recording
    kept = table[~np.asarray(windows, dtype=bool)]
    return [[int(x), int(y)] for x, y in zip(kept["row_a"], kept["row_b"], strict=True)]
