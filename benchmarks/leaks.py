"""Planted copies of real recordings: how many are found, and what is found that was not planted.

    python benchmarks/leaks.py --json [--store STORE] [--simulated 10000]

From a store of PTB-XL at 100 Hz (made in a temporary folder from `--folder`, $ECGLIPSE_DATA/ptbxl or
`shared/data/ptbxl` beside the checkout) 300 recordings are copied and changed: rescaled by 0.2 to 5, taken
to 500 Hz, moved by a fraction of a sample and brought back, cut to 5 s at any place, their leads permuted,
with baseline wander of 0.3 mV, with noise of 0.02 mV, and all of these together. Recall and the smallest
similarity of each; `false`: pairs of different recordings of the pack above the threshold, and the largest
similarity that any has. Then one copy (all changes but noise) among simulated recordings, a hundred times.
At last `ecglipse study`, as a command, on simulated stores with one copy of a tested or a choosing recording
under a patient who is trained on: how often it was refused with the copy's name and nothing run, how often
`--plan` said so, and whether the store without a copy was refused.
Takes about four minutes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecglipse.commands import prepare
from ecglipse.corpora.simulator import VOCABULARY, simulate
from ecglipse.leads import LEADS
from ecglipse.leaks import duplicates
from ecglipse.records.record import Record
from ecglipse.signal import resample
from ecglipse.splits import by_patient
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
    parser.add_argument("--studies", type=int, default=10, help="that are begun on a planted leak")
    parser.add_argument("--studies-alone", action="store_true", help="nothing but these")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.studies_alone:
            print(json.dumps({"name": "leaks"} | refusals(folder, arguments.studies)))
            return
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
        result |= refusals(folder, arguments.studies)
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


def refusals(folder: Path, n: int) -> dict[str, int]:
    """Studies on a copy of a tested (then of a choosing) recording under a patient who is trained on."""
    records = list(simulate(160, seed=3, recordings_per_patient=2))
    split = by_patient(simulated(folder / "clean", records).table, seed=0)
    change, found = together(wandering, rescaled, resampled, permuted), Counter({"studies_with_a_leak": n})
    for number in range(n):
        part = ("test", "validation")[number % 2]
        original = records[int(getattr(split, part)[number // 2])]
        signal = np.zeros_like(original.signal)
        changed = change(original.signal, np.random.default_rng([5, number]))
        signal[:, : changed.shape[1]] = changed[:, : signal.shape[1]]
        patient = records[int(split.train[number])].patient_id
        copy = replace(original, signal=signal, record_id="copy", patient_id=patient, waves=())
        simulated(folder / f"leak-{number}", [*records, copy])
        code, said = begun(folder, f"leak-{number}")
        named = "copy is trained on, and is" in said and "both sides of a split" in said
        found[f"refused_{part}"] += code == 1 and named and not (folder / "out" / "study.json").exists()
        if number < 2:
            _, said = begun(folder, f"leak-{number}", "--plan")
            found["said_by_plan_of_two"] += "leak: copy is trained on" in said
    found["clean_refused"] += begun(folder, "clean")[0] != 0
    return dict(found)


def simulated(path: Path, records: list[Record]) -> Store:
    """A store of simulated records."""
    with StoreWriter(
        path, corpus="simulator", fs=100.0, duration_s=10.0, vocabulary=VOCABULARY, processing=[]
    ) as writer:
        for record in records:
            writer.add(record)
        writer.commit()
    return Store.open(path)


def begun(folder: Path, store: str, *more: str) -> tuple[int, str]:
    """Exit code and words of `ecglipse study` on a store."""
    text = f'name = "leak"\nstore = "{folder / store}"\nout = "{folder / "out"}"\n'
    text += '[split]\nkind = "patients"\n[methods.init]\nkind = "init"\n[transfer]\ntasks = ["sex"]\n'
    (folder / "leak.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "ecglipse", "study", str(folder / "leak.toml"), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


if __name__ == "__main__":
    main()
