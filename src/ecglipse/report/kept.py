"""The classes of a task's macro averages: one set for a study."""

from collections.abc import Sequence
from typing import Final

from ecglipse.report.cells import Line

LEAST: Final = 10
"""Positives and negatives that a class needs over the test sets of all rotations together."""
EACH: Final = 5
"""And in each of them: of fewer, too many resamples of its test set would hold none."""
NO_CLASS: Final = (
    f"no class has {LEAST} test positives and {LEAST} negatives over the rotations, "
    f"{EACH} of each in every one"
)


def left_out(lines: Sequence[Line]) -> dict[str, tuple[str, ...]]:
    """Give, by task, the classes that are too rare among the study's test records.

    A mean over rotations must be of the same classes throughout, and it draws on the test records of all of
    them: so these are counted together. The ledger's own `left_out` knows one test set only.
    """
    found: dict[str, tuple[str, ...]] = {}
    for task in dict.fromkeys(str(line["task"]) for line in lines):
        tested = _tested(lines, task)
        records = [int(line["n_test"]) for line in tested.values()]
        found[task] = tuple(
            name
            for name, mine in positives(lines, task).items()
            if min(sum(mine), sum(records) - sum(mine)) < LEAST
            or min(min(k, n - k) for k, n in zip(mine, records, strict=True)) < EACH
        )
    return found


def _tested(lines: Sequence[Line], task: str) -> dict[int, Line]:
    """One line of each rotation of a task."""
    one = {int(line["rotation"]): line for line in lines if line["task"] == task and line["positives_test"]}
    return dict(sorted(one.items()))


def positives(lines: Sequence[Line], task: str) -> dict[str, list[int]]:
    """Give the test positives of each class of a task, rotation by rotation."""
    found: dict[str, list[int]] = {}
    for line in _tested(lines, task).values():
        for name, count in zip(line["classes"], line["positives_test"], strict=True):
            found.setdefault(str(name), []).append(int(count))
    return found
