"""The last step of a study: what the masks of its learned methods hide of waves. Writes into their runs."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ecglipse.checkpoints import read_json
from ecglipse.commands import _splits
from ecglipse.commands._delineated import delineated, delineator, kept
from ecglipse.commands._masks import masks
from ecglipse.commands._pretrain import pick_split, run_folder
from ecglipse.config import Config
from ecglipse.errors import CheckpointError, ConfigError, TaskError
from ecglipse.store import Store
from ecglipse.study.plan import Unit
from ecglipse.tasks import find_task, label

LEARNED = ("adversarial", "predicted", "published")
"""Masks of a network that learns."""


def looks(config: Config, *, rotations: Sequence[int]) -> list[Unit]:
    """Give the encoders whose masks are looked at: of learned methods, all seeds of the first rotation."""
    return [
        Unit(name, seed, rotations[0])
        for name, rule in config.methods.items()
        if config.study.waves and rule.masks in LEARNED and rule.network == "learning"
        for seed in config.study.seeds
    ]


def check_waves(config: Config, own: Store) -> list[Store]:
    """Open the stores of waves, and see that masks can be laid on them.

    Raises:
        StoreError: if one is not there.
        ConfigError: if one has another rate or other leads than the study's own, or none has the task `harm`.
        EcglipseError: if a delineator is needed and not installed.
    """
    found = [Store.open(Path(path)) for path in config.study.waves]
    for store in found:
        if (store.fs, store.leads) != (own.fs, own.leads):
            raise ConfigError(
                f"study.waves: {store.path} has {store.fs:g} Hz and leads {', '.join(store.leads)}, the "
                f"study's store {own.fs:g} Hz and {', '.join(own.leads)}",
                hint="prepare both with the same `--fs` and `--leads`",
            )
        if not len(store.waves):
            delineator(store)
    if config.study.harm and not any(_has(store, config.study.harm) for store in found):
        raise ConfigError(f"study.harm: no store of `study.waves` has the task {config.study.harm!r}")
    return found


def look(config: Config, unit: Unit) -> int:
    """Lay one encoder's masks on the waves of each store; gives the number of pages written.

    What is there already, in `runs/RUN/masks-STORE/`, of the same store and beside the same other seeds, is
    left as it is.
    """
    own = Store.open(Path(config.store))
    split = pick_split(_splits.splits(config, own), unit.rotation)
    of_seed = partial(run_folder, config, unit.method, store=own, split=split)
    run = of_seed(seed=unit.seed)
    others = [of_seed(seed=seed) for seed in config.study.seeds if seed != unit.seed]
    written = 0
    for path in map(Path, config.study.waves):
        store = Store.open(path)
        task = config.study.harm if config.study.harm and _has(store, config.study.harm) else None
        if _done(run / f"masks-{path.resolve().name}", store, others, harm=task is not None):
            continue
        if not len(store.waves):
            delineated(store)
        masks(run, path, also=others, task=task, harm="linear" if task else None)
        written += 1
    return written


def delineation_s(stores: Sequence[Store], *, sample: int = 4) -> tuple[int, float]:
    """Give how many records of these stores are still to be delineated, and how long that takes, s."""
    from ecglipse.waves.delineator import delineate_rows, load_library

    waiting = [store for store in {s.digest: s for s in stores}.values() if kept(store) is None]
    if not waiting:
        return 0, 0.0
    load_library()
    first = waiting[0]
    rows = np.linspace(0, len(first) - 1, min(sample, len(first))).astype(int).tolist()
    delineate_rows(first.millivolts, rows[:1], first.fs)
    began = time.perf_counter()
    delineate_rows(first.millivolts, rows, first.fs)
    each = (time.perf_counter() - began) / len(rows)
    records = sum(map(len, waiting))
    return records, records * each


def _has(store: Store, task: str) -> bool:
    """Whether a task can be had from a store."""
    try:
        label(find_task(task, store.manifest.vocabulary, store.table), store.table)
    except TaskError:
        return False
    return True


def _done(folder: Path, store: Store, others: Sequence[Path], *, harm: bool) -> bool:
    """Whether a page is there that says what would be said; `masks.html` is written last."""
    try:
        found = read_json(folder / "masks.json")
        compared = {str(row["other"]) for row in found["stability"]}
        same = found["store"]["digest"] == store.digest and (found["harm"] is not None) >= harm
    except (CheckpointError, KeyError, TypeError):
        return False
    return same and (folder / "masks.html").is_file() and {run.name for run in others} <= compared
