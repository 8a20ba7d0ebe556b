"""Writes who trains, chooses and tests as plain files: one a rotation and task, with the label draws."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecglipse.commands._places import Part, Place
from ecglipse.config import Transfer, digest


def write_splits(folder: Path, name: str, place: Place, tasks: Sequence[str], rule: Transfer) -> None:
    """Write `splits/NAME-TASK-SPLIT-DRAWN.csv` of each task without one, and `splits/SHA256SUMS`.

    SPLIT is the split's digest, DRAWN that of the labels and of how they are drawn: draws, shares and shots.
    A line a labelled record: its row in the store, its part, and for each label draw the smallest share of
    the labels, and the smallest k of each class, whose subset holds it: subsets are nested. Test rows have no
    draw; all labels (1) hold every other row. No ids.
    """
    there = folder / "splits"
    there.mkdir(parents=True, exist_ok=True)
    for task in tasks:
        which = f"{name}-{task}-{place.split.digest}-{_drawn(place, task, rule)}.csv"
        path = there / which.replace("/", "_").replace(" ", "_")
        if not path.exists():
            _write(path, _content(place, task, rule))
    sums = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}" for p in sorted(there.glob("*.csv"))]
    _write(there / "SHA256SUMS", "\n".join(sums) + "\n")


def _drawn(place: Place, task: str, rule: Transfer) -> str:
    """8 hex digits of a task's labels, and of how they are drawn."""
    labels = place.parts(task)[0]
    y, classes = hashlib.sha256(labels.y.tobytes()).hexdigest(), list(labels.task.classes)
    drawn = [rule.draws, sorted(rule.fractions), sorted(rule.shots)]
    return digest([labels.rows.tolist(), classes, y, drawn])[:8]


def _content(place: Place, task: str, rule: Transfer) -> str:
    """The file of one task."""
    _, parts = place.parts(task)
    fractions, shots = sorted(rule.fractions), sorted(rule.shots)
    head = [f"share_{d}" for d in range(rule.draws)]
    head += [f"shots_{d}" for d in range(rule.draws)] if shots else []
    lines = [",".join(["row", "part", *head])]
    for name, part in parts.items():
        columns = []
        if name != "test":
            columns = [_smallest(part, [*fractions, 1.0], d) for d in range(rule.draws)]
            columns += [
                _smallest(part, [-float(k) for k in shots], d) for d in range(rule.draws if shots else 0)
            ]
        for index, row in enumerate(part.rows):
            values = [column[index] for column in columns] or [""] * len(head)
            lines.append(",".join([str(int(row)), name, *values]))
    return "\n".join(lines) + "\n"


def _smallest(part: Part, budgets: Sequence[float], draw: int) -> list[str]:
    """For each row the smallest budget that holds it, as text."""
    found = [""] * len(part.rows)
    for budget in reversed(budgets):
        for index in np.flatnonzero(np.isin(part.rows, part.subset(budget, draw).rows)):
            found[index] = f"{abs(budget):g}"
    return found


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
