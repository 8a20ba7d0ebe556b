"""A study as the study runner leaves it: ledger, predictions, runs; made of numbers whose truth is known."""

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.leads import LEADS
from ecglipse.results import Ledger, cell_id
from ecglipse.seeding import numpy_rng

METHODS: tuple[dict[str, Any], ...] = (
    {"name": "majority", "title": "Majority", "kind": "majority"},
    {"name": "handcrafted", "title": "Hand-crafted", "kind": "handcrafted"},
    {"name": "init", "title": "Random-init, frozen", "kind": "init"},
    {"name": "scratch", "title": "From scratch", "kind": "scratch"},
    {"name": "simclr", "title": "SimCLR, no masks", "kind": "pretrained"},
    {"name": "random-per-lead", "title": "Random masks, per lead", "masks": "random", "leads": "per-lead"},
    {"name": "3kg", "title": "3KG", "views": "3kg"},
    *(
        {"name": kind, "title": f"{kind.capitalize()}, per lead", "masks": "adversarial"}
        | {"leads": "per-lead", "network": kind}
        for kind in ("frozen", "shuffled")
    ),
    {
        "name": "adversarial-per-lead",
        "title": "Adversarial, per lead",
        "masks": "adversarial",
        "leads": "per-lead",
    },
)
CLASSES = {"rhythm": ("AFIB", "SBRAD", "STACH"), "sex": ("male",)}
STORE = "f" * 64
TEMPERATURE = 1.3
Make = Callable[..., Path]


def method(entry: Mapping[str, Any], **runs: str) -> dict[str, Any]:
    """A method as `study.json` has it."""
    base = {"kind": "pretrained", "views": "base", "masks": "none", "leads": "shared", "mix_shared": 0.0}
    return {**base, "runs": runs, **entry}


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """By hand: the share of pairs of a positive and a negative that are in the right order."""
    ours, theirs = scores[truth == 1][:, None].astype(float), scores[truth == 0][None].astype(float)
    return float(np.mean((ours > theirs) + 0.5 * (ours == theirs)))


def probed(entry: Mapping[str, Any], probe: str) -> bool:
    """Whether a study has cells of this method and probe."""
    kind = entry.get("kind", "pretrained")
    return kind == "pretrained" or (kind == "scratch") == (probe == "finetune")


def labels(task: str, rotation: int, *, n_classes: int, n_patients: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth (record, class) and patients of a test set: some patients have two records."""
    rng = numpy_rng(0, "truth", task, rotation)
    patients = np.unique(np.sort(rng.integers(0, n_patients, size=n_patients + 20)), return_inverse=True)[1]
    label = rng.integers(0, max(n_classes, 2), size=len(patients))
    truth = label[:, None] if n_classes == 1 else label[:, None] == np.arange(n_classes)
    return truth.astype(np.uint8), patients


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
    replicates: int = 100,
    skip: Callable[[dict[str, Any]], bool] = lambda line: False,
    baselines: tuple[str, ...] = ("simclr", "3kg"),
    task_of: Callable[[str], str] = str,
    overlap: bool = False,
    **facts: Any,
) -> Path:
    """Write a study whose methods have the given skill: the size of the signal in their scores.

    A method with `copy_of` has the scores of that other method, a task those of the task that `task_of`
    gives for its name. `skip` leaves out lines. With `overlap` every rotation tests the first one's records,
    in all methods alike.
    """
    folder.mkdir(parents=True)
    ledger, total = Ledger(folder), 0
    for task, rotation in itertools.product(classes, range(rotations)):
        names, tested = classes[task], 0 if overlap else rotation
        truth, patients = labels(task_of(task), tested, n_classes=len(names), n_patients=n_patients)
        for entry, probe, fraction, seed in itertools.product(methods, probes, fractions, seeds):
            if entry.get("kind") in ("majority", "handcrafted") and seed != seeds[0]:
                continue
            for draw in range(1 if fraction == 1.0 else draws) if probed(entry, probe) else ():
                name = entry.get("copy_of", entry["name"])
                where = (task_of(task), tested, str(fraction), draw)
                noise = 0.8 * numpy_rng(seed, "all", *where).standard_normal(truth.shape)
                noise += 0.6 * numpy_rng(seed, name, probe, *where).standard_normal(truth.shape)
                size = (skill or {}).get(name, 0.8) + 0.3 * np.log10(fraction * 10)
                scores = (1 / (1 + np.exp(-size * (2.0 * truth - 1) - noise))).astype(np.float32)
                line = _line(entry, names, truth, scores) | {"seed": seed, "rotation": rotation, "task": task}
                line |= {"probe": probe, "fraction": fraction, "draw": draw}
                line["cell"] = cell_id(
                    method=entry["name"], probe=probe, seed=seed, where=where, rotation=rotation
                )
                if not skip(line):
                    rows = np.arange(len(truth)) + 1000 * tested
                    ledger.append(line, rows=rows, scores=scores, truth=truth, patients=patients)
                    total += 1
    rule = {"tasks": list(classes), "draws": draws, "finetune_draws": draws}
    study = {
        "name": "dummy",
        "config": {"transfer": rule, "study": {"seeds": list(seeds)}},
        "config_hash": "0123456789abcdef",
        "store": {"digest": STORE, "corpus": "ptbxl", "n_records": 110, "n_patients": 90}
        | {"fs": 100.0, "duration_s": 10.0},
        "splits": [{"digest": "split"}] * rotations,
        "plan": {"units": 1, "cells": total},
        "methods": [method({k: v for k, v in entry.items() if k != "copy_of"}) for entry in methods],
        "baselines": [name for name in baselines if name in {entry["name"] for entry in methods}],
        "replicates": replicates,
        "synthetic": False,
        "provenance": {"commit": "abc1234", "cpu": "a test", "versions": {"numpy": np.__version__}},
        "test_reads": dict.fromkeys(classes, 7),
    }
    (folder / "study.json").write_text(json.dumps(study | facts))
    return folder


def _line(
    entry: Mapping[str, Any], names: tuple[str, ...], truth: np.ndarray, scores: np.ndarray
) -> dict[str, Any]:
    """What a ledger line says apart from where it stands in the grid."""
    positives = [int(count) for count in truth.sum(0)]
    left_out = [name for name, count in zip(names, positives, strict=True) if count < 10]
    by_class = {name: auroc(scores[:, k], truth[:, k]) for k, name in enumerate(names)}
    kept = [value for name, value in by_class.items() if name not in left_out]
    return {
        "study": "dummy",
        "method": entry["name"],
        "kind": entry.get("kind", "pretrained"),
        "task_kind": "binary" if len(names) == 1 else "multiclass",
        "classes": list(names),
        "validation": "matched",
        "n_train": 100,
        "n_validation": 20,
        "n_test": len(truth),
        "positives_test": positives,
        "split": "split",
        "config": "c",
        "store": STORE,
        "run": None,
        "chosen": {},
        "temperature": TEMPERATURE,
        "metrics": {"macro_auroc": float(np.mean(kept)) if kept else None},
        "per_class": {"auroc": by_class, "auprc": dict.fromkeys(names, 0.5), "f1": dict.fromkeys(names, 0.4)},
        "left_out": left_out,
        "undefined": {},
        "seconds": 1.5,
        "commit": "abc1234",
        "versions": {"numpy": np.__version__},
        "hardware": {"cpu": "a test"},
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
