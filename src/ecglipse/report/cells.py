"""The ledger's lines as a report sorts them: by what they are about, and whether they are the study's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecglipse.errors import LedgerError
from ecglipse.report.methods import SEEDLESS, Method
from ecglipse.report.scores import Group
from ecglipse.results import budget

Line = Mapping[str, Any]
Key = tuple[int, int, int]
"""Rotation, seed, draw."""
Cells = Mapping[tuple[Group, str], Mapping[Key, Line]]
"""The lines of a study by what they are about and by method's name, then one by one."""


def group_of(line: Line) -> Group:
    """Give what a line is about."""
    return Group(str(line["task"]), str(line["probe"]), str(line["validation"]), budget(line))


def key_of(line: Line) -> Key:
    """Give which of its group and method a line is."""
    return int(line["rotation"]), int(line["seed"]), int(line["draw"])


def by_place(lines: Iterable[Line]) -> Cells:
    """Sort lines of undisturbed recordings by group and method."""
    found: dict[tuple[Group, str], dict[Key, Line]] = {}
    for line in lines:
        found.setdefault((group_of(line), str(line["method"])), {})[key_of(line)] = line
    return found


def current(
    lines: Sequence[Line], facts: Mapping[str, Any], methods: Sequence[Method]
) -> tuple[list[Line], int]:
    """Give the lines that belong to the study as it stands, and how many do not.

    A ledger keeps everything that was ever computed in its folder. Lines of another store, split, run or seed
    than `study.json` names come from another config and must not be averaged with the others.

    Raises:
        LedgerError: two lines claim to be the same cell of the study.
    """
    store = facts.get("store")
    targets = facts.get("targets")
    elsewhere = [t for t in targets.values() if isinstance(t, dict)] if isinstance(targets, dict) else []
    digest = store.get("digest") if isinstance(store, dict) else None
    digests = {digest, *(target.get("digest") for target in elsewhere)}
    parts = facts.get("splits")
    splits = (
        {s.get("digest") for s in parts if isinstance(s, dict)} - {None} if isinstance(parts, list) else set()
    )
    strangers = {split for target in elsewhere for split in target.get("splits", [])}
    runs = {m.name: set(m.runs.values()) for m in methods}
    seeds = _seeds(facts)
    seedless = {m.name for m in methods if m.kind in SEEDLESS}
    kept: list[Line] = []
    seen: dict[object, str] = {}
    for line in lines:
        if line["method"] not in runs:
            continue
        if digest is not None and line["store"] not in digests:
            continue
        if splits and line["split"] not in splits | strangers:
            continue
        if runs[line["method"]] and line["run"] is not None and line["run"] not in runs[line["method"]]:
            continue
        if seeds and line["seed"] not in seeds and line["method"] not in seedless:
            continue
        key = (
            *(group_of(line), line["method"], line["rotation"], line["seed"], line["draw"]),
            line.get("disturbance", ""),
        )
        if key in seen:
            where = ", ".join(f"{name} {line[name]}" for name in ("method", "task", "probe", "seed", "draw"))
            raise LedgerError(
                f"cells {seen[key]} and {line['cell']} are both {where}, fraction {line['fraction']}",
                hint="their settings differ; write studies with different settings to different folders",
            )
        seen[key] = str(line["cell"])
        kept.append(line)
    return kept, len(lines) - len(kept)


def _seeds(facts: Mapping[str, Any]) -> set[int]:
    """The seeds of the study; none where it does not say."""
    try:
        return {int(seed) for seed in facts["config"]["study"]["seeds"]}
    except (KeyError, TypeError, ValueError):
        return set()
