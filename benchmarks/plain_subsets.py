"""What it is worth to take few labels as published: the first records of a permutation, not stratified ones.

    python benchmarks/plain_subsets.py CONFIG STUDY/runs/RUN --json

For each task of the config a linear probe on one encoder's features learns from a share of the training
labels, taken both ways in several draws; everything else is as in a study (all validation labels choose, the
whole test set is read). Said is the mean macro AUROC of plain minus stratified, how far each spreads over its
draws, and in how many plain subsets a class has no positive record at all.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

import ecglipse
from ecglipse.commands._places import Place, places
from ecglipse.config import load
from ecglipse.metrics import auroc
from ecglipse.seeding import numpy_rng
from ecglipse.splits import fraction_subset
from ecglipse.transfer.pretrained import PretrainedEncoder
from ecglipse.transfer.probes import linear_probe


def plain_subset(n: int, fraction: float, *, draw: int) -> np.ndarray:
    """The first records of one permutation, as the published code takes them; nested too."""
    return numpy_rng(0, "plain subset", draw).permutation(n)[: int(fraction * n)]


def macro(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean AUROC over the classes that the test set has both kinds of."""
    able = [c for c in range(truth.shape[1]) if 0 < truth[:, c].sum() < len(truth)]
    return statistics.fmean(float(auroc(truth[:, c], scores[:, c])) for c in able)


def compare(
    place: Place, encoder: PretrainedEncoder, task: str, *, fraction: float, draws: int
) -> dict[str, Any]:
    """Read an encoder both ways on one task."""
    labels, parts = place.parts(task)
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))
    features = {
        name: encoder.encode(place.batches.millivolts(part.rows)).numpy() for name, part in parts.items()
    }
    taken = {
        "stratified": [
            fraction_subset(train.y, train.patients, fraction, seed=0, draw=draw) for draw in range(draws)
        ],
        "plain": [plain_subset(len(train.y), fraction, draw=draw) for draw in range(draws)],
    }
    found: dict[str, list[float]] = {way: [] for way in taken}
    for way, subsets in taken.items():
        for chosen in subsets:
            probe = linear_probe(
                features["train"][chosen],
                train.y[chosen],
                features["validation"],
                validation.y,
                features["test"],
                kind=labels.task.kind,
            )
            found[way].append(macro(test.y, probe.test_scores))
    means = {way: statistics.fmean(values) for way, values in found.items()}
    return {
        "plain_minus_stratified": round(means["plain"] - means["stratified"], 4),
        **{f"sd_{way}": round(statistics.stdev(values), 4) for way, values in found.items()},
        "plain_without_a_class": sum(not train.y[chosen].any(0).all() for chosen in taken["plain"]),
    }


def main() -> None:
    """Print one JSON line, or a line a task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fraction", type=float, default=0.1)
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    settings, encoder = load(arguments.config), ecglipse.load(arguments.run)
    place = places(settings, rotation=settings.split.rotations[0])[""]
    how = {"fraction": arguments.fraction, "draws": arguments.draws}
    result = {"name": "plain_subsets"} | how
    result |= {task: compare(place, encoder, task, **how) for task in settings.transfer.tasks}
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
