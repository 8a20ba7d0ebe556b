"""Small stores to test on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.leads import LEADS
from ecglipse.records.record import Record, Wave
from ecglipse.store import Manifest, StoreWriter

FS, DURATION_S = 100.0, 1.0


@pytest.fixture
def make_record() -> Callable[[int], Record]:
    """A record that its number determines: 12 leads, 100 Hz, 1 s, noise of 1 mV."""

    def make(number: int, seed: int = 0) -> Record:
        rng = np.random.default_rng([seed, number])
        return Record(
            signal=rng.normal(size=(12, 100)).astype(np.float32),
            fs=FS,
            leads=LEADS,
            record_id=f"r{number}",
            patient_id=f"p{number // 2}",
            source="test",
            age=None if number % 3 == 0 else 40.0 + number,
            sex=(None, "female", "male")[number % 3],
            codes=("NORM", "SR")[: number % 3],
            fold=None if number % 4 == 0 else number % 4,
            waves=tuple(
                Wave("QRS", 0.1 * beat, float("nan"), 0.1 * beat + 0.08, "II") for beat in range(number % 3)
            ),
        )

    return make


@pytest.fixture
def make_store(make_record: Callable[..., Record]) -> Callable[..., Manifest]:
    """Write a store of `n` records in shards of 4, with one reject."""

    def make(path: Path, n: int = 10, *, seed: int = 0, **options: object) -> Manifest:
        settings = {
            "corpus": "test",
            "fs": FS,
            "duration_s": DURATION_S,
            "vocabulary": {},
            "processing": ["drawn"],
        }
        with StoreWriter(path, **(settings | {"shard_records": 4} | options)) as writer:  # type: ignore[arg-type]
            for number in range(n):
                writer.add(make_record(number, seed))
            writer.reject("bad", "flat-lead", "bad: lead V1 is flat")
            return writer.commit()

    return make
