"""How long readings of an encoder take, measured: features, probes and fine-tuning of one rotation's records.

Writes only to a temporary folder.
"""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecglipse.commands import _encoders, _views
from ecglipse.commands._evaluate import Bench
from ecglipse.commands._places import Part, Place, where
from ecglipse.commands._reading import Features
from ecglipse.commands._stopwatch import timed
from ecglipse.config import Config, digest
from ecglipse.results import Ledger
from ecglipse.seeding import numpy_rng
from ecglipse.study.plan import Cell, Unit, cells
from ecglipse.transfer.features import features
from ecglipse.transfer.finetune import finetune

SAMPLE: Final = 64
"""Records whose features are timed."""
ENOUGH_S: Final = 0.5
"""A probe of larger budgets is not timed once the smaller ones took so long; it is taken as proportional."""


class ReadingClock:
    """Times the readings of a study's encoders; nothing twice.

    Args:
        bench: that they are read on.
    """

    def __init__(self, bench: Bench) -> None:
        self.config, self.bench = bench.config, bench
        self.known: dict[Any, Any] = {}
        dim = self.config.encoder.dim
        self.stand_ins = {name: _stand_in(place, dim) for name, place in bench.places.items()}

    def parts(self, cell: Cell) -> dict[str, Part]:
        """Labelled rows of a cell's task."""
        name, task = where(cell.task)
        return self.bench.places[name].parts(task)[1]

    def features(self, own: Config) -> float:
        """Seconds that an encoder takes for a record's features."""
        key = digest(own.encoder.model_dump(mode="json"))
        if key not in self.known:
            place = self.bench.places[""]
            encoder = _encoders.encoder(own, place.store, seed=0).to(place.batches.device)
            rows = np.arange(min(SAMPLE, len(place.store)))
            features(encoder, place.batches.millivolts, rows[:8])
            took = min(timed(lambda: features(encoder, place.batches.millivolts, rows)) for _ in range(2))
            self.known[key] = took / len(rows)
        return float(self.known[key])

    def cell(self, unit: Unit, own: Config, cell: Cell) -> float:
        """Seconds of one reading."""
        if cell.probe == "finetune":
            return self.tuning(unit, own, cell)
        if cell.disturbance:  # one fit for all of them
            there = sum(c.task == cell.task and bool(c.disturbance) for c in cells(self.config, unit))
            return self.probe(replace(cell, disturbance="")) / there + self.writing(cell)
        return self.probe(cell)

    def writing(self, cell: Cell) -> float:
        """Seconds of a reading of the smallest budget: little else than judging and writing."""
        return self.probe(replace(cell, fraction=self._budgets(cell)[0][1], disturbance=""))

    def _budgets(self, cell: Cell) -> list[tuple[int, float]]:
        """Numbers of training records and the budgets they belong to, ascending."""
        key = ("budgets", cell.task)
        if key not in self.known:
            rule, train = self.config.transfer, self.parts(cell)["train"]
            every = [*rule.fractions, *(-float(k) for k in rule.shots)]
            self.known[key] = sorted((len(train.subset(f, 0).rows), f) for f in every)
        return list(self.known[key])

    def probe(self, cell: Cell) -> float:
        """Seconds of a probe's reading: fit, choice, test set, judgement and the ledger's line."""
        key = (cell.task, cell.probe)
        if key not in self.known:
            self.known[key] = self._probes(cell)
        return float(self.known[key][cell.fraction])

    def _probes(self, cell: Cell) -> dict[float, float]:
        """Time the readings of a task and probe, small budgets first, while that is quick."""
        found: dict[float, float] = {}
        unit, (name, _) = Unit(next(iter(self.config.methods)), 0, self.bench.rotation), where(cell.task)
        spent, last = 0.0, (1, 0.0)
        for n, budget in self._budgets(cell):
            if spent < ENOUGH_S:
                one = replace(cell, fraction=budget, draw=0, validation="matched")
                with tempfile.TemporaryDirectory() as folder:
                    read = partial(self.bench.read, unit, one, None, None, self.stand_ins[name])
                    took = timed(partial(read, Ledger(Path(folder))))
                spent, last = spent + took, (n, took)
            found[budget] = last[1] * max(n / last[0], 1.0)
        return found

    def tuning(self, unit: Unit, own: Config, cell: Cell) -> float:
        """Seconds of one fine-tuning: epochs over the training records, and readings of the others."""
        rule, eval_s = self.config.transfer, self.features(own)
        counts = {budget: n for n, budget in self._budgets(cell)}
        key = ("tuning", digest(own.encoder.model_dump(mode="json")))
        if key not in self.known:
            place = self.bench.places[""]
            encoder = _encoders.encoder(own, place.store, seed=0).to(place.batches.device)
            rows = np.arange(min(2 * rule.finetune_batch, len(place.store)))
            y = (rows % 2).astype(np.uint8)[:, None]
            view = _views.finetuning_view(own, place.store)
            took = timed(
                lambda: finetune(
                    encoder,
                    place.batches.millivolts,
                    train=(rows, y),
                    validation=(rows[:2], y[:2]),
                    test_rows=rows[:2],
                    kind="binary",
                    epochs=1,
                    batch=rule.finetune_batch,
                    learning_rate=1e-3,
                    encoder_scale=1.0,
                    head_hidden=rule.finetune_head_hidden,
                    seed=0,
                    augment=view,
                )
            )
            self.known[key] = took / len(rows)
        n = counts[cell.fraction]
        parts = self.parts(cell)
        share = n / max(len(parts["train"].rows), 1)
        judged = share * len(parts["validation"].rows)
        passes = rule.finetune_epochs * (n * self.known[key] + judged * eval_s)
        return float(passes + (judged + len(parts["test"].rows)) * eval_s)


def _stand_in(place: Place, dim: int) -> Features:
    """Features that cost nothing and are as hard to read as any: a random projection of the recordings."""
    made = numpy_rng(0, "stand-in").standard_normal((place.store.n_samples * len(place.store.leads), dim))

    def read(rows: np.ndarray) -> np.ndarray:
        if len(rows) == 0:
            return np.zeros((0, dim), dtype=np.float32)
        parts = [rows[start : start + 256] for start in range(0, len(rows), 256)]
        flat = [place.batches.millivolts(part).cpu().numpy().reshape(len(part), -1) for part in parts]
        return np.concatenate([np.abs(x @ made.astype(np.float32)) for x in flat])

    found = Features(read, len(place.store), under=lambda name: read)
    found(np.arange(len(place.store)))
    return found
