"""Reads encoders: for one unit of a study, its pretraining if need be, then every cell to the ledger."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.checkpoints import latest_checkpoint
from ecglipse.commands import _assemble
from ecglipse.commands._judging import judge, temperature_of, thresholds_of
from ecglipse.commands._places import Part, Place, places, where
from ecglipse.commands._pretrain import pretrain, run_folder
from ecglipse.commands._reading import Features, of_encoder, of_measurements, of_nothing
from ecglipse.config import Config, Published, Transfer, Views
from ecglipse.config import Encoder as EncoderSettings
from ecglipse.errors import CheckpointError
from ecglipse.metrics import Evaluation
from ecglipse.models.layers import Encoder
from ecglipse.provenance import provenance
from ecglipse.results import Ledger, cell_id
from ecglipse.study.plan import SEEDLESS, Cell, Unit, cells
from ecglipse.tasks import Labels
from ecglipse.transfer.disturb import possible
from ecglipse.transfer.finetune import finetune
from ecglipse.transfer.handcrafted import VERSION as MEASUREMENTS_VERSION
from ecglipse.transfer.pretrained import put_weights
from ecglipse.transfer.probes import knn_probe, linear_probe

RESULTS_VERSION = 4
"""Raised when a change of the code changes what a cell means; old cells are then computed anew."""


def do_unit(config: Config, unit: Unit) -> int:
    """Do one unit of a study; gives the number of cells added. Done before: costs a glance at the ledger."""
    bench = Bench(config, rotation=unit.rotation)
    folder = Path(config.out)
    run = None
    if config.methods[unit.method].kind == "pretrained":
        run = run_folder(config, unit.method, store=bench.store, split=bench.split, seed=unit.seed)
        if not bench.missing(unit, run=run, folder=folder) and (run / "applied.json").exists():
            return 0
        run = pretrain(config, method=unit.method, seed=unit.seed, rotation=unit.rotation, progress=False).run
    return bench.evaluate(unit, run=run, folder=folder)[0]


class Bench:
    """Everything that encoders of one rotation are read on.

    Args:
        config: of the study.
        rotation: which split.
    """

    def __init__(self, config: Config, *, rotation: int) -> None:
        self.config, self.rotation = config, rotation
        self.places = places(config, rotation=rotation)
        self.store, self.split = self.places[""].store, self.places[""].split

    def missing(self, unit: Unit, *, run: Path | None, folder: Path) -> list[Cell]:
        """The unit's cells that the ledger does not have."""
        ledger = Ledger(folder)
        able = ("", *possible(self.store.leads))
        return [
            cell
            for cell in cells(self.config, unit)
            if cell.disturbance in able and not ledger.has(self.identity(unit, cell, run))
        ]

    def identity(self, unit: Unit, cell: Cell, run: Path | None) -> str:
        """Hash of everything that determines a cell's numbers."""
        place = self.places[where(cell.task)[0]]
        own = self.config.of(unit.method)
        encoder: Any = run.name.rsplit("-", 1)[-1] if run else [unit.seed, own.encoder.of_pretraining()]
        kind = self.config.methods[unit.method].kind
        if kind in SEEDLESS:
            encoder = [kind, MEASUREMENTS_VERSION]
        return cell_id(
            version=RESULTS_VERSION,
            method=unit.method,
            store=place.store.digest,
            split=place.split.digest,
            encoder=encoder,
            kind=kind,
            task=cell.task,
            probe=cell.probe,
            fraction=cell.fraction,
            draw=cell.draw,
            validation=cell.validation,
            settings=[
                _tuned_by(self.config.transfer, scratch=kind == "scratch"),
                _tuned_on(own.views),
            ]
            if cell.probe == "finetune"
            else None,
            **({"disturbance": cell.disturbance} if cell.disturbance else {}),
            **_read_as(own.encoder, said=kind in SEEDLESS),
            **_as_published(
                own.published,
                tuned=cell.probe == "finetune",
                said=run is not None or kind in SEEDLESS,
            ),
        )

    def evaluate(self, unit: Unit, *, run: Path | None, folder: Path) -> tuple[int, int]:
        """Compute the unit's missing cells; gives (added, there already)."""
        todo = self.missing(unit, run=run, folder=folder)
        total = len(cells(self.config, unit))
        if not todo:
            return 0, total
        ledger = Ledger(folder)
        encoder, found = self.features(unit, run, folder)
        for cell in todo:
            if not cell.disturbance:
                self._read(unit, cell, run, encoder, found[where(cell.task)[0]], ledger)
        for task in dict.fromkeys(cell.task for cell in todo if cell.disturbance):
            mine = [cell for cell in todo if cell.task == task and cell.disturbance]
            self._read_disturbed(unit, mine, run, found[where(task)[0]], ledger)
        return len(todo), total - len(todo)

    def features(
        self, unit: Unit, run: Path | None, folder: Path
    ) -> tuple[Encoder | None, dict[str, Features]]:
        """What the unit's probes read in each place; the encoder too, where there is one."""
        kind = self.config.methods[unit.method].kind
        if kind == "majority":
            return None, {name: of_nothing(place) for name, place in self.places.items()}
        if kind == "handcrafted":
            return None, {name: of_measurements(place, folder) for name, place in self.places.items()}
        encoder = self.encoder(unit, run)
        found = {name: of_encoder(encoder, place) for name, place in self.places.items()}
        for name, one in found.items():
            one.whole, one.tested = self._labelled(name, unit)
        return encoder, found

    def _labelled(self, name: str, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
        """All rows that the unit's probes read in a place, and those of them that are tested."""
        tasks = {where(cell.task)[1] for cell in cells(self.config, unit) if where(cell.task)[0] == name}
        parts = [self.places[name].parts(task)[1] for task in sorted(tasks)]
        empty = np.zeros(0, dtype=np.int64)
        rows = [part.rows for some in parts for part in some.values()]
        return np.unique(np.concatenate([empty, *rows])), np.unique(
            np.concatenate([empty, *(some["test"].rows for some in parts)])
        )

    def encoder(self, unit: Unit, run: Path | None) -> Encoder:
        """The unit's encoder: of the run, or with its initial weights."""
        drawn = _assemble.seed_of(self.split, seed=unit.seed)
        encoder = _assemble.encoder(self.config.of(unit.method), self.store, seed=drawn)
        if run is not None:
            found = latest_checkpoint(run)
            if found is None:
                raise CheckpointError(f"{run}: has no checkpoint", hint="finish it with `ecglipse pretrain`")
            if found.counters["step"] < found.counters["total"]:
                raise CheckpointError(
                    f"{run}: stopped at step {found.counters['step']} of {found.counters['total']}",
                    hint="finish it with `ecglipse pretrain`",
                )
            prefix = "average." if self.config.pretrain.ema else "game.encoder."
            put_weights(encoder, found.tensors, where=str(run), prefix=prefix)
        encoder = _assemble.transferred(self.config.of(unit.method), encoder)
        return encoder.to(self.places[""].batches.device)

    def _read(
        self,
        unit: Unit,
        cell: Cell,
        run: Path | None,
        encoder: Encoder | None,
        found: Features,
        ledger: Ledger,
    ) -> None:
        """Compute one cell and write it."""
        began = time.monotonic()
        name, task = where(cell.task)
        place = self.places[name]
        labels, parts = place.parts(task)
        train = parts["train"].subset(cell.fraction, cell.draw)
        share = cell.fraction if cell.validation == "matched" else 1.0
        validation, test = parts["validation"].subset(share, cell.draw), parts["test"]
        kind = labels.task.kind
        if cell.probe == "finetune" and encoder is not None:
            result: Any = self._finetune(unit, cell, encoder, place, train, validation, test, kind)
        else:
            probes: dict[str, Any] = {"linear": linear_probe, "knn": knn_probe}
            result = probes[cell.probe](
                found(train.rows), train.y, found(validation.rows), validation.y, found(test.rows), kind=kind
            )
        reading = judge(test.y, validation.y, result, task=labels.task)
        self._write(unit, cell, run, place, labels, test, train, validation, result, reading, ledger, began)

    def _read_disturbed(
        self, unit: Unit, mine: list[Cell], run: Path | None, found: Features, ledger: Ledger
    ) -> None:
        """Fit the probe of a task once, on records as they are, and read it under each disturbance."""
        began = time.monotonic()
        name, task = where(mine[0].task)
        place = self.places[name]
        labels, parts = place.parts(task)
        train = parts["train"].subset(mine[0].fraction, mine[0].draw)
        validation = parts["validation"].subset(mine[0].fraction, mine[0].draw)
        test, kind = parts["test"], labels.task.kind
        under = np.concatenate([found.under(cell.disturbance)(test.rows) for cell in mine])
        result = linear_probe(
            found(train.rows), train.y, found(validation.rows), validation.y, under, kind=kind
        )
        began = time.monotonic() - (time.monotonic() - began) / len(mine)
        for cell, scores in zip(mine, np.split(result.test_scores, len(mine)), strict=True):
            one = replace(result, test_scores=scores)
            reading = judge(test.y, validation.y, one, task=labels.task)
            self._write(unit, cell, run, place, labels, test, train, validation, one, reading, ledger, began)
            began = time.monotonic()

    def _finetune(
        self,
        unit: Unit,
        cell: Cell,
        encoder: Encoder,
        place: Place,
        train: Part,
        validation: Part,
        test: Part,
        kind: Any,
    ) -> Any:
        """Fine-tune a copy of the encoder; from scratch, the encoder learns at the head's rate."""
        rule, own = self.config.transfer, self.config.of(unit.method)
        return finetune(
            _assemble.finetuned(own, encoder),
            place.batches.millivolts,
            train=(train.rows, train.y),
            validation=(validation.rows, validation.y),
            test_rows=test.rows,
            kind=kind,
            epochs=rule.finetune_epochs,
            batch=rule.finetune_batch,
            learning_rate=rule.finetune_learning_rate,
            head_hidden=rule.finetune_head_hidden,
            **_assemble.finetuning_pace(rule, scratch=self.config.methods[unit.method].kind == "scratch"),
            seed=_assemble.seed_of(self.split, seed=unit.seed * 1000 + cell.draw),
            augment=_assemble.finetuning_view(own, place.store),
            keep=own.published.kept,
        )

    def _write(
        self,
        unit: Unit,
        cell: Cell,
        run: Path | None,
        place: Place,
        labels: Labels,
        test: Part,
        train: Part,
        validation: Part,
        result: Any,
        reading: Evaluation,
        ledger: Ledger,
        began: float,
    ) -> None:
        """Append the ledger's line with its predictions."""
        facts, whole = provenance(), len(place.parts(where(cell.task)[1])[1]["train"].rows)
        line = {
            "cell": self.identity(unit, cell, run),
            "study": self.config.name,
            "method": unit.method,
            "kind": self.config.methods[unit.method].kind,
            "seed": unit.seed,
            "rotation": unit.rotation,
            "task": cell.task,
            "task_kind": labels.task.kind,
            "classes": list(labels.task.classes),
            "probe": cell.probe,
            "fraction": cell.fraction if cell.fraction > 0 else round(len(train.rows) / whole, 6),
            "shots": max(0, round(-cell.fraction)),
            "draw": cell.draw,
            "validation": cell.validation,
            "disturbance": cell.disturbance,
            "thresholds": thresholds_of(validation.y, result, labels.task.kind),
            "temperature": temperature_of(validation.y, result, labels.task.kind),
            "n_train": len(train.rows),
            "n_validation": len(validation.rows),
            "n_test": len(test.rows),
            "positives_test": []
            if labels.task.kind == "regression"
            else [int(count) for count in test.y.sum(0)],
            "split": place.split.digest,
            "config": self.config.digest,
            "store": place.store.digest,
            "run": run.name if run else None,
            "chosen": result.chosen,
            "metrics": reading.metrics,
            "per_class": reading.per_class,
            "left_out": list(reading.left_out),
            "undefined": reading.undefined,
            "seconds": round(time.monotonic() - began, 3),
            "commit": facts["commit"],
            "versions": facts["versions"],
            "hardware": facts["hardware"] | {"device": str(place.batches.device)},
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        _, patients = np.unique(test.patients, return_inverse=True)
        scores = result.test_scores.astype(np.float32)
        ledger.append(line, rows=test.rows, scores=scores, truth=test.y, patients=patients)


def _read_as(rule: EncoderSettings, *, said: bool) -> dict[str, str]:
    """Which features of an encoder a cell's numbers owe to, where they are not those of its last layer."""
    return {} if said or rule.features == "last" else {"features": rule.features}


def _as_published(rule: Published, *, tuned: bool, said: bool) -> dict[str, Any]:
    """The published choices of transfer that a cell's numbers owe to, and its encoder's id has not said."""
    found: dict[str, Any] = {}
    if not said and rule.scaling != "none":
        found["scaling"] = "record"
    if not said and rule.attention != "record":
        found["attention"] = rule.attention
    if tuned and rule.finetuning != "moves":
        found["finetuning"] = rule.finetuning
    if tuned and rule.kept != "best":
        found["kept"] = rule.kept
    return {"published": found} if found else {}


def _tuned_by(rule: Transfer, *, scratch: bool) -> dict[str, Any]:
    """What fine-tuning is set to; of how stages move only what has an effect."""
    found = {key: value for key, value in rule.model_dump().items() if key.startswith("finetune_")}
    idle = {"finetune_draws", "finetune_fractions"}
    if rule.finetune_head_hidden is None:
        idle.add("finetune_head_hidden")
    if scratch or rule.finetune_unfrozen is None:
        idle.add("finetune_unfrozen")
    if scratch or rule.finetune_rate_decay == 1.0 or rule.finetune_unfrozen in (0, 1):
        idle.add("finetune_rate_decay")
    return {key: value for key, value in found.items() if key not in idle}


def _tuned_on(views: Views) -> dict[str, Any]:
    """What fine-tuning sees of the views: the base augmentation; extra views are for pretraining alone."""
    return views.model_dump() | {"extra": ()}
