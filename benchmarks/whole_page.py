"""The report of a study with every part of `configs/pack.toml`: how long it takes, and how large it is.

Writes a ledger with the config's own methods, tasks, label budgets, probes, validation sets and disturbances,
temperatures, subgroups, steps of every run and masks of every masked one, one seed and one rotation, into a
temporary folder; then times `ecglipse report`. How large a page is depends on what stands in it, not on how
many cells a number rests on: `benchmarks/full_pack.py` has many of those. Scores and signals are simulated.
One JSON line.

    python benchmarks/whole_page.py [--config configs/pack.toml] [--folder DIR] [--profile]
"""

import argparse
import itertools
import json
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from full_pack import TASKS, labels, line, measure, with_predictions

from ecglipse.leads import LEADS
from ecglipse.seeding import numpy_rng

DISTURBANCES = (
    *(f"noise, {level} dB" for level in (20, 10, 5, 0)),
    *("limb leads only", "I and II only", "I only", "V1 lost", "arms swapped", "V1 and V2 swapped"),
    *(f"recorded at {rate} Hz" for rate in (100, 250, 500)),
)
"""As a study of recordings at 100 Hz has them."""
RUNS_PER_METHOD, STEPS = 15, 900
"""Three seeds in five rotations; 60 epochs of 15 steps of the pack."""
Cell = tuple[str, str, float, int, str, str, str]


def cells(config: dict[str, Any]) -> Iterator[Cell]:
    """Give method, task, fraction, shots, probe, validation and disturbance of each cell."""
    rule = config["transfer"]
    away = [f"{name}:{task}" for name, target in config["targets"].items() for task in target["tasks"]]
    settings = [*((probe, "matched") for probe in rule["probes"]), ("linear", "full")]
    budgets = [*((f, 0) for f in rule["fractions"]), *((0.01, shots) for shots in rule["shots"])]
    for (name, about), task in itertools.product(config["methods"].items(), [*rule["tasks"], *away]):
        floor = about.get("kind", "pretrained")
        for (probe, validation), (fraction, shots) in itertools.product(settings, budgets):
            if floor in ("pretrained", "init") or (floor == "scratch") == (probe == "finetune"):
                yield name, task, fraction, shots, probe, validation, ""
        for disturbance in DISTURBANCES if floor in ("pretrained", "init", "handcrafted") else ():
            yield name, task, 1.0, 0, "linear", "matched", disturbance


def write_cells(folder: Path, config: dict[str, Any]) -> None:
    """Write ledger and predictions."""
    (folder / "predictions").mkdir(parents=True)
    sets = {task: labels(task, 0) for task in TASKS}
    with (folder / "results.jsonl").open("w", encoding="utf-8") as ledger:
        for name, task, fraction, shots, probe, validation, disturbance in cells(config):
            rng = numpy_rng(0, name, task, probe, validation, disturbance, f"{fraction} {shots}")
            number = task == "age"
            truth, patients = sets["superclass" if number else task]
            if number:
                truth = (60 + 15 * numpy_rng(0, "age").standard_normal((len(truth), 1))).astype(np.float32)
                scores = (truth + 10 * rng.standard_normal(truth.shape)).astype(np.float32)
                made = line(
                    name, "pretrained", "superclass", sets["superclass"][0], sets["superclass"][0] + 0.0
                )
                made |= {"task_kind": "regression", "classes": ["age"], "positives_test": [], "per_class": {}}
                made |= {
                    "metrics": {"r2": 0.5, "mae": 9.0, "rmse": 12.0, "bias": 0.1, "slope": 0.9},
                    "left_out": [],
                }
                made |= {"thresholds": None, "temperature": None}
            else:
                logits = (1 + 0.3 * np.log10(fraction)) * truth + 1.0 * rng.standard_normal(truth.shape)
                scores = (1 / (1 + np.exp(1 - logits))).astype(np.float32)
                made = line(name, "pretrained", task, truth, scores) | {"temperature": 1.5}
            kind = config["methods"][name].get("kind", "pretrained")
            made |= {"task": task, "kind": kind, "rotation": 0, "seed": 0, "draw": 0, "probe": probe}
            made |= {"fraction": fraction if not shots else shots / 1000, "shots": shots}
            made |= {"validation": validation, "disturbance": disturbance}
            ledger.write(with_predictions(folder, made, scores, truth, patients))


def write_run(folder: Path, *, masked: bool, name: str) -> None:
    """Write a run's steps and, of a masked one, its masks on two ten-second recordings at 100 Hz."""
    run = folder / "runs" / name
    run.mkdir(parents=True)
    rng = numpy_rng(0, name)
    noise = rng.standard_normal((STEPS, 5)).tolist()
    fields = ("loss", "spread", "variation", "encoder_grad", "mask_grad")
    with (run / "steps.jsonl").open("w", encoding="utf-8") as file:
        for step, values in enumerate(noise):
            numbers = dict(zip(fields, values, strict=True)) | {"coverage": 0.5}
            file.write(json.dumps({"step": step + 1, "epoch": 0} | numbers) + "\n")
    if masked:
        signal = 0.2 * numpy_rng(0, "signal").standard_normal((2, 12, 1000)).cumsum(axis=2) / 8
        probability = np.repeat(rng.random((2, 12, 40)), 25, axis=2).astype(np.float16)
        mask = (np.repeat(rng.random((2, 12, 40)), 25, axis=2) < 0.5).astype(np.uint8)
        about = {"fs": np.float64(100), "leads": np.array(LEADS), "titles": np.array(["NORM, SR", "AFIB"])}
        np.savez_compressed(
            run / "masks.npz", signal=signal.astype(np.float32), mask=mask, probability=probability, **about
        )


def write_study(folder: Path, config: dict[str, Any]) -> None:
    """Write all that `ecglipse report` reads of a study."""
    write_cells(folder, config)
    methods = []
    for name, about in config["methods"].items():
        pretrained = about.get("kind", "pretrained") == "pretrained"
        runs = {f"{n // 5}/{n % 5}": f"{name}-{n}" for n in range(RUNS_PER_METHOD if pretrained else 0)}
        for run in runs.values():
            write_run(folder, masked=about.get("masks", "none") != "none", name=run)
        base = {"kind": "pretrained", "views": "base", "masks": "none", "leads": "shared", "mix_shared": 0.0}
        methods.append({**base, "name": name, **about, "runs": runs})
    rows = np.arange(1000)
    groups = {"sex": ("male", "female"), "age": ("< 40", "40-64", "65-79", ">= 80"), "source": ("a", "b")}
    arrays = {n: rows % len(names) for n, names in groups.items()}
    arrays |= {f"{n}_names": np.array(names) for n, names in groups.items()}
    (folder / "subgroups").mkdir()
    np.savez_compressed(folder / "subgroups" / f"{'f' * 16}.npz", **arrays)  # type: ignore[arg-type]
    study = {
        "name": "whole page",
        "config": config
        | {"transfer": config["transfer"] | {"draws": 1, "finetune_draws": 1}}
        | {"study": config["study"] | {"seeds": [0]}},
        "store": {"digest": "f" * 64, "corpus": "simulated scores", "n_records": 1987, "n_patients": 1850}
        | {"fs": 100.0, "duration_s": 10.0},
        "splits": [{"digest": "split"}],
        "rotations": [0],
        "methods": methods,
        "baselines": config["study"]["baselines"],
        "replicates": 1000,
        "synthetic": True,
    }
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("configs/pack.toml"))
    parser.add_argument("--folder", type=Path, default=None, help="keep the study there; use it if there")
    parser.add_argument("--profile", action="store_true", help="print where the time goes, to stdout")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp()) / "study"
    if not (folder / "study.json").exists():
        write_study(folder, tomllib.loads(given.config.read_text(encoding="utf-8")))
    print(json.dumps(measure(folder, profiled=given.profile)))


if __name__ == "__main__":
    main()
