"""What a study will cost, measured: one step of each kind of work is done for a moment and extrapolated.

Writes only to a temporary folder.
"""

import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecglipse.commands import _assemble
from ecglipse.commands._evaluate import Bench
from ecglipse.commands._gallery import write_gallery
from ecglipse.commands._mask_run import mask_maps
from ecglipse.commands._mask_stability import COMPARED
from ecglipse.commands._masks import DRAWS, RECORDS, SHIFTS
from ecglipse.commands._places import Place, where
from ecglipse.commands._reading import Features
from ecglipse.commands._wave_step import delineation_s
from ecglipse.commands._workers import cores
from ecglipse.config import Config, digest
from ecglipse.masks import MaskPolicy, SpectralMask
from ecglipse.occlusion import Tally, all_leads, lead_by_lead
from ecglipse.results import Ledger
from ecglipse.seeding import numpy_rng
from ecglipse.store import Store
from ecglipse.study.plan import Cell, Unit, cells, tasks
from ecglipse.transfer.disturb import disturbed
from ecglipse.transfer.features import features
from ecglipse.transfer.finetune import finetune
from ecglipse.transfer.handcrafted import handcrafted
from ecglipse.waves import REGIONS

SAMPLE = 64
"""Records whose features are timed."""
ENOUGH_S = 0.5
"""A probe of larger budgets is not timed once the smaller ones took so long; it is taken as proportional."""


@dataclass(frozen=True)
class Estimate:
    """What a whole study costs, as if none of it were done.

    Args:
        parts: (work, how often, seconds of one core), in seconds over all of it.
        seconds: until it ends.
        workers: processes at once.
        memory_mib: of all processes.
    """

    parts: tuple[tuple[str, int, float], ...]
    seconds: float
    workers: int
    memory_mib: float

    def after_search(self, seconds: float) -> "Estimate":
        """Add the search for leaks, which a study begins with, in its own process."""
        parts = (("looking for leaks", 1, seconds), *self.parts)
        own = _peak_mib() if self.workers > 1 else max(_peak_mib() - self.memory_mib, 0.0)
        return replace(self, parts=parts, seconds=self.seconds + seconds, memory_mib=self.memory_mib + own)


def estimate(config: Config, grid: Sequence[Unit], waves: Sequence[Unit], *, workers: int) -> Estimate:
    """Time one step of each kind of work of a study, and add up; all but the search for leaks.

    Args:
        config: of the study.
        grid: its encoders.
        waves: encoders whose masks are looked at in the end.
        workers: processes.
    """
    with _threads(1 if workers > 1 else None):
        clock = _Clock(config, rotation=grid[0].rotation)
        seconds: dict[str, float] = defaultdict(float)
        often: Counter[str] = Counter()
        longest = 0.0
        for method, count in Counter(unit.method for unit in grid).items():
            mine = clock.unit(next(unit for unit in grid if unit.method == method))
            longest = max(longest, sum(s for _, s in mine.values()))
            for name, (n, s) in mine.items():
                often[name] += n * count
                seconds[name] += s * count
        for unit in waves:
            n, s = clock.looking(unit)
            often["records under masks"] += n
            seconds["records under masks"] += s
        for name, (n, s) in (clock.measurements() | clock.delineation()).items():
            often[name], seconds[name] = n, s
    at_once = min(workers, cores(), len(grid))
    total = sum(seconds.values())
    parts = tuple((name, often[name], s) for name, s in seconds.items() if s > 0)
    return Estimate(parts, max(total / at_once, longest), workers, _peak_mib() * min(workers, len(grid)))


def _peak_mib() -> float:
    """The most memory that this process has held, MiB: about what a worker will."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)


class _Clock:
    """Times the work of a study's units on the records of one rotation; nothing twice."""

    def __init__(self, config: Config, *, rotation: int) -> None:
        began = time.perf_counter()
        self.config, self.bench = config, Bench(config, rotation=rotation)
        for task in tasks(config):
            name, plain = where(task)
            self.bench.places[name].parts(plain)
        self.setup_s = time.perf_counter() - began
        self.known: dict[Any, Any] = {}
        self.policies: dict[str, MaskPolicy] = {}
        self.stand_ins = {name: _stand_in(p, config.encoder.dim) for name, p in self.bench.places.items()}

    def unit(self, unit: Unit) -> dict[str, tuple[int, float]]:
        """How often each kind of work is done for a unit, and its seconds in all."""
        own, found = self.config.of(unit.method), {"setting up": (1, self.setup_s)}
        kind, todo = own.methods[unit.method].kind, cells(self.config, unit)
        if kind == "pretrained":
            steps, step_s, gallery_s = self.pretraining(unit, own)
            found["pretraining steps"] = (steps, steps * step_s)
            found["pictures of masks"] = (1, gallery_s)
        if kind not in ("majority", "handcrafted"):
            rows = [self.bench.labelled(name, unit) for name in self.bench.places]
            n, tested = (sum(len(pair[k]) for pair in rows) for k in (0, 1))
            ladder = len({cell.disturbance for cell in todo} - {""})
            n += tested * ladder
            found["features of records"] = (n, n * self.reading(own))
        if again := [cell for cell in todo if cell.disturbance]:
            tested = sum(len(self.parts(cell)["test"].rows) for cell in again) // len(tasks(self.config))
            found["disturbed records"] = (tested, tested * self.disturbing(measured=kind == "handcrafted"))
        for cell in todo:
            name = f"{cell.probe} readings"
            n, s = found.get(name, (0, 0.0))
            found[name] = (n + 1, s + self.cell(unit, own, cell))
        return found

    def parts(self, cell: Cell) -> Any:
        """Labelled rows of a cell's task."""
        name, task = where(cell.task)
        return self.bench.places[name].parts(task)[1]

    def pretraining(self, unit: Unit, own: Config) -> tuple[int, float, float]:
        """Steps of a run, seconds of a step, and of the pictures of its masks."""
        method, split = own.methods[unit.method], self.bench.split
        if method.marks == "delineator":  # nothing is delineated to say what it would cost
            method = method.model_copy(update={"masks": "random", "marks": "energy"})
        batches = self.bench.places[""].batches
        made = _assemble.training(own, method, batches=batches, rows=split.train, seed=unit.seed)
        made.step()
        self.policies[unit.method] = made.game.policy
        timed = min(2, max(made.total - 1, 1))
        step_s = min(_timed(made.step) for _ in range(timed))
        with tempfile.TemporaryDirectory() as folder:
            count = own.study.gallery
            pictures = _timed(lambda: write_gallery(Path(folder), made, split.train, count=count))
        return made.total, step_s, pictures

    def reading(self, own: Config) -> float:
        """Seconds that an encoder takes for a record's features."""
        key = digest(own.encoder.model_dump(mode="json"))
        if key not in self.known:
            place = self.bench.places[""]
            encoder = _assemble.encoder(own, place.store, seed=0).to(place.batches.device)
            rows = np.arange(min(SAMPLE, len(place.store)))
            features(encoder, place.batches.millivolts, rows[:8])
            took = min(_timed(lambda: features(encoder, place.batches.millivolts, rows)) for _ in range(2))
            self.known[key] = took / len(rows)
        return float(self.known[key])

    def disturbing(self, *, measured: bool) -> float:
        """Seconds that disturbing a record takes, and measuring it where that is done anew."""
        if ("disturbing", measured) not in self.known:
            place, rows = self.bench.places[""], np.arange(8)
            x = place.batches.millivolts(rows).cpu().numpy()
            names = {c.disturbance for c in self.ladder()}
            fs, leads = place.store.fs, place.store.leads
            took = sum(_timed(lambda n=n: disturbed(x, n, rows=rows, fs=fs, leads=leads)) for n in names)
            more = _timed(lambda: handcrafted(x, fs=fs)) if measured else 0.0
            self.known["disturbing", measured] = (took / max(len(names), 1) + more) / len(rows)
        return float(self.known["disturbing", measured])

    def ladder(self) -> list[Cell]:
        """All readings of disturbed recordings of some method."""
        units = [Unit(name, 0, 0) for name in self.config.methods]
        return [cell for unit in units for cell in cells(self.config, unit) if cell.disturbance]

    def measurements(self) -> dict[str, tuple[int, float]]:
        """Hand-crafted features of a study's records: kept, so made once, whatever the rotations."""
        names = [name for name, rule in self.config.methods.items() if rule.kind == "handcrafted"]
        if not names:
            return {}
        place = self.bench.places[""]
        x = place.batches.millivolts(np.arange(min(8, len(place.store)))).cpu().numpy()
        handcrafted(x[:1], fs=place.store.fs)
        n = sum(len(self.bench.labelled(name, Unit(names[0], 0, 0))[0]) for name in self.bench.places)
        return {"records measured": (n, n * _timed(lambda: handcrafted(x, fs=place.store.fs)) / len(x))}

    def delineation(self) -> dict[str, tuple[int, float]]:
        """Marks that are still to be made, and kept beside their stores."""
        own = self.bench.store
        wanted = [Store.open(Path(path)) for path in self.config.study.waves]
        wanted = [store for store in wanted if not len(store.waves)]
        for name, method in self.config.methods.items():
            if method.marks == "delineator":
                wanted += [own, *_assemble.also(self.config.of(name), own)]
        n, s = delineation_s(wanted)
        return {"records delineated": (n, s)} if n else {}

    def looking(self, unit: Unit) -> tuple[int, float]:
        """Records on which an encoder's masks are looked at, and how long that takes, s."""
        own, batches, policy = self.bench.store, self.bench.places[""].batches, self.policies[unit.method]
        if ("looking", unit.method) not in self.known:
            rows = np.arange(min(8, len(own)))
            maps = mask_maps(policy, batches.millivolts, rows, draws=1)
            drawn_s = _timed(lambda: mask_maps(policy, batches.millivolts, rows, draws=2)) / 2 / len(rows)
            spectral = isinstance(policy, SpectralMask)
            tally = Tally(
                ["one", "other"],
                n_rows=maps.shape[1],
                shifts=SHIFTS,
                seed=0,
                marks=all_leads if spectral else lead_by_lead,
            )
            regions = np.tile(np.arange(own.n_samples) // 10 % len(REGIONS), (len(own.leads), 1))

            def add() -> None:
                tally.add(maps[0], regions.astype(np.int8), member=np.ones(2, dtype=bool), patient=0)

            add()
            self.known["looking", unit.method] = (drawn_s, _timed(add))
        drawn_s, tallied_s = self.known["looking", unit.method]
        records, seconds, others = 0, 0.0, len(self.config.study.seeds) - 1
        for store in (Store.open(Path(path)) for path in self.config.study.waves):
            trained = len(self.bench.split.train) if store.digest == own.digest else 0
            n = min(len(store) - trained, RECORDS)
            drawn = n + (4 + others) * min(n, COMPARED) * (others > 0)
            records, seconds = records + n, seconds + drawn * DRAWS * drawn_s + n * tallied_s
            if self.config.study.harm:  # test records under three kinds of masks, eight draws of each
                seconds += len(store) * (1 + 24 / 4) * self.reading(self.config.of(unit.method))
        return records, seconds

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
                    took = _timed(partial(read, Ledger(Path(folder))))
                spent, last = spent + took, (n, took)
            found[budget] = last[1] * max(n / last[0], 1.0)
        return found

    def tuning(self, unit: Unit, own: Config, cell: Cell) -> float:
        """Seconds of one fine-tuning: epochs over the training records, and readings of the others."""
        rule, eval_s = self.config.transfer, self.reading(own)
        counts = {budget: n for n, budget in self._budgets(cell)}
        key = ("tuning", digest(own.encoder.model_dump(mode="json")))
        if key not in self.known:
            place = self.bench.places[""]
            encoder = _assemble.encoder(own, place.store, seed=0).to(place.batches.device)
            rows = np.arange(min(2 * rule.finetune_batch, len(place.store)))
            y = (rows % 2).astype(np.uint8)[:, None]
            view = _assemble.finetuning_view(own, place.store)
            took = _timed(
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


def _timed(work: Any) -> float:
    """Seconds of work; on a CPU without those in which other programs had it."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    took, busy = time.perf_counter() - began, time.process_time() - busy
    return took if torch.cuda.is_available() else min(took, busy)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Use as many threads as a worker does."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(count or before)
        yield
    finally:
        torch.set_num_threads(before)
