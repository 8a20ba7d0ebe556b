"""Where encoders are read: a study's own store, and the other databases it names as targets."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int, UInt8

from ecglipse.batches import Batches, best_device
from ecglipse.commands import _splits
from ecglipse.commands._pretrain import open_store, pick_split
from ecglipse.config import Config, OwnTask
from ecglipse.errors import ConfigError
from ecglipse.splits import Split, fraction_subset, patient_rotations, restrict, shot_subset
from ecglipse.store import Store
from ecglipse.tasks import Labels, Task, find_task, label


@dataclass(frozen=True)
class Part:
    """Labelled rows of one part of a split; `rare` as in `Task`."""

    rows: Int[np.ndarray, " record"]
    y: UInt8[np.ndarray, "record class"] | Float32[np.ndarray, "record 1"]
    patients: Int[np.ndarray, " record"]
    rare: bool = False

    def subset(self, fraction: float, draw: int) -> "Part":
        """The draw's share, or k of each class (-k): the same for every method and seed, nested."""
        if fraction >= 1.0:
            return self
        if fraction < 0:
            chosen = shot_subset(self.y, self.patients, round(-fraction), seed=0, draw=draw)
        else:
            chosen = fraction_subset(self.y, self.patients, fraction, seed=0, draw=draw, rare=self.rare)
        return Part(self.rows[chosen], self.y[chosen], self.patients[chosen], self.rare)


@dataclass(frozen=True)
class Place:
    """A store, and how it is split.

    Args:
        store: of the recordings.
        split: of its rows.
        own: tasks of the config.
    """

    store: Store
    split: Split
    own: dict[str, Task] = field(default_factory=dict)

    @cached_property
    def batches(self) -> Batches:
        """The store on the device."""
        return Batches(self.store, device=best_device())

    def labels(self, task: str) -> Labels:
        """Labels of a task over the whole store.

        Raises:
            TaskError: if the task cannot be had from the store.
        """
        vocabulary, table = self.store.manifest.vocabulary, self.store.table
        return label(find_task(task, vocabulary, table, custom=self.own), table)

    @cached_property
    def _known(self) -> dict[str, tuple[Labels, dict[str, Part]]]:
        """Parts of the tasks that were asked for: a study asks hundreds of times."""
        return {}

    def parts(self, task: str) -> tuple[Labels, dict[str, Part]]:
        """The task's labelled rows in each part of the split."""
        if task not in self._known:
            self._known[task] = self._parts(task)
        return self._known[task]

    def _parts(self, task: str) -> tuple[Labels, dict[str, Part]]:
        labels = self.labels(task)
        place = {int(row): index for index, row in enumerate(labels.rows)}
        split = restrict(self.split, labels)
        parts = {}
        for name in ("train", "validation", "test"):
            rows = getattr(split, name)
            index = np.array([place[int(row)] for row in rows], dtype=np.int64)
            parts[name] = Part(rows, labels.y[index], labels.patients[index], labels.task.rare)
        return labels, parts


def places(config: Config, *, rotation: int) -> dict[str, Place]:
    """All places of a study by name; the study's own store is "".

    The patients of a target are drawn into folds once, and rotation r tests fold r: as in the study's own
    store, no record is tested in two rotations. No encoder has seen any of them.

    Raises:
        ConfigError: if a target has other leads, rate or length than the study's own store.
    """
    own = open_store(config, Store)
    tasks = {name: _task(name, rule) for name, rule in config.tasks.items()}
    found = {"": Place(own, pick_split(_splits.splits(config, own), rotation), tasks)}
    for name, target in config.targets.items():
        store = Store.open(Path(target.store))
        if (store.fs, store.n_samples, store.leads) != (own.fs, own.n_samples, own.leads):
            raise ConfigError(
                f"targets.{name}: {store.fs:g} Hz and {store.n_samples} samples, the study's store has "
                f"{own.fs:g} Hz and {own.n_samples}",
                hint="prepare both with the same `--fs` and `--duration-s`",
            )
        splits = patient_rotations(store.table, seed=0, validation=config.split.validation_share)
        found[name] = Place(store, splits[rotation], tasks)
    return found


def _task(name: str, rule: OwnTask) -> Task:
    """A task of the config."""
    codes = tuple(frozenset(held) for held in rule.classes.values())
    return Task(name, rule.title or name, rule.kind, tuple(rule.classes), codes, frozenset(rule.scope))


def where(task: str) -> tuple[str, str]:
    """The place and the name of a task: "cinc2021:rhythm" is ("cinc2021", "rhythm"), "sex" is ("", "sex")."""
    place, colon, name = task.partition(":")
    return (place, name) if colon else ("", task)
