"""Planted copies of real recordings: how many are found, and what is found that was not planted.

    python benchmarks/leaks.py --json [--store STORE] [--simulated 10000]

From a store of PTB-XL at 100 Hz (made in a temporary folder from `--folder`, $ECGLIPSE_DATA/ptbxl or
`shared/data/ptbxl` beside the checkout) 300 recordings are copied and changed: rescaled by 0.2 to 5, taken
to 500 Hz, moved by a fraction of a sample and brought back, cut to 5 s at any place, their leads permuted,
with baseline wander of 0.3 mV, with noise of 0.02 mV, and all of these together. Recall and the smallest
similarity of each; `false`: pairs of different recordings of the pack above the threshold, and the largest
similarity that any has. Then one copy (all changes but noise) among simulated recordings, a hundred times.
Takes about two minutes.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ecglipse.commands import prepare
from ecglipse.corpora.simulator import simulate
from ecglipse.leads import LEADS
from ecglipse.leaks import duplicates
from ecglipse.records.record import Record
from ecglipse.signal import resample
from ecglipse.store import Store, StoreWriter

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def data() -> Path:
    """The folder of real recordings."""
    named = os.environ.get("ECGLIPSE_DATA")
    return (Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data") / "ptbxl"


def rescaled(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return x * np.exp(rng.uniform(np.log(0.2), np.log(5)))


def resampled(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    fast = resample(x, 100.0, 500.0)
    return resample(fast[:, int(rng.integers(1, 5)) :], 500.0, 100.0)


def cropped(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    start = int(rng.integers(0, x.shape[1] - 500 + 1))
    return x[:, start : start + 500]


def permuted(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return x[rng.permutation(len(x))]


def wandering(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    time_s = np.arange(x.shape[1]) / 100
    hz, phase = rng.uniform(0.1, 0.5, (12, 1)), rng.uniform(0, 6.3, (12, 1))
    return x + 0.3 * np.sin(2 * np.pi * hz * time_s + phase)


def noisy(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return x + rng.normal(0, 0.02, x.shape)


def together(*changes: Change) -> Change:
    def change(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for one in changes:
            x = one(x, rng)
        return x

    return change


CHANGES: dict[str, Change] = {
    "rescaled": rescaled,
    "resampled": resampled,
    "cropped": cropped,
    "permuted": permuted,
    "wandering": wandering,
    "noisy": noisy,
    "all": together(noisy, wandering, rescaled, resampled, cropped, permuted),
}


def written(path: Path, signals: list[np.ndarray]) -> Store:
    """A store of signals; all are cut to the shortest, 5 s at least."""
    n = min(min(x.shape[1] for x in signals), 1000)
    with StoreWriter(
        path, corpus="copies", fs=100.0, duration_s=n / 100, vocabulary={}, processing=[], scale_mv=0.001
    ) as writer:
        for number, x in enumerate(signals):
            signal = np.clip(x[:, :n], -32, 32).astype(np.float32)
            writer.add(Record(signal, 100.0, LEADS, str(number), str(number), "copies"))
        writer.commit()
    return Store.open(path)


def recall(store: Store, rows: np.ndarray, copies: Store) -> dict[str, float]:
    found = duplicates(store, copies, threshold=0.5)
    planted = found[found["row_a"].to_numpy() == rows[found["row_b"].to_numpy()]]
    return {
        "recall": round(float((planted["similarity"] >= 0.96).sum()) / len(rows), 4),
        "least": round(float(planted["similarity"].min()), 3),
        "false": int((found.drop(planted.index)["similarity"] >= 0.96).sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line (always)")
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--copies", type=int, default=300)
    parser.add_argument("--simulated", type=int, default=10_000)
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = arguments.store or prepare(arguments.folder or data(), folder / "s", progress=False).store
        store = Store.open(path)
        start = time.monotonic()
        alike = duplicates(store, threshold=0.5)
        result: dict[str, object] = {
            "name": "leaks",
            "records": len(store),
            "seconds_within": round(time.monotonic() - start, 1),
            "false_within": int((alike["similarity"] >= 0.96).sum()),
            "most_alike": round(float(alike["similarity"].max()), 3),
        }
        rng = np.random.default_rng(0)
        rows = rng.choice(len(store), arguments.copies, replace=False)
        originals = store.millivolts(rows)
        for number, (kind, change) in enumerate(CHANGES.items()):
            draws = np.random.default_rng([1, number])
            copies = written(folder / kind, [change(x, draws) for x in originals])
            result[kind] = recall(store, rows, copies)
        result["leak_found_of_100"] = (
            planted_leaks(folder, arguments.simulated) if arguments.simulated else None
        )
    result["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(result | {"seconds": round(time.monotonic() - began, 1)}))


def planted_leaks(folder: Path, n: int) -> int:
    """A store of `n` simulated recordings; a hundred times another one is copied, changed and looked for."""
    with StoreWriter(
        folder / "many", corpus="simulator", fs=100.0, duration_s=10.0, vocabulary={}, processing=[]
    ) as writer:
        for record in simulate(n, seed=3):
            writer.add(record)
        writer.commit()
    store = Store.open(folder / "many")
    rng = np.random.default_rng(4)
    rows = rng.choice(n, 100, replace=False)
    change = together(wandering, rescaled, resampled, cropped, permuted)
    copies = written(folder / "leaks", [change(x, rng) for x in store.millivolts(rows)])
    found = duplicates(copies, store)
    right = set(zip(found["row_a"], found["row_b"], strict=True))
    return sum((number, row) in right for number, row in enumerate(rows.tolist()))


if __name__ == "__main__":
    main()
