"""From a method's predictions on a test set to its score, and to bootstrap replicates of it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, Num

from ecglipse.errors import LedgerError
from ecglipse.report.cells import Key, Line
from ecglipse.report.kept import left_out
from ecglipse.results import Ledger
from ecglipse.seeding import derive, numpy_rng
from ecglipse.statistics import (
    Difference,
    Resampling,
    bootstrap_explained,
    bootstrap_macro_auroc,
    contributions,
    contributions_explained,
    explained_by_cell,
    macro_by_cell,
    paired_difference,
    people,
    permutation_test,
    resample_rotations,
    sharing,
)


@dataclass(frozen=True)
class TestSet:
    """One test set of one task, and its bootstrap: the same for all methods, or nothing would be paired.

    A regression has float `truth`, and is scored by R2 instead of macro AUROC.

    Args:
        rows: of the store.
        owners: each record's person, numbered through all test sets of the task.
        truth: labels.
        keep: classes in the macro average: the same in all test sets of the task.
        resampling: of its people, together with the test sets that some of them are in as well.
    """

    rows: Integer[np.ndarray, " record"]
    owners: Integer[np.ndarray, " record"]
    truth: Num[np.ndarray, "record class"]
    keep: Bool[np.ndarray, " class"]
    resampling: Resampling

    def by_cell(self, stack: Float[np.ndarray, "seed draw record class"]) -> Float[np.ndarray, "seed draw"]:
        """The score of each seed and draw."""
        if self.truth.dtype.kind == "f":
            return explained_by_cell(stack, self.truth)
        return macro_by_cell(stack, self.truth, keep=self.keep)

    def replicates(
        self, stack: Float[np.ndarray, "seed draw record class"], by_cell: Float[np.ndarray, "seed draw"]
    ) -> Float[np.ndarray, " replicate"]:
        """Their mean in each replicate of the bootstrap."""
        if self.truth.dtype.kind == "f":
            return bootstrap_explained(stack, self.truth, self.resampling)
        return bootstrap_macro_auroc(stack, self.truth, self.resampling, keep=self.keep, by_cell=by_cell)

    def contributions(
        self,
        a: Float[np.ndarray, "#seed #draw record class"],
        b: Float[np.ndarray, "#seed #draw record class"],
    ) -> Float[np.ndarray, " record"]:
        """What each record gives to the difference of two methods."""
        if self.truth.dtype.kind == "f":
            return contributions_explained(a, b, self.truth)
        return contributions(a, b, self.truth, keep=self.keep)


@dataclass(frozen=True)
class Estimate:
    """The score of one method on one group: as it is, and in each replicate; means over rotations."""

    mean: float
    replicates: Float[np.ndarray, " replicate"]
    by_seed: Float[np.ndarray, " seed"]
    by_draw: Float[np.ndarray, " draw"]

    @property
    def levels(self) -> tuple[Float[np.ndarray, " seed"], Float[np.ndarray, " draw"]]:
        """What few members may widen an interval by; see `ecglipse.statistics.freedom`."""
        return self.by_seed, self.by_draw

    def minus(self, other: "Estimate") -> Difference:
        """The paired difference to another method on the same test sets."""
        return paired_difference(
            self.replicates,
            other.replicates,
            self.mean,
            other.mean,
            levels_a=self.levels,
            levels_b=other.levels,
        )


class Bench:
    """Computes estimates from a ledger; test sets are set up once.

    Args:
        ledger: of the study.
        lines: those that belong to the study; they tell its test sets.
        replicates: of the bootstrap.
    """

    def __init__(self, ledger: Ledger, lines: Sequence[Line], *, replicates: int) -> None:
        self.ledger, self.replicates = ledger, replicates
        self._left_out = left_out(lines)
        self._tested: dict[str, dict[int, Line]] = {}
        for line in lines:
            self._tested.setdefault(str(line["task"]), {}).setdefault(int(line["rotation"]), line)
        self._sets: dict[str, dict[int, TestSet]] = {}

    def estimates(self, wanted: Sequence[Mapping[Key, Line]]) -> list[Estimate]:
        """Give `estimate` of each, several at once: NumPy lets threads work side by side."""
        for cells in wanted:
            self.test_sets(str(next(iter(cells.values()))["task"]))
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            return list(pool.map(self.estimate, wanted))

    def left_out(self, line: Line) -> tuple[str, ...]:
        """Classes of a line's task that no macro average of the study has."""
        return self._left_out[str(line["task"])]

    def test_sets(self, task: str) -> dict[int, TestSet]:
        """Give the test sets of a task by rotation."""
        if task not in self._sets:
            self._sets[task] = self._set_up(task)
        return self._sets[task]

    def test_set(self, line: Line) -> TestSet:
        """Give the test set of a line's task and rotation."""
        return self.test_sets(str(line["task"]))[int(line["rotation"])]

    def tested(self, task: str, rotations: Sequence[int]) -> tuple[int, Integer[np.ndarray, " class"]]:
        """Count the records that some rotations test, and the positives of each class; no record twice."""
        sets = [self.test_sets(task)[rotation] for rotation in rotations]
        rows, first = np.unique(np.concatenate([one.rows for one in sets]), return_index=True)
        return len(rows), (np.concatenate([one.truth for one in sets])[first] == 1).sum(axis=0)

    def overlapping(self, tasks: Sequence[str]) -> list[str]:
        """Those of the tasks that test a person in two rotations."""
        return [
            t
            for t in tasks
            if any(len(g) > 1 for g in sharing([s.owners for s in self.test_sets(t).values()]))
        ]

    def scores(self, line: Line) -> Float[np.ndarray, "record class"]:
        """Give a cell's scores of its test set.

        Raises:
            LedgerError: predictions are damaged, or are of other test records than the task's others.
        """
        return self._scores(line, self.test_set(line))

    def estimate(self, cells: Mapping[Key, Line]) -> Estimate:
        """Estimate from the cells of one method and group: every rotation has the same seeds and draws.

        Seeds and label draws are resampled alike in all rotations, and so are patients that recur in them.

        Raises:
            LedgerError: predictions are damaged, or are of other test records than the task's others.
        """
        means, replicates, table = [], [], []
        for ours, stack in self._stacks(cells):
            table.append(ours.by_cell(stack))
            means.append(float(np.mean(table[-1])))
            replicates.append(ours.replicates(stack, table[-1]))
        grid = np.mean(table, axis=0)
        return Estimate(
            float(np.mean(means)),
            np.asarray(np.mean(replicates, axis=0)),
            grid.mean(axis=1),
            grid.mean(axis=0),
        )

    def permuted(self, a: Mapping[Key, Line], b: Mapping[Key, Line], *, permutations: int) -> float | None:
        """Two-sided p of two methods' difference, by exchanging them person by person in all rotations.

        None where it is undefined, or they have other rotations, or other numbers of seeds or draws than one.
        """
        if {key[0] for key in a} != {key[0] for key in b}:
            return None
        parts, owners = [], []
        for (ours, of_a), (_, of_b) in zip(self._stacks(a), self._stacks(b), strict=True):
            if any(m != n and 1 not in (m, n) for m, n in zip(of_a.shape[:2], of_b.shape[:2], strict=True)):
                return None
            parts.append(ours.contributions(of_a, of_b))
            owners.append(ours.owners)
        found = permutation_test(
            np.concatenate(parts) / len(parts),
            np.concatenate(owners),
            permutations=permutations,
            rng=numpy_rng(0, "exchanged"),
        )
        return found.p if np.isfinite(found.p) else None

    def _stacks(
        self, cells: Mapping[Key, Line]
    ) -> Iterator[tuple[TestSet, Float[np.ndarray, "seed draw record class"]]]:
        """Of each rotation, the test set and the scores of all seeds and draws."""
        rotations, seeds, draws = (sorted({key[i] for key in cells}) for i in range(3))
        for rotation in rotations:
            ours = self.test_set(next(line for key, line in cells.items() if key[0] == rotation))
            scores = [self._scores(cells[rotation, seed, draw], ours) for seed in seeds for draw in draws]
            yield ours, np.stack(scores).reshape(len(seeds), len(draws), *ours.truth.shape)

    def _scores(self, line: Line, ours: TestSet) -> Float[np.ndarray, "record class"]:
        """Read a cell's scores and see that they are of the test set."""
        found = self.ledger.predictions(line)
        if not (np.array_equal(found.rows, ours.rows) and np.array_equal(found.truth, ours.truth)):
            raise LedgerError(
                f"{self.ledger.folder}: cell {line['cell']} has other test records or labels than others "
                f"of task {line['task']!r}, rotation {line['rotation']}",
                hint="one test set holds for all methods; start the study in a new folder",
            )
        return found.scores.astype(np.float64)

    def _set_up(self, task: str) -> dict[int, TestSet]:
        """Resample the test sets of a task, from the predictions of one line each."""
        lines = dict(sorted(self._tested[task].items()))
        found = [self.ledger.predictions(line) for line in lines.values()]
        owners = people([one.rows for one in found], [one.patients for one in found])
        numbers = found[0].truth.dtype.kind == "f"
        patterns = [np.zeros_like(one.truth, dtype=np.uint8) if numbers else one.truth for one in found]
        rngs = [numpy_rng(0, "patients", task, rotation) for rotation in lines]
        weights = resample_rotations(patterns, owners, draws=self.replicates, rngs=rngs)
        out = self._left_out[task]
        keep = np.array([name not in out for name in next(iter(lines.values()))["classes"]], dtype=bool)
        return {
            rotation: TestSet(one.rows, owner, one.truth, keep, Resampling(weight, derive(0, "runs")))
            for rotation, one, owner, weight in zip(lines, found, owners, weights, strict=True)
        }
