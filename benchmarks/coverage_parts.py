"""How often the truth lies in nominal 95 % intervals beside the plain score: rotations, R2, gaps, ratios.

Simulated studies whose truth is known, through the functions that a report uses. One JSON line a setting: the
share of the studies whose interval holds the truth, by number, and its standard error. Simpler settings:
`benchmarks/coverage.py`.

    python benchmarks/coverage_parts.py [--studies 400] [--replicates 300] [--only ratios]
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import ndtr

from ecglipse.seeding import numpy_rng
from ecglipse.statistics import (
    Resampling,
    bootstrap_explained,
    bootstrap_macro_auroc,
    explained_by_cell,
    interval,
    label_ratio,
    labels_needed,
    macro_by_cell,
    paired_difference,
    people,
    resample,
    resample_rotations,
    sides,
)

Held = dict[str, bool]
ONE = np.ones(1, dtype=bool)
SLOPE = float(np.exp(-1 / 4) / np.sqrt(4 * np.pi))
"""How much AUROC changes with skill, at a skill of 1."""


def area(skill: float, sd: float) -> float:
    """Mean AUROC, ndtr(skill / sqrt 2), over normal errors of the skill."""
    return float(ndtr(skill / np.sqrt(2 + sd**2)))


def levels(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `freedom` wants of a (seed, draw) table."""
    return grid.mean(axis=1), grid.mean(axis=0)


def rotations(
    number: int,
    *,
    replicates: int,
    overlap: bool,
    together: bool = True,
    seeds: int = 3,
    seed_sd: float = 0.02,
    n: int = 400,
) -> Held:
    """Five test sets: folds of the patients, or a quarter of them drawn anew each time. Two methods.

    Most of a score's noise is the patient's own, and every rotation's encoders see it. Without `together`,
    patients who are tested twice are taken for two.
    """
    rng = numpy_rng(number, "rotations", overlap, seeds, round(1000 * seed_sd))
    y = (rng.random((n, 1)) < 0.3).astype(np.uint8)
    shared, sd = rng.standard_normal(n), seed_sd / SLOPE
    rows = (
        [np.sort(rng.permutation(n)[: n // 4]) for _ in range(5)]
        if overlap
        else np.split(rng.permutation(n), 5)
    )
    owners = people(rows, rows) if together else [one + n * k for k, one in enumerate(rows)]
    rngs = [numpy_rng(number, "people", k) for k in range(5)]
    weights = resample_rotations([y[one] for one in rows], owners, draws=replicates, rngs=rngs)
    found = []
    for skill in (1.0, 1.2):
        own = np.sqrt(0.5) * shared + np.sqrt(0.3) * rng.standard_normal(n)
        grids, made = [], []
        for one, weight in zip(rows, weights, strict=True):
            mine = skill + rng.normal(0, sd, (seeds, 1, 1))
            noise = own[one] + np.sqrt(0.2) * rng.standard_normal((seeds, 1, len(one)))
            scores = (mine * y[one, 0] + noise)[..., None]
            grids.append(macro_by_cell(scores, y[one], keep=ONE))
            made.append(bootstrap_macro_auroc(scores, y[one], Resampling(weight, number), keep=ONE))
        found.append((np.mean(grids, axis=0), np.mean(made, axis=0), area(skill, sd)))
    return _score_and_difference(found)


def numbers(number: int, *, replicates: int, seeds: int = 3, spread: float = 0.05, n: int = 300) -> Held:
    """R2 of two methods, whose error grows or shrinks by `spread` (a standard deviation) with the seed."""
    rng = numpy_rng(number, "numbers", seeds)
    y, shared = rng.standard_normal((n, 1)), rng.standard_normal(n)
    resampling = resample(np.zeros((n, 1), dtype=np.uint8), np.arange(n), replicates=replicates, seed=number)
    found = []
    for error in (0.6, 0.7):
        noise = np.sqrt(0.6) * shared + np.sqrt(0.4) * rng.standard_normal((seeds, 1, n))
        scores = y + (error * (1 + rng.normal(0, spread, (seeds, 1, 1))) * noise)[..., None]
        made = bootstrap_explained(scores, y, resampling)
        found.append((explained_by_cell(scores, y), made, 1 - error**2 * (1 + spread**2)))
    return _score_and_difference(found)


def _score_and_difference(found: list[tuple[np.ndarray, np.ndarray, float]]) -> Held:
    """Whether the first method's interval and that of the paired difference hold the truth."""
    (a, of_a, true_a), (b, of_b, true_b) = found
    low, high = interval(of_a, estimate=float(a.mean()), levels=levels(a))
    difference = paired_difference(
        of_a, of_b, float(a.mean()), float(b.mean()), levels_a=levels(a), levels_b=levels(b)
    )
    return {
        "score": low <= true_a <= high,
        "difference": difference.low <= true_a - true_b <= difference.high,
    }


def gaps(
    number: int, *, replicates: int, seeds: int = 3, seed_sd: float = 0.03, n: int = 600, widened: bool = True
) -> Held:
    """A subgroup of 40 % in which the method is worse; `seed_sd` is of each side's AUROC."""
    rng = numpy_rng(number, "gaps", seeds)
    y, inside = (rng.random((n, 1)) < 0.3).astype(np.uint8), rng.random(n) < 0.4
    resampling = resample(y, np.arange(n), replicates=replicates, seed=number)
    sd, skills, limit = seed_sd / SLOPE, (0.8, 1.2), 0.7
    own = np.where(inside, *(skill + rng.normal(0, sd, (seeds, 1, 1)) for skill in skills))
    noise = np.sqrt(0.8) * rng.standard_normal(n) + np.sqrt(0.2) * rng.standard_normal((seeds, 1, n))
    scores = (own * y[:, 0] + noise)[..., None]
    found = sides(scores, scores >= limit, y, resampling, inside=inside, outside=~inside, keep=ONE)
    tpr = [ndtr((skill - limit) / np.sqrt(1 + sd**2)) for skill in skills]
    truth = {"AUROC": area(skills[0], sd) - area(skills[1], sd), "TPR": tpr[0] - tpr[1], "FPR": 0.0}
    held = {}
    for k, (metric, true) in enumerate(truth.items()):
        gap, made = (part[k, 0] - part[k, 1] for part in found)
        low, high = interval(made, estimate=float(gap.mean()), levels=levels(gap) if widened else ())
        held[metric] = low <= true <= high
    return held


def ratios(
    number: int, *, replicates: int, seeds: int = 3, seed_sd: float = 0.03, n: int = 400, widened: bool = True
) -> Held:
    """Labels needed for the score that an opponent has with 10 %; two draws, but one of all labels.

    The truth is where the mean curve crosses, read off as a report reads it.
    """
    rng = numpy_rng(number, "ratios", seeds, round(1000 * seed_sd))
    fractions, at, sd = np.array([0.01, 0.03, 0.1, 0.3, 1.0]), 0.1, seed_sd / SLOPE
    y, shared = (rng.random((n, 1)) < 0.3).astype(np.uint8), rng.standard_normal(n)
    resampling = resample(y, np.arange(n), replicates=replicates, seed=number)

    def read(skill: float, effect: np.ndarray, own: np.ndarray, draws: int) -> tuple[np.ndarray, np.ndarray]:
        each = effect + rng.normal(0, 0.01 / SLOPE, (1, draws, 1))
        noise = own + np.sqrt(0.2) * rng.standard_normal((seeds, draws, n))
        scores = ((skill + each) * y[:, 0] + noise)[..., None]
        return macro_by_cell(scores, y, keep=ONE), bootstrap_macro_auroc(scores, y, resampling, keep=ONE)

    whole, skills = np.hypot(sd, 0.01 / SLOPE), 1.2 + 0.25 * np.log10(fractions)
    effects = rng.normal(0, sd, (2, seeds, 1, 1))
    of_methods = np.sqrt(0.6) * shared + np.sqrt(0.2) * rng.standard_normal((2, n))
    mine = [
        read(skill, effects[0], of_methods[0], 1 if f == 1.0 else 2)
        for skill, f in zip(skills, fractions, strict=True)
    ]
    opponent = 1.2 + 0.25 * np.log10(at) - 0.1
    theirs = read(opponent, effects[1], of_methods[1], 2)
    found = label_ratio(
        fractions,
        np.array([grid.mean() for grid, _ in mine]),
        np.stack([made for _, made in mine], axis=1),
        opponent=float(theirs[0].mean()),
        opponent_replicates=theirs[1],
        at=at,
        levels=[levels(grid) for grid, _ in mine] if widened else (),
        opponent_levels=levels(theirs[0]) if widened else (),
    )
    curve = np.array([[area(skill, whole) for skill in skills]])
    true = labels_needed(fractions, curve, np.array([area(opponent, whole)]))[0] / at
    return {"ratio": found.low <= true <= found.high}


SETTINGS: dict[str, Callable[..., Held]] = {
    "folds, 1 seed of no spread": partial(rotations, overlap=False, seeds=1, seed_sd=0.0),
    "folds": partial(rotations, overlap=False),
    "overlapping, 1 seed of no spread": partial(rotations, overlap=True, seeds=1, seed_sd=0.0),
    "overlapping": partial(rotations, overlap=True),
    "strangers, 1 seed of no spread": partial(rotations, overlap=True, together=False, seeds=1, seed_sd=0.0),
    "R2": numbers,
    "gaps, seeds of no spread": partial(gaps, seed_sd=0.0),
    "gaps": gaps,
    "ratios, seeds of no spread": partial(ratios, seed_sd=0.0),
    "ratios": ratios,
}
"""Three seeds that spread by 0.02 (rotations) or 0.03 of AUROC where nothing else is said."""


def coverage(study: Callable[..., Held], *, studies: int, replicates: int) -> dict[str, float]:
    """Share of the studies whose interval holds the truth, by number."""
    held = [study(k, replicates=replicates) for k in range(studies)]
    return {name: round(float(np.mean([one[name] for one in held])), 4) for name in held[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--only", default="", help="settings whose name begins so")
    given = parser.parse_args()
    for name, study in SETTINGS.items():
        if name.startswith(given.only):
            began = time.monotonic()
            found = coverage(study, studies=given.studies, replicates=given.replicates)
            line: dict[str, object] = {"setting": name, "studies": given.studies, **found}
            line["error"] = round(float(np.sqrt(0.95 * 0.05 / given.studies)), 4)
            print(json.dumps(line | {"s": round(time.monotonic() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
