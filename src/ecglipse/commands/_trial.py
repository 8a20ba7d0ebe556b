"""A cell with the labelled rows that it is read on, and what its line in the ledger says."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecglipse.commands._judging import positives, temperature_of, thresholds_of
from ecglipse.commands._places import Part, Place, where
from ecglipse.config import Config
from ecglipse.metrics import Evaluation
from ecglipse.provenance import provenance
from ecglipse.study.plan import Cell, Unit
from ecglipse.tasks import Task


@dataclass(frozen=True)
class Trial:
    """One reading of an encoder.

    Args:
        unit: whose encoder.
        cell: how it is read.
        run: folder of the encoder's pretraining, where it had one.
        place: where it is read.
        task: whose labels.
        whole: labelled training records, of which the cell may take a share.
        train: what the probe learns from.
        validation: what it chooses by.
        test: what it is judged on.
    """

    unit: Unit
    cell: Cell
    run: Path | None
    place: Place
    task: Task
    whole: int
    train: Part
    validation: Part
    test: Part


def trial_of(unit: Unit, cell: Cell, *, run: Path | None, place: Place) -> Trial:
    """Take a cell's share, and draw, of the labels of its task.

    Raises:
        TaskError: if the task cannot be had from the store.
    """
    labels, parts = place.parts(where(cell.task)[1])
    share = cell.fraction if cell.validation == "matched" else 1.0
    return Trial(
        unit,
        cell,
        run,
        place,
        labels.task,
        len(parts["train"].rows),
        train=parts["train"].subset(cell.fraction, cell.draw),
        validation=parts["validation"].subset(share, cell.draw),
        test=parts["test"],
    )


def line_of(
    trial: Trial, result: Any, judged: Evaluation, *, config: Config, cell: str, seconds: float
) -> dict[str, Any]:
    """Give the ledger's line; see docs/architecture.md.

    Args:
        trial: that was done.
        result: of its probe.
        judged: what the result is worth.
        config: of the study.
        cell: its name.
        seconds: that it took.
    """
    unit, asked, task, facts = trial.unit, trial.cell, trial.task, provenance()
    n = len(trial.train.rows)
    return {
        "cell": cell,
        "study": config.name,
        "method": unit.method,
        "kind": config.methods[unit.method].kind,
        "seed": unit.seed,
        "rotation": unit.rotation,
        "task": asked.task,
        "task_kind": task.kind,
        "classes": list(task.classes),
        "probe": asked.probe,
        "fraction": asked.fraction if asked.fraction > 0 else round(n / trial.whole, 6),
        "shots": max(0, round(-asked.fraction)),
        "draw": asked.draw,
        "validation": asked.validation,
        "disturbance": asked.disturbance,
        "thresholds": thresholds_of(trial.validation.y, result, task.kind),
        "temperature": temperature_of(trial.validation.y, result, task.kind),
        "n_train": n,
        "n_validation": len(trial.validation.rows),
        "n_test": len(trial.test.rows),
        "positives_test": positives(trial.test, task.kind),
        "split": trial.place.split.digest,
        "config": config.digest,
        "store": trial.place.store.digest,
        "run": trial.run.name if trial.run else None,
        "chosen": result.chosen,
        "metrics": judged.metrics,
        "per_class": judged.per_class,
        "left_out": list(judged.left_out),
        "undefined": judged.undefined,
        "seconds": round(seconds, 3),
        "commit": facts["commit"],
        "versions": facts["versions"],
        "hardware": facts["hardware"] | {"device": str(trial.place.batches.device)},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
