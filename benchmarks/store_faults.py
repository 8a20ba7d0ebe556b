"""Damages stores in every way, each way many times, and counts what `ecglipse verify` finds.

    python benchmarks/store_faults.py --json [--n 1000]

A store of 60 simulated records in shards of 8; one fault a time, at a place drawn from a seed:
flip (one bit of any file), truncate (a file loses bytes at its end), delete (a file), swap (two shards take
each other's place), replay (a shard, or a table, of an earlier store of other recordings comes back).
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ecglipse.corpora.simulator import VOCABULARY, simulate
from ecglipse.store import StoreWriter, problems


def write(path: Path, *, seed: int) -> None:
    """A small store."""
    with StoreWriter(
        path,
        corpus="simulator",
        fs=100.0,
        duration_s=10.0,
        vocabulary=VOCABULARY,
        processing=[],
        shard_records=8,
    ) as writer:
        for record in simulate(60, seed=seed):
            writer.add(record)
        writer.reject("bad", "flat-lead", "lead V1: constant")
        writer.commit()


def files(store: Path) -> list[Path]:
    """All its files."""
    return sorted(store.iterdir())


def flip(store: Path, older: Path, rng: np.random.Generator) -> None:
    path = files(store)[rng.integers(len(files(store)))]
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)


def truncate(store: Path, older: Path, rng: np.random.Generator) -> None:
    path = files(store)[rng.integers(len(files(store)))]
    path.write_bytes(path.read_bytes()[: rng.integers(path.stat().st_size)])


def delete(store: Path, older: Path, rng: np.random.Generator) -> None:
    files(store)[rng.integers(len(files(store)))].unlink()


def swap(store: Path, older: Path, rng: np.random.Generator) -> None:
    shards = sorted(store.glob("signals-*.npy"))[:-1]  # of equal length
    one, other = (shards[i] for i in rng.choice(len(shards), 2, replace=False))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def replay(store: Path, older: Path, rng: np.random.Generator) -> None:
    names = [path.name for path in files(store) if path.name not in ("manifest.json", "rejects.jsonl")]
    name = names[rng.integers(len(names))]
    shutil.copyfile(older / name, store / name)


FAULTS: dict[str, Callable[[Path, Path, np.random.Generator], None]] = {
    "flip": flip, "truncate": truncate, "delete": delete, "swap": swap, "replay": replay
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line (always)")
    parser.add_argument("--n", type=int, default=1000, help="faults of each kind")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        sound, older, store = Path(folder) / "sound", Path(folder) / "older", Path(folder) / "store"
        write(sound, seed=0)
        write(older, seed=1)
        result: dict[str, object] = {"name": "store_faults", "n": arguments.n, "sound": problems(sound)}
        for number, (name, fault) in enumerate(FAULTS.items()):
            rng = np.random.default_rng([7, number])
            found = 0
            for _ in range(arguments.n):
                shutil.rmtree(store, ignore_errors=True)
                shutil.copytree(sound, store)
                fault(store, older, rng)
                found += bool(problems(store))
            result[f"{name}_found"] = found
    print(json.dumps(result | {"seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
