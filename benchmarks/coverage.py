"""How often the truth lies in nominal 95 % intervals: simulated studies whose truth is known.

Each study has a test set of patients, pretraining seeds and label draws; two methods score the same records.
A method's skill (the distance of the classes in standard deviations) has its own error in each seed and draw;
scores may differ between them besides.
The truth is the mean AUROC over all seeds and draws there could be. One JSON line a setting; fields `score`
and `difference` are shares of the studies whose interval holds the truth, `below` and `above` the shares in
which the truth lies below or above the interval of the score.

    python benchmarks/coverage.py [--studies 400] [--replicates 500] [--only few-seeds]
    python benchmarks/coverage.py --normal        # no recordings: normal results, 20,000 studies in a second
"""

import argparse
import json
import time

import numpy as np
from scipy.special import ndtr, stdtrit

from ecglipse.seeding import numpy_rng
from ecglipse.statistics import bootstrap_macro_auroc, interval, macro_by_cell, paired_difference, resample

SETTINGS = {
    "one-cell": {"seeds": 1, "draws": 1, "seed_sd": 0.0, "draw_sd": 0.0},
    "patients-alone": {"seeds": 3, "draws": 5, "seed_sd": 0.0, "draw_sd": 0.0},
    "draws": {"seeds": 3, "draws": 5, "seed_sd": 0.0, "draw_sd": 0.02},
    "cells-alone": {"seeds": 3, "draws": 5, "seed_sd": 0.0, "draw_sd": 0.0, "cell_share": 0.3},
    "few-seeds": {"seeds": 3, "draws": 5, "seed_sd": 0.01, "draw_sd": 0.01},
    "few-seeds-apart": {"seeds": 3, "draws": 5, "seed_sd": 0.03, "draw_sd": 0.01},
    "few-draws-apart": {"seeds": 3, "draws": 2, "seed_sd": 0.03, "draw_sd": 0.01},
    "seeds-alone": {"seeds": 3, "draws": 1, "seed_sd": 0.03, "draw_sd": 0.0},
    "ten-seeds-apart": {"seeds": 10, "draws": 5, "seed_sd": 0.03, "draw_sd": 0.01},
    "one-seed-apart": {"seeds": 1, "draws": 5, "seed_sd": 0.03, "draw_sd": 0.01},
}
"""Spreads are of AUROC: what a seed or a label draw changes, as a standard deviation. `cell_share`: of the
scores' variance within a class, what each encoder and label draw has of its own (none being better)."""
SKILL = (1.0, 1.2)
SLOPE = float(np.exp(-(SKILL[0] ** 2) / 4) / np.sqrt(4 * np.pi))
"""How much AUROC changes with skill, at the first method's."""


def truth(skill: float, seed_sd: float, draw_sd: float) -> float:
    """Mean AUROC, ndtr(skill / sqrt 2), over normal errors of the skill: by 60 Gauss-Hermite points."""
    sd = np.hypot(seed_sd, draw_sd) / SLOPE
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(np.sum(weights * ndtr((skill + sd * points) / np.sqrt(2))) / weights.sum())


def one_study(
    number: int,
    *,
    n: int,
    seeds: int,
    draws: int,
    seed_sd: float,
    draw_sd: float,
    replicates: int,
    cell_share: float = 0.0,
) -> dict[str, float]:
    """Simulate a study and see whether its intervals hold the truth."""
    rng = numpy_rng(number, "coverage", seeds, draws, int(1000 * seed_sd), int(1000 * draw_sd))
    patients = np.sort(rng.integers(0, round(0.9 * n), size=n))
    _, patients = np.unique(patients, return_inverse=True)
    ill = (rng.random(patients.max() + 1) < 0.3).astype(np.uint8)
    y = ill[patients][:, None]
    shared = rng.standard_normal(n)
    found = []
    resampling = resample(y, patients, replicates=replicates, seed=number)
    keep = np.ones(1, dtype=bool)
    for skill in SKILL:
        own = skill + rng.normal(0, seed_sd / SLOPE, (seeds, 1)) + rng.normal(0, draw_sd / SLOPE, (1, draws))
        noise = np.sqrt(0.6) * shared + np.sqrt(0.4 - cell_share) * rng.standard_normal(n)
        each = np.sqrt(cell_share) * rng.standard_normal((seeds, draws, n))
        scores = (own[:, :, None] * y[:, 0] + noise + each)[..., None]
        made = bootstrap_macro_auroc(scores, y, resampling, keep=keep)
        grid = macro_by_cell(scores, y, keep=keep)
        levels = (grid.mean(axis=1), grid.mean(axis=0))
        found.append((float(grid.mean()), made, truth(skill, seed_sd, draw_sd), levels))
    (a, of_a, true_a, by_a), (b, of_b, true_b, by_b) = found
    low, high = interval(of_a, estimate=a, levels=by_a)
    difference = paired_difference(of_a, of_b, a, b, levels_a=by_a, levels_b=by_b)
    return {
        "score": low <= true_a <= high,
        "below": true_a < low,
        "above": true_a > high,
        "difference": difference.low <= true_a - true_b <= difference.high,
        "width": high - low,
        "width_difference": difference.high - difference.low,
    }


def normal_studies(
    *, seeds: int, draws: int, seed_sd: float, draw_sd: float, cell_share: float = 0.0, n: int = 20_000
) -> dict[str, float]:
    """The rule of the intervals alone: results and patients' errors are normal, the patients' size is known.

    Patients move a score by 0.0254 and a difference by 0.0231, what one-cell studies of 400 records show.
    """
    found = {}
    for name, patients_sd, both in (("score", 0.0254, 1.0), ("difference", 0.0231, np.sqrt(2))):
        rng = numpy_rng(0, "normal", name, seeds, draws, int(1000 * seed_sd), int(1000 * draw_sd))
        a = both * seed_sd * rng.standard_normal((n, seeds, 1))
        a = a + both * draw_sd * rng.standard_normal((n, 1, draws))
        own = patients_sd * np.sqrt(cell_share)
        a = a + own * rng.standard_normal((n, seeds, draws))
        shared_sd = np.sqrt(1 - cell_share) * patients_sd
        error = a.mean(axis=(1, 2)) + shared_sd * rng.standard_normal(n)
        by_seed, by_draw = a.mean(axis=2), a.mean(axis=1)
        parts = [
            (one.var(axis=1, ddof=1) / one.shape[1], one.shape[1])
            for one in (by_seed, by_draw)
            if one.shape[1] > 1
        ]
        variance = shared_sd**2 + own**2 / (seeds * draws) + sum(part for part, _ in parts)
        spent = sum(part / (count - 1) for part, count in parts) + np.full(n, 1e-12)
        half = stdtrit(np.maximum(1, variance / spent), 0.975) * np.sqrt(variance)
        found[name] = round(float(np.mean(np.abs(error) <= half)), 4)
        found[f"width_{name}"] = round(float(2 * np.median(half)), 4)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--only", choices=list(SETTINGS))
    parser.add_argument("--normal", action="store_true")
    given = parser.parse_args()
    if given.normal:
        for name, setting in SETTINGS.items():
            print(json.dumps({"setting": name, **setting, "studies": 20_000, **normal_studies(**setting)}))
        return
    for name, setting in SETTINGS.items():
        if given.only in (None, name):
            began = time.monotonic()
            studies = [
                one_study(k, n=given.patients, replicates=given.replicates, **setting)
                for k in range(given.studies)
            ]
            shares = {key: round(float(np.mean([s[key] for s in studies])), 4) for key in studies[0]}
            error = round(float(np.sqrt(0.95 * 0.05 / given.studies)), 4)
            line = {"setting": name, "n": given.patients, **setting, "studies": given.studies, **shares}
            print(json.dumps(line | {"error": error, "s": round(time.monotonic() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
