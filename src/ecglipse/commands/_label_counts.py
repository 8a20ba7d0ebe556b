"""How many labels a study learns from, chooses by and is tested on: the fewest of any rotation. Reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecglipse.commands._places import Part, places, where
from ecglipse.config import Config
from ecglipse.report.scores import percent
from ecglipse.study.plan import tasks
from ecglipse.tasks import Labels


@dataclass(frozen=True)
class Count:
    """Labelled records.

    Args:
        records: the fewest of any rotation.
        rarest: the class of which there are fewest; "" of a regression.
        positives: records of it.
    """

    records: int
    rarest: str = ""
    positives: int = 0

    def __str__(self) -> str:
        return f"{self.records:,}" + (f" ({self.rarest} {self.positives:,})" if self.rarest else "")


@dataclass(frozen=True)
class TaskLabels:
    """The labels of a task.

    Args:
        task: its name.
        parts: by part of the split.
        budgets: training labels by budget, in words: the first draw's.
    """

    task: str
    parts: dict[str, Count]
    budgets: dict[str, Count]

    def __str__(self) -> str:
        parts = ", ".join(f"{count} {name}" for name, count in self.parts.items())
        budgets = ", ".join(f"{budget}: {count}" for budget, count in self.budgets.items())
        return f"{self.task}: {parts}" + (f"; at {budgets}" if budgets else "")


def label_counts(config: Config, *, rotations: Sequence[int]) -> tuple[TaskLabels, ...]:
    """Count the labels of every task of a study.

    Raises:
        TaskError: if a task cannot be had, or has no label in a part of a split.
    """
    rule, found = config.transfer, dict[str, TaskLabels]()
    budgets = [f for f in sorted(rule.fractions) if f < 1] + [-float(k) for k in sorted(rule.shots)]
    for rotation in rotations:
        at = places(config, rotation=rotation)
        for task in tasks(config):
            name, plain = where(task)
            labels, parts = at[name].parts(plain)
            train = parts["train"]
            one = TaskLabels(
                task,
                {part: _count(labels, some) for part, some in parts.items()},
                {percent(b): _count(labels, train.subset(b, 0)) for b in budgets},
            )
            found[task] = _fewest(found[task], one) if task in found else one
    return tuple(found.values())


def _count(labels: Labels, part: Part) -> Count:
    task = labels.task
    if task.kind == "regression":
        return Count(len(part.rows))
    of = dict(zip(task.classes, part.y.sum(axis=0, dtype=np.int64).tolist(), strict=True))
    if task.kind == "binary":
        of |= {f"not {name}": len(part.rows) - n for name, n in of.items()}
    rarest = min(of, key=of.__getitem__)
    return Count(len(part.rows), rarest, int(of[rarest]))


def _fewest(a: TaskLabels, b: TaskLabels) -> TaskLabels:
    """Of two rotations."""

    def least(one: dict[str, Count], other: dict[str, Count]) -> dict[str, Count]:
        return {
            key: Count(min(x.records, y.records), rarer.rarest, rarer.positives)
            for key, x in one.items()
            for y in (other[key],)
            for rarer in (min(x, y, key=lambda count: count.positives),)
        }

    return TaskLabels(a.task, least(a.parts, b.parts), least(a.budgets, b.budgets))
