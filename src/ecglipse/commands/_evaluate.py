"""Reads encoders: for one unit of a study, its pretraining if need be, then every cell to the ledger."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.checkpoints import latest_checkpoint
from ecglipse.commands import _encoders, _splits, _views
from ecglipse.commands._identity import identity
from ecglipse.commands._judging import judge
from ecglipse.commands._places import places, where
from ecglipse.commands._pretrain import pretrain, run_folder
from ecglipse.commands._reading import Features, Read, of_encoder, of_measurements, of_nothing
from ecglipse.commands._trial import Trial, line_of, trial_of
from ecglipse.config import Config
from ecglipse.errors import CheckpointError
from ecglipse.models.layers import Encoder
from ecglipse.results import Ledger
from ecglipse.study.plan import Cell, Unit, cells
from ecglipse.transfer.disturb import possible
from ecglipse.transfer.finetune import finetune
from ecglipse.transfer.pretrained import put_weights
from ecglipse.transfer.probes import knn_probe, linear_probe


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
        return identity(self.config, unit, cell, run=run, place=place)

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
                self.read(unit, cell, run, encoder, found[where(cell.task)[0]], ledger)
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
            one.whole, one.tested = self.labelled(name, unit)
        return encoder, found

    def labelled(self, name: str, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
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
        drawn = _splits.seed_of(self.split, seed=unit.seed)
        encoder = _encoders.encoder(self.config.of(unit.method), self.store, seed=drawn)
        if run is not None:
            found = latest_checkpoint(run)
            if found is None:
                raise CheckpointError(f"{run}: has no checkpoint", hint="finish it with `ecglipse pretrain`")
            if found.counters["step"] < found.counters["total"]:
                raise CheckpointError(
                    f"{run}: stopped at step {found.counters['step']} of {found.counters['total']}",
                    hint="finish it with `ecglipse pretrain`",
                )
            prefix = "average." if self.config.of(unit.method).pretrain.ema else "game.encoder."
            put_weights(encoder, found.tensors, where=str(run), prefix=prefix)
        encoder = _encoders.transferred(self.config.of(unit.method), encoder)
        return encoder.to(self.places[""].batches.device)

    def read(
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
        trial = self._trial(unit, cell, run)
        if cell.probe == "finetune" and encoder is not None:
            result: Any = self._finetune(trial, encoder)
        else:
            probes: dict[str, Any] = {"linear": linear_probe, "knn": knn_probe}
            result = _probed(probes[cell.probe], trial, found, test=found)
        self._write(trial, result, ledger, began)

    def _read_disturbed(
        self, unit: Unit, mine: list[Cell], run: Path | None, found: Features, ledger: Ledger
    ) -> None:
        """Fit the probe of a task once, on records as they are, and read it under each disturbance."""
        began = time.monotonic()
        trial = self._trial(unit, mine[0], run)

        def under(rows: np.ndarray) -> np.ndarray:
            return np.concatenate([found.under(cell.disturbance)(rows) for cell in mine])

        result = _probed(linear_probe, trial, found, test=under)
        began = time.monotonic() - (time.monotonic() - began) / len(mine)
        for cell, scores in zip(mine, np.split(result.test_scores, len(mine)), strict=True):
            self._write(replace(trial, cell=cell), replace(result, test_scores=scores), ledger, began)
            began = time.monotonic()

    def _trial(self, unit: Unit, cell: Cell, run: Path | None) -> Trial:
        """The cell with its rows."""
        return trial_of(unit, cell, run=run, place=self.places[where(cell.task)[0]])

    def _finetune(self, trial: Trial, encoder: Encoder) -> Any:
        """Fine-tune a copy of the encoder; from scratch, the encoder learns at the head's rate."""
        unit, place = trial.unit, trial.place
        rule, own = self.config.transfer, self.config.of(unit.method)
        return finetune(
            _encoders.finetuned(own, encoder),
            place.batches.millivolts,
            train=(trial.train.rows, trial.train.y),
            validation=(trial.validation.rows, trial.validation.y),
            test_rows=trial.test.rows,
            kind=trial.task.kind,
            epochs=rule.finetune_epochs,
            batch=rule.finetune_batch,
            learning_rate=rule.finetune_learning_rate,
            head_hidden=rule.finetune_head_hidden,
            **_encoders.finetuning_pace(rule, scratch=self.config.methods[unit.method].kind == "scratch"),
            seed=_splits.seed_of(self.split, seed=unit.seed * 1000 + trial.cell.draw),
            augment=_views.finetuning_view(own, place.store),
            keep=own.published.kept,
        )

    def _write(self, trial: Trial, result: Any, ledger: Ledger, began: float) -> None:
        """Judge a result, and append the ledger's line with its predictions."""
        test = trial.test
        judged = judge(test.y, trial.validation.y, result, task=trial.task)
        cell = self.identity(trial.unit, trial.cell, trial.run)
        seconds = time.monotonic() - began
        line = line_of(trial, result, judged, config=self.config, cell=cell, seconds=seconds)
        _, patients = np.unique(test.patients, return_inverse=True)
        scores = result.test_scores.astype(np.float32)
        ledger.append(line, rows=test.rows, scores=scores, truth=test.y, patients=patients)


def _probed(probe: Any, trial: Trial, found: Features, *, test: Read) -> Any:
    """Fit a probe on features as they are, and read what `test` gives of the test set."""
    features = [found(trial.train.rows), trial.train.y, found(trial.validation.rows), trial.validation.y]
    return probe(*features, test(trial.test.rows), kind=trial.task.kind)
