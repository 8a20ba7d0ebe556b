"""A study as the study runner leaves it: ledger, predictions, runs; made of numbers whose truth is known."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglipse.leads import LEADS
from ecglipse.seeding import numpy_rng

METHODS: tuple[dict[str, Any], ...] = (
    {"name": "init", "title": "Random-init, frozen", "kind": "init"},
    {"name": "scratch", "title": "From scratch", "kind": "scratch"},
    {"name": "simclr", "title": "SimCLR, no masks", "kind": "pretrained"},
    {"name": "random-per-lead", "title": "Random masks, per lead", "masks": "random", "leads": "per-lead"},
    {"name": "3kg", "title": "3KG", "views": "3kg"},
    {
        "name": "adversarial-per-lead",
        "title": "Adversarial, per lead",
        "masks": "adversarial",
        "leads": "per-lead",
    },
)
CLASSES = {"rhythm": ("AFIB", "SBRAD", "STACH"), "sex": ("male",)}
Make = Callable[..., Path]


def method(entry: Mapping[str, Any], **runs: str) -> dict[str, Any]:
    """A method as `study.json` has it."""
    base = {"kind": "pretrained", "views": "base", "masks": "none", "leads": "shared", "mix_shared": 0.0}
    return {**base, "runs": runs, **entry}


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """By hand: the share of pairs of a positive and a negative that are in the right order."""
    ours, theirs = scores[truth == 1][:, None].astype(float), scores[truth == 0][None].astype(float)
    return float(np.mean((ours > theirs) + 0.5 * (ours == theirs)))


def write_study(
    folder: Path,
    *,
    methods: tuple[dict[str, Any], ...] = METHODS,
    skill: Mapping[str, float] | None = None,
    classes: Mapping[str, tuple[str, ...]] = CLASSES,
    fractions: tuple[float, ...] = (0.1, 1.0),
    seeds: tuple[int, ...] = (0, 1),
    draws: int = 2,
    rotations: int = 1,
    probes: tuple[str, ...] = ("linear",),
    n_patients: int = 90,
    replicates: int = 200,
    skip: Callable[[dict[str, Any]], bool] = lambda line: False,
    baselines: tuple[str, ...] = ("simclr", "3kg"),
    noise: float = 1.0,
    **facts: Any,
) -> Path:
    """Write a study whose methods have the given skill: the size of the signal in their scores.

    Two methods of equal skill and equal `noise_name` give equal scores.
    """
    (folder / "predictions").mkdir(parents=True)
    lines = []
    for task, names in classes.items():
        kind = "binary" if len(names) == 1 else "multiclass"
        for rotation in range(rotations):
            rng = numpy_rng(0, "truth", task, rotation)
            patients = np.sort(rng.integers(0, n_patients, size=n_patients + 20))
            patients = np.unique(patients, return_inverse=True)[1]
            n = len(patients)
            label = rng.integers(0, max(len(names), 2), size=n)
            truth = (label[:, None] == np.arange(len(names))) if kind == "multiclass" else label[:, None]
            truth = truth.astype(np.uint8)
            for entry in methods:
                for probe in probes:
                    if (entry.get("kind") == "scratch") != (probe == "finetune") and entry.get("kind") in (
                        "scratch",
                        "init",
                    ):
                        continue
                    for fraction in fractions:
                        for seed in seeds:
                            for draw in range(1 if fraction == 1.0 else draws):
                                name = entry["name"]
                                strength = (skill or {}).get(name, 0.8) + 0.3 * np.log10(fraction * 10)
                                common = numpy_rng(seed, task, rotation, str(fraction), draw, "common")
                                own = numpy_rng(seed, entry.get("twin_of", name), task, rotation, probe, draw)
                                z = strength * (2.0 * truth - 1) + noise * (
                                    0.8 * common.standard_normal(truth.shape)
                                    + 0.6 * own.standard_normal(truth.shape)
                                )
                                scores = (1 / (1 + np.exp(-z))).astype(np.float32)
                                line = _line(
                                    folder,
                                    task,
                                    kind,
                                    names,
                                    entry,
                                    probe,
                                    fraction,
                                    seed,
                                    rotation,
                                    draw,
                                    truth,
                                )
                                if skip(line):
                                    continue
                                path = folder / line["predictions"]
                                np.savez_compressed(
                                    path,
                                    rows=np.arange(n, dtype=np.int64) + 1000 * rotation,
                                    scores=scores,
                                    truth=truth,
                                    patients=patients.astype(np.int64),
                                )
                                line["predictions_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
                                per = {c: auroc(scores[:, k], truth[:, k]) for k, c in enumerate(names)}
                                line["per_class"] = {"auroc": per, "auprc": dict.fromkeys(names, 0.5)}
                                line["metrics"] = {"macro_auroc": float(np.mean(list(per.values())))}
                                lines.append(line)
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    study = {
        "name": "dummy",
        "config": {
            "transfer": {"draws": draws, "finetune_draws": draws},
            "study": {"seeds": list(seeds)},
        },
        "config_hash": "0123456789abcdef",
        "store": {"digest": "f" * 64, "corpus": "ptbxl", "n_records": 110, "n_patients": 90, "fs": 100.0}
        | {"duration_s": 10.0},
        "splits": [{"digest": "s"}] * rotations,
        "plan": {"units": 1, "cells": len(lines)},
        "methods": [method(entry) for entry in methods],
        "baselines": [b for b in baselines if b in {m["name"] for m in methods}],
        "replicates": replicates,
        "synthetic": False,
        "provenance": {"commit": "abc1234", "hardware": "a test", "versions": {"numpy": np.__version__}},
        "test_reads": dict.fromkeys(classes, 7),
    }
    (folder / "study.json").write_text(json.dumps(study | facts))
    return folder


def _line(
    folder: Path,
    task: str,
    kind: str,
    names: tuple[str, ...],
    entry: Mapping[str, Any],
    probe: str,
    fraction: float,
    seed: int,
    rotation: int,
    draw: int,
    truth: np.ndarray,
) -> dict[str, Any]:
    key = [task, entry["name"], probe, fraction, seed, rotation, draw]
    cell = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    positives = [int(v) for v in truth.sum(0)]
    return {
        "cell": cell,
        "study": "dummy",
        "method": entry["name"],
        "kind": entry.get("kind", "pretrained"),
        "seed": seed,
        "rotation": rotation,
        "task": task,
        "task_kind": kind,
        "classes": list(names),
        "probe": probe,
        "fraction": fraction,
        "draw": draw,
        "validation": "matched",
        "n_train": 100,
        "n_validation": 20,
        "n_test": len(truth),
        "positives_test": positives,
        "split": "s",
        "config": "c",
        "store": "f" * 64,
        "run": None,
        "chosen": {},
        "metrics": {},
        "per_class": {},
        "left_out": [c for c, n in zip(names, positives, strict=True) if n < 10],
        "undefined": {},
        "predictions": f"predictions/{cell}.npz",
        "seconds": 1.5,
        "commit": "abc1234",
        "versions": {"numpy": np.__version__},
        "hardware": "a test",
        "time": "2026-01-01T00:00:00+00:00",
    }


def write_run(folder: Path, name: str, *, titles: tuple[str, ...] = ("NORM", "AFIB"), seed: int = 0) -> Path:
    """Write `masks.npz` and `steps.jsonl` of a run into a study's folder."""
    run = folder / "runs" / name
    run.mkdir(parents=True)
    rng = numpy_rng(0, "signal")
    signal = 0.3 * rng.standard_normal((len(titles), 12, 500)).astype(np.float32)
    draw = numpy_rng(seed, "mask").random((len(titles), 12, 20))
    mask = np.repeat(draw < 0.5, 25, axis=2).astype(np.uint8)
    np.savez_compressed(
        run / "masks.npz",
        signal=signal,
        mask=mask,
        probability=np.repeat(draw, 25, axis=2).astype(np.float16),
        fs=np.float64(100),
        leads=np.array(LEADS),
        titles=np.array(titles),
    )
    steps = [
        {"step": n + 1, "epoch": 0, "loss": 4.0 / (n + 1), "coverage": 0.5, "mask_grad": None, "spread": None}
        for n in range(40)
    ]
    (run / "steps.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps) + '{"step": 41, "lo')
    (run / "config.json").write_text(json.dumps({"format": "ecglipse-run", "seed": seed}))
    return run


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a study into a folder of its own; see `write_study`."""
    made = iter(range(1000))
    return lambda **wishes: write_study(tmp_path / f"study{next(made)}", **wishes)
