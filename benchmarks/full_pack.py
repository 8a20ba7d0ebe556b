"""The statistics and the page of a study of many seeds and draws: how long they take, how large the page is.

Writes a ledger of 7 methods x 3 seeds x 5 rotations x 7 fractions x 5 draws on six tasks (1,987 PTB-XL
records with the pack's class frequencies, and 442 of CinC 2021), with predictions, into a temporary folder;
then times `ecglipse report` in its two parts. Scores are simulated. One JSON line. A page with
every part in it is what `benchmarks/whole_page.py` makes.

    python benchmarks/full_pack.py [--folder DIR] [--quick] [--profile]
"""

import argparse
import cProfile
import hashlib
import io
import itertools
import json
import os
import pstats
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from ecglipse.metrics import auroc
from ecglipse.report.page import write_summary
from ecglipse.report.summarise import summarise
from ecglipse.results import cell_id
from ecglipse.seeding import numpy_rng

METHODS: dict[str, dict[str, object]] = {
    "handcrafted": {"kind": "handcrafted"},
    "random-init": {"kind": "init"},
    "simclr": {},
    "random-shared": {"masks": "random"},
    "3kg": {"views": "3kg"},
    "adversarial-shared": {"masks": "adversarial"},
    "frozen-shared": {"masks": "adversarial", "network": "frozen"},
}
FEW = np.geomspace(0.015, 0.12, 19)
TASKS: dict[str, tuple[str, int, tuple[float, ...]]] = {
    "superclass": ("multilabel", 1935, (0.55, 0.25, 0.21, 0.19, 0.11)),
    "statements": ("multilabel", 1987, tuple(map(float, FEW))),
    "rhythm": ("multiclass", 1857, (0.836, 0.072, 0.035, 0.033, 0.024)),
    "sex": ("binary", 1987, (0.47,)),
    "cinc2021:rhythm": ("multiclass", 230, (0.3, 0.25, 0.25, 0.2)),
    "cinc2021:sex": ("binary", 442, (0.45,)),
}
"""Kind, test records of all rotations, and share of each class, about as in the pack."""
FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
SEEDS, ROTATIONS, DRAWS = 3, 5, 5


def labels(task: str, rotation: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth and patients of a test set."""
    kind, n, shares = TASKS[task]
    rng, n = numpy_rng(0, "labels", task, rotation), n // ROTATIONS
    patients = np.unique(np.sort(rng.integers(0, round(2.6 * n), size=n)), return_inverse=True)[1]
    if kind == "multiclass":
        truth = rng.multinomial(1, np.array(shares) / sum(shares), size=patients.max() + 1)
    else:
        truth = rng.random((patients.max() + 1, len(shares))) < shares
    return truth[patients].astype(np.uint8), patients.astype(np.int64)


def write_study(folder: Path, *, seeds: int, draws: int) -> int:
    """Write `study.json`, the ledger and its predictions; gives the number of cells."""
    (folder / "predictions").mkdir(parents=True)
    written = 0
    with (folder / "results.jsonl").open("w", encoding="utf-8") as ledger:
        for task, rotation in itertools.product(TASKS, range(ROTATIONS)):
            truth, patients = labels(task, rotation)
            shared = numpy_rng(0, "patients", task, rotation).standard_normal(truth.shape)
            for (number, method), fraction in itertools.product(enumerate(METHODS), FRACTIONS):
                kind = str(METHODS[method].get("kind", "pretrained"))
                for seed in range(1 if kind == "handcrafted" else seeds):
                    for draw in range(1 if fraction == 1.0 else draws):
                        rng = numpy_rng(seed, method, task, rotation, str(fraction), draw)
                        size = 1 + 0.1 * number + 0.3 * np.log10(fraction) + 0.1 * rng.standard_normal()
                        logits = size * truth + 0.8 * shared + 0.6 * rng.standard_normal(truth.shape)
                        scores = (1 / (1 + np.exp(1 - logits))).astype(np.float32)
                        where = {"rotation": rotation, "seed": seed, "draw": draw, "fraction": fraction}
                        made = line(method, kind, task, truth, scores) | where
                        ledger.write(with_predictions(folder, made, scores, truth, patients))
                        written += 1
    rule = {"tasks": list(TASKS), "draws": draws, "finetune_draws": draws}
    base = {"kind": "pretrained", "views": "base", "masks": "none", "leads": "shared", "mix_shared": 0.0}
    study = {
        "name": "synthetic",
        "config": {"transfer": rule, "study": {"seeds": list(range(seeds))}},
        "store": {"digest": "f" * 64, "corpus": "simulated scores", "n_records": 1987, "n_patients": 1850}
        | {"fs": 100.0, "duration_s": 10.0},
        "splits": [{"digest": "split"}] * ROTATIONS,
        "rotations": list(range(ROTATIONS)),
        "methods": [{**base, "name": name, "title": name, "runs": {}, **m} for name, m in METHODS.items()],
        "baselines": ["simclr", "3kg"],
        "replicates": 1000,
        "synthetic": True,
    }
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    return written


def with_predictions(
    folder: Path, line: dict[str, object], scores: np.ndarray, truth: np.ndarray, patients: np.ndarray
) -> str:
    """Write a line's predictions into a study's folder, and give the line as the ledger has it."""
    names = ("method", "task", "probe", "validation", "disturbance", "rotation", "seed", "draw")
    cell = cell_id(**{name: line[name] for name in (*names, "fraction", "shots")})
    rows = np.arange(len(truth)) + 1000 * int(str(line["rotation"]))
    packed = io.BytesIO()
    np.savez_compressed(packed, rows=rows, scores=scores, truth=truth, patients=patients)
    (folder / "predictions" / f"{cell}.npz").write_bytes(packed.getvalue())
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    whole = line | {"cell": cell, "predictions": f"predictions/{cell}.npz", "predictions_sha256": digest}
    return json.dumps(whole) + "\n"


def line(method: str, kind: str, task: str, truth: np.ndarray, scores: np.ndarray) -> dict[str, object]:
    """What a ledger line says but for where it stands in the grid."""
    names = [f"class {k}" for k in range(truth.shape[1])]
    positives = truth.sum(0).tolist()
    left_out = [n for n, c in zip(names, positives, strict=True) if not 10 <= c <= len(truth) - 10]
    areas = {
        name: auroc(truth[:, k], scores[:, k]) if 0 < positives[k] < len(truth) else None
        for k, name in enumerate(names)
    }
    kept = [areas[name] for name in names if name not in left_out]
    macro = float(np.mean(kept)) if kept else None
    plain = dict.fromkeys(("macro_auprc", "macro_f1", "balanced_accuracy", "accuracy", "ece", "brier"), 0.5)
    return {
        "study": "synthetic",
        "method": method,
        "kind": kind,
        "task": task,
        "task_kind": TASKS[task][0],
        "classes": names,
        "probe": "linear",
        "validation": "matched",
        "disturbance": "",
        "shots": 0,
        "thresholds": [0.5] * len(names),
        "n_train": 100,
        "n_validation": 50,
        "n_test": len(truth),
        "positives_test": positives,
        "split": "split",
        "config": "0" * 16,
        "store": "f" * 64,
        "run": None,
        "chosen": {"C": 1.0},
        "metrics": {"macro_auroc": macro, **plain},
        "per_class": {"auroc": areas, "auprc": dict.fromkeys(names, 0.5)},
        "left_out": left_out,
        "undefined": {},
        "seconds": 0.1,
        "commit": "none",
        "versions": {},
        "hardware": {},
        "time": "2026-01-01T00:00:00+00:00",
    }


def measure(folder: Path, *, profiled: bool = False) -> dict[str, object]:
    """Report a study and give its seconds, of the clock and of the processor, and its sizes."""
    cells = len((folder / "results.jsonl").read_text(encoding="utf-8").splitlines())
    profile = cProfile.Profile()
    began, cpu = time.monotonic(), time.process_time()
    if profiled:
        profile.enable()
    summary = summarise(folder)
    profile.disable()
    statistics_s, statistics_cpu = time.monotonic() - began, time.process_time() - cpu
    began, cpu = time.monotonic(), time.process_time()
    written = write_summary(summary, folder, folder)
    found: dict[str, object] = {"cells": cells, "comparisons": len(summary.comparisons)}
    found |= {"statistics_s": round(statistics_s, 1), "statistics_cpu_s": round(statistics_cpu, 1)}
    found |= {"page_s": round(time.monotonic() - began, 1), "page_cpu_s": round(time.process_time() - cpu, 1)}
    tables = (written.csv, written.markdown, written.latex, *written.tables)
    found |= {"page_mb": round(written.html.stat().st_size / 1e6, 2)}
    found |= {"tables_mb": round(sum(path.stat().st_size for path in tables) / 1e6, 2)}
    found |= {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    found["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if profiled:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(35)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=None, help="keep the study there; use it if there")
    parser.add_argument("--quick", action="store_true", help="one seed and two draws")
    parser.add_argument("--profile", action="store_true", help="print where the time goes, to stdout")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp()) / "study"
    if not (folder / "study.json").exists():
        write_study(folder, seeds=1 if given.quick else SEEDS, draws=2 if given.quick else DRAWS)
    print(json.dumps(measure(folder, profiled=given.profile)))


if __name__ == "__main__":
    main()
