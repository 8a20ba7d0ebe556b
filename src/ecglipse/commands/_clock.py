"""How long the work on a study's encoders takes, measured: each kind is done for a moment, and nothing twice.

Writes only to a temporary folder.
"""

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.commands import _assemble, _stores
from ecglipse.commands._evaluate import Bench
from ecglipse.commands._gallery import write_gallery
from ecglipse.commands._mask_run import mask_maps
from ecglipse.commands._mask_stability import COMPARED
from ecglipse.commands._masks import DRAWS, RECORDS, SHIFTS
from ecglipse.commands._places import where
from ecglipse.commands._reading_clock import ReadingClock
from ecglipse.commands._stopwatch import timed
from ecglipse.commands._wave_step import delineation_s
from ecglipse.config import Config
from ecglipse.masks import MaskPolicy, SpectralMask
from ecglipse.occlusion import Tally, all_leads, lead_by_lead
from ecglipse.store import Store
from ecglipse.study.plan import Cell, Unit, cells, tasks
from ecglipse.transfer.disturb import disturbed
from ecglipse.transfer.handcrafted import handcrafted
from ecglipse.waves import REGIONS


class Clock:
    """Times the work of a study's units on the records of one rotation.

    Args:
        config: of the study.
        rotation: which split.
    """

    def __init__(self, config: Config, *, rotation: int) -> None:
        began = time.perf_counter()
        self.config, self.bench = config, Bench(config, rotation=rotation)
        for task in tasks(config):
            name, plain = where(task)
            self.bench.places[name].parts(plain)
        self.setup_s = time.perf_counter() - began
        self.known: dict[Any, Any] = {}
        self.policies: dict[str, MaskPolicy] = {}
        self.readings = ReadingClock(self.bench)

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
            found["features of records"] = (n, n * self.readings.features(own))
        if again := [cell for cell in todo if cell.disturbance]:
            sizes = [len(self.readings.parts(cell)["test"].rows) for cell in again]
            tested = sum(sizes) // len(tasks(self.config))
            found["disturbed records"] = (tested, tested * self.disturbing(measured=kind == "handcrafted"))
        for cell in todo:
            name = f"{cell.probe} readings"
            n, s = found.get(name, (0, 0.0))
            found[name] = (n + 1, s + self.readings.cell(unit, own, cell))
        return found

    def pretraining(self, unit: Unit, own: Config) -> tuple[int, float, float]:
        """Steps of a run, seconds of a step, and of the pictures of its masks."""
        method, split = own.methods[unit.method], self.bench.split
        if method.marks == "delineator":  # nothing is delineated to say what it would cost
            method = method.model_copy(update={"masks": "random", "marks": "energy"})
        batches = self.bench.places[""].batches
        made = _assemble.training(own, method, batches=batches, rows=split.train, seed=unit.seed)
        made.step()
        self.policies[unit.method] = made.game.policy
        step_s = min(timed(made.step) for _ in range(min(2, max(made.total - 1, 1))))
        with tempfile.TemporaryDirectory() as folder:
            count = own.study.gallery
            pictures = timed(lambda: write_gallery(Path(folder), made, split.train, count=count))
        return made.total, step_s, pictures

    def disturbing(self, *, measured: bool) -> float:
        """Seconds that disturbing a record takes, and measuring it where that is done anew."""
        if ("disturbing", measured) not in self.known:
            place = self.bench.places[""]
            rows = np.arange(min(8, len(place.store)))
            x = place.batches.millivolts(rows).cpu().numpy()
            names = {c.disturbance for c in self.ladder()}
            fs, leads = place.store.fs, place.store.leads
            took = sum(timed(partial(disturbed, x, n, rows=rows, fs=fs, leads=leads)) for n in names)
            more = timed(lambda: handcrafted(x, fs=fs)) if measured else 0.0
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
        return {"records measured": (n, n * timed(lambda: handcrafted(x, fs=place.store.fs)) / len(x))}

    def delineation(self) -> dict[str, tuple[int, float]]:
        """Marks that are still to be made, and kept beside their stores."""
        own = self.bench.store
        wanted = [Store.open(Path(path)) for path in self.config.study.waves]
        wanted = [store for store in wanted if not len(store.waves)]
        for name, method in self.config.methods.items():
            if method.marks == "delineator":
                wanted += [own, *_stores.also(self.config.of(name), own)]
        n, s = delineation_s(wanted)
        return {"records delineated": (n, s)} if n else {}

    def looking(self, unit: Unit) -> tuple[int, float]:
        """Records on which an encoder's masks are looked at, and how long that takes, s."""
        own, batches, policy = self.bench.store, self.bench.places[""].batches, self.policies[unit.method]
        if ("looking", unit.method) not in self.known:
            rows = np.arange(min(8, len(own)))
            maps = mask_maps(policy, batches.millivolts, rows, draws=1)
            drawn_s = timed(lambda: mask_maps(policy, batches.millivolts, rows, draws=2)) / 2 / len(rows)
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
            self.known["looking", unit.method] = (drawn_s, timed(add))
        drawn_s, tallied_s = self.known["looking", unit.method]
        records, seconds, others = 0, 0.0, len(self.config.study.seeds) - 1
        for store in (Store.open(Path(path)) for path in self.config.study.waves):
            trained = len(self.bench.split.train) if store.digest == own.digest else 0
            n = min(len(store) - trained, RECORDS)
            drawn = n + (4 + others) * min(n, COMPARED) * (others > 0)
            records, seconds = records + n, seconds + drawn * DRAWS * drawn_s + n * tallied_s
            if self.config.study.harm:  # test records under three kinds of masks, eight draws of each
                seconds += len(store) * (1 + 24 / 4) * self.readings.features(self.config.of(unit.method))
        return records, seconds
