"""`study`: runs a whole grid and writes `study.json`, runs, the ledger and the report's input."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ecglipse.commands._ranks import refuse_ranks

if TYPE_CHECKING:
    from ecglipse.commands._estimate import Estimate
    from ecglipse.commands._label_counts import TaskLabels
    from ecglipse.config import Config
    from ecglipse.study.plan import Unit
    from ecglipse.study.runner import Executor


@dataclass(frozen=True)
class Studied:
    """What `study` made, or would make.

    Args:
        folder: of the study.
        units: encoders in the grid.
        cells: readings in the grid.
        added: readings computed by this call; 0 for a plan.
        seconds: of this call.
        plan: (method, encoders, cells) rows.
        leaks: sentences about recordings that are on both sides of a split.
        labels: of a plan: labelled records of each task, by part of the split and by budget.
        cost: of a plan: what the whole study takes, measured on a moment of each kind of work.
        warnings: of a plan: sentences about views that may change what labels are read from.
    """

    folder: Path
    units: int
    cells: int
    added: int
    seconds: float
    plan: tuple[tuple[str, int, int], ...]
    leaks: tuple[str, ...] = ()
    labels: "tuple[TaskLabels, ...]" = ()
    cost: "Estimate | None" = None
    warnings: tuple[str, ...] = ()


def study(
    config: "Path | Config",
    *,
    overrides: Sequence[str] = (),
    plan: bool = False,
    workers: int | None = None,
    executor: Literal["local", "ray"] | None = None,
    progress: bool = True,
) -> Studied:
    """Run every cell of a config's grid that is not in its ledger yet.

    Args:
        config: a config, or the path of one.
        overrides: "a.b=value", where `config` is a path.
        plan: only say what would be run, on which labels, and what it would cost.
        workers: processes; by default the config's.
        executor: who runs them; by default the config's.
        progress: say on stderr what ended.

    Raises:
        ConfigError, StoreError, TaskError: before anything is run.
        TrainingError: at the end, if processes died again and again over the same encoder; all others are
            done, and the same call goes on from there.
    """
    refuse_ranks("study")
    from ecglipse.checkpoints import write_json
    from ecglipse.commands import _assemble, _splits, _views
    from ecglipse.commands._crossing import crossing, refuse
    from ecglipse.commands._evaluate import do_unit
    from ecglipse.commands._places import places, where
    from ecglipse.commands._split_files import write_splits
    from ecglipse.commands._subgroups import write_subgroups
    from ecglipse.commands._wave_step import check_waves, look, looks
    from ecglipse.config import Config, load
    from ecglipse.study import cells, units
    from ecglipse.study.plan import tasks

    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    settings = config if isinstance(config, Config) else load(config, overrides=overrides)
    first = places(settings, rotation=0)
    for name, task in map(where, tasks(settings)):
        first[name].labels(task)
    store = first[""].store
    _views.see_views(settings, store)
    splits = _splits.splits(settings, store)
    rotations = _splits.studied(settings, store)
    _assemble.see_that_it_fits(settings, store)
    check_waves(settings, store)
    grid, waves = units(settings, rotations=rotations), looks(settings, rotations=rotations)
    total = sum(len(cells(settings, unit)) for unit in grid)
    rows = tuple(
        (name, len(mine), sum(len(cells(settings, unit)) for unit in mine))
        for name in settings.methods
        if (mine := [unit for unit in grid if unit.method == name])
    )
    folder = Path(settings.out)
    if plan:
        from ecglipse.commands._estimate import estimate
        from ecglipse.commands._label_counts import label_counts
        from ecglipse.commands._plan_words import doubtful

        cost = estimate(settings, grid, waves, workers=workers or settings.study.workers)
        looked = time.monotonic()
        leaks = crossing(settings, rotations=rotations).all
        cost = cost.after_search(time.monotonic() - looked)
        counts, warnings = label_counts(settings, rotations=rotations), tuple(doubtful(settings))
        spent = time.monotonic() - began
        return Studied(folder, len(grid), total, 0, spent, rows, leaks, counts, cost, warnings)
    folder.mkdir(parents=True, exist_ok=True)
    found = crossing(settings, rotations=rotations, folder=folder)
    refuse(settings, found)
    about = _about(settings, store, splits, grid, total) | _before(folder, settings, started)
    about |= {"leaks": list(found.tested), "leaks_chosen": list(found.chosen)}
    for place in first.values():
        write_subgroups(folder, place.store)
    for rotation in rotations:
        for name, place in places(settings, rotation=rotation).items():
            its = [task for store_name, task in map(where, tasks(settings)) if store_name == name]
            write_splits(folder, f"{name or 'own'}-r{rotation}", place, its, settings.transfer)
    write_json(folder / "study.json", about)
    added = added_waves = 0
    run = _executor(executor or settings.study.executor)
    work, processes = partial(do_unit, settings), workers or settings.study.workers
    for done, (unit, new) in enumerate(run(work, grid, workers=processes), start=1):
        added += new
        if progress:
            which = f"{unit.method} seed {unit.seed} rotation {unit.rotation}"
            _say(f"{done}/{len(grid)} encoders: {which}, {new} new readings")
    pages = run(partial(look, settings), waves, workers=processes) if waves else iter(())
    for done, (unit, new) in enumerate(pages, start=1):
        added_waves += new
        if progress:
            _say(f"{done}/{len(waves)} masks on waves: {unit.method} seed {unit.seed}, {new} new pages")
    seconds = time.monotonic() - began
    write_json(folder / "study.json", _finish(about, folder, seconds if added + added_waves else 0.0))
    return Studied(folder, len(grid), total, added, seconds, rows, found.all)


def _executor(name: str) -> "Executor":
    """Who runs the units; Ray is imported only where it is asked for."""
    from ecglipse.study import on_ray, runner

    return {"local": runner.run, "ray": on_ray.run}[name]


def _before(folder: Path, config: "Config", started: str) -> dict[str, Any]:
    """When the study was begun and how long it has taken so far, where it goes on from an earlier call."""
    from ecglipse.checkpoints import read_json

    path = folder / "study.json"
    if path.exists():
        earlier = read_json(path)
        if earlier.get("config_hash") == config.digest:
            kept = {"started": started, "seconds": 0.0} | earlier
            return {"started": kept["started"], "seconds": kept["seconds"]}
    return {"started": started, "seconds": 0.0}


def _about(config: "Config", store: Any, splits: Any, grid: "list[Unit]", total: int) -> dict[str, Any]:
    """What `study.json` says, but for times and counts that are known at the end."""
    from ecglipse.commands._pretrain import run_folder
    from ecglipse.provenance import provenance

    methods = []
    for name, rule in config.methods.items():
        runs = {}
        for unit in grid:
            if unit.method == name and rule.kind == "pretrained":
                split = splits[unit.rotation]
                runs[f"{unit.seed}/{unit.rotation}"] = run_folder(
                    config, name, store=store, split=split, seed=unit.seed
                ).name
        methods.append(
            {
                "name": name,
                "title": rule.title or name,
                "kind": rule.kind,
                "views": rule.views,
                "masks": rule.masks,
                "leads": rule.leads,
                "domain": rule.domain,
                "network": rule.network,
                "choice": rule.choice,
                "objective": rule.objective,
                "pairs": rule.pairs,
                "mix_shared": rule.mix_shared,
                "baseline": rule.baseline,
                "set": rule.set,
                "runs": runs,
            }
        )
    return {
        "name": config.name,
        "config": config.model_dump(mode="json"),
        "config_hash": config.digest,
        "store": {
            "digest": store.digest,
            "corpus": store.manifest.corpus,
            "n_records": len(store),
            "n_patients": int(store.table["patient_id"].nunique()),
            "fs": store.fs,
            "duration_s": store.n_samples / store.fs,
        },
        "splits": [
            {"train": len(s.train), "validation": len(s.validation), "test": len(s.test), "digest": s.digest}
            for s in splits
        ],
        "rotations": sorted({unit.rotation for unit in grid}),
        "targets": _targets(config, len(splits)),
        "plan": {"units": len(grid), "cells": total},
        "methods": methods,
        "baselines": list(config.study.baselines),
        "replicates": config.study.replicates,
        "synthetic": store.manifest.corpus == "simulator",
        "provenance": provenance(),
    }


def _targets(config: "Config", n_rotations: int) -> dict[str, Any]:
    """What `study.json` says of the other databases: their digests and splits."""
    from ecglipse.commands._places import places

    found: dict[str, Any] = {}
    for rotation in range(n_rotations) if config.targets else ():
        for name, place in places(config, rotation=rotation).items():
            if name:
                facts = {"digest": place.store.digest, "corpus": place.store.manifest.corpus}
                about = found.setdefault(name, facts | {"n_records": len(place.store), "splits": []})
                about["splits"].append(place.split.digest)
    return found


def _finish(about: dict[str, Any], folder: Path, seconds: float) -> dict[str, Any]:
    """Add what is known at the end: times, and how often each task's test set was read."""
    from ecglipse.results import Ledger

    reads: dict[str, int] = {}
    for line in Ledger(folder).lines():
        reads[line["task"]] = reads.get(line["task"], 0) + 1
    return about | {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(about["seconds"] + seconds, 1),
        "test_reads": reads,
    }


def _say(text: str) -> None:
    """Print to stderr."""
    import sys

    print(text, file=sys.stderr, flush=True)
