"""What the masks of each method hid in all, beside their random twin's. Reads disk only."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ecglipse.errors import EcglipseError
from ecglipse.occlusion import Applied, applied
from ecglipse.report.gallery import read_masks, run_folder
from ecglipse.report.hidden import MethodMasks
from ecglipse.report.methods import Method
from ecglipse.report.summary import Summary

COVERAGE: Final = 0.01
"""Difference of the shares hidden above which a twin is called unmatched."""
LENGTH: Final = 0.1
"""The same of the mean stretches, as a share of the twin's."""


def method_masks(folder: Path, summary: Summary) -> tuple[tuple[MethodMasks, ...], tuple[str, ...]]:
    """Give the masks of every method that hides, each learned one followed by its twin; and what is damaged.

    Args:
        folder: of the study, with `applied.json` in its runs; of older runs, the pictures are measured.
        summary: of the study.
    """
    made: dict[str, MethodMasks] = {}
    faults = []
    for method in _ordered(summary):
        try:
            found = _of_method(folder, method)
        except (OSError, ValueError, KeyError, TypeError, EcglipseError) as problem:
            faults.append(f"No measure of the masks of {method.title}: {problem!s:.120}")
            continue
        if found is not None:
            twin = summary.twin(method.name)
            made[method.name] = replace(found, twin=twin.name if twin else "")
    return tuple(made.values()), tuple(faults)


def unmatched(found: Sequence[MethodMasks], summary: Summary) -> tuple[str, ...]:
    """Give a sentence for each method whose twin hides another share, or in stretches of another length."""
    by_name = {one.method: one for one in found}
    said = []
    for one in found:
        twin = by_name.get(one.twin)
        if twin is None:
            continue
        parts = []
        if abs(one.coverage - twin.coverage) > COVERAGE:
            parts.append(f"it hides {one.coverage:.1%} of the signal, the twin {twin.coverage:.1%}")
        a, b = one.run_mean_s, twin.run_mean_s
        if (a is None) != (b is None) or (a and b and abs(a / b - 1) > LENGTH):
            parts.append(f"its hidden stretches last {_seconds(a)} on average, the twin's {_seconds(b)}")
        if parts:
            names = [summary.method(name).title for name in (one.method, twin.method)]
            said.append(
                f"“{names[0]}” and its random twin “{names[1]}” are not matched: "
                f"{'; '.join(parts)}. A difference between them is not of learning alone."
            )
    return tuple(said)


def _seconds(value: float | None) -> str:
    return "no time" if value is None else f"{value:.2f} s"


def _ordered(summary: Summary) -> list[Method]:
    """Methods that hide: each learned one, then its twin; then the others."""
    every = [m for m in summary.methods if m.masks != "none"]
    first = [one for m in every if m.masks == "adversarial" for one in (m, summary.twin(m.name)) if one]
    return list({m.name: m for m in (*first, *every)}.values())


def _of_method(folder: Path, method: Method) -> MethodMasks | None:
    """Mean over the method's runs; None without any."""
    found = [one for run in run_folder(folder, method) if (one := _of_run(run)) is not None]
    if not found:
        return None
    shares = [one.coverage for one in found]
    stretches = [one for one in found if one.run_mean_s is not None]
    return MethodMasks(
        method=method.name,
        runs=len(found),
        records=min(one.records for one in found),
        draws=min(one.draws for one in found),
        coverage=float(np.mean(shares)),
        least=min(shares),
        most=max(shares),
        run_mean_s=_mean([one.run_mean_s for one in stretches]),
        run_s=tuple(map(float, np.mean([one.run_s for one in stretches], axis=0))) if stretches else (),
        leads_at_once=_mean([one.leads_at_once for one in found]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [x for x in values if x is not None]
    return float(np.mean(defined)) if defined else None


def _of_run(run: Path) -> Applied | None:
    """`applied.json`; of an older run what its pictures show; None without either."""
    path, pictures = run / "applied.json", run / "masks.npz"
    if path.is_file():
        facts = json.loads(path.read_text(encoding="utf-8"))
        mean, leads = (None if facts[n] is None else float(facts[n]) for n in ("run_mean_s", "leads_at_once"))
        return Applied(
            *(int(facts["records"]), int(facts["draws"]), float(facts["coverage"]), mean),
            tuple(map(float, facts["run_s"])),
            leads,
        )
    if not pictures.is_file():
        return None
    masks = read_masks(pictures)
    one = applied(masks.mask[None].astype(np.float32), fs=masks.fs)
    return replace(one, coverage=float(masks.probability.mean(dtype=np.float64)))
