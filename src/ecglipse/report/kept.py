"""The classes of a task's macro averages: one set for a study."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Line = Mapping[str, Any]
NO_CLASS: Final = "no class has 10 positives and 10 negatives in every test set"


def left_out(lines: Sequence[Line]) -> dict[str, tuple[str, ...]]:
    """Give, by task, the classes that are too rare in the test set of one rotation at least.

    They are left out in all of them: a mean over rotations must be of the same classes throughout. The
    ledger's own `left_out` knows one test set only.
    """
    found: dict[str, dict[str, None]] = {}
    for line in lines:
        found.setdefault(str(line["task"]), {}).update(dict.fromkeys(map(str, line["left_out"])))
    return {task: tuple(names) for task, names in found.items()}


def positives(lines: Sequence[Line], task: str) -> dict[str, list[int]]:
    """Give the test positives of each class of a task, rotation by rotation."""
    one = {int(line["rotation"]): line for line in lines if line["task"] == task and line["positives_test"]}
    found: dict[str, list[int]] = {}
    for rotation in sorted(one):
        for name, count in zip(one[rotation]["classes"], one[rotation]["positives_test"], strict=True):
            found.setdefault(str(name), []).append(int(count))
    return found
