"""A summary that is hard to set: ten label budgets, long and hostile names, many classes and disturbances."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dummy_study import METHODS, write_study

from ecglipse.report.differences import Disturbed, Gap
from ecglipse.report.scores import Group, Measure
from ecglipse.report.summarise import summarise
from ecglipse.report.summary import Summary

EVIL = r"[2cm] 100 % \input{/etc/passwd} $x_1^2$ {#&~} \end{table} <a|b> \"q\" `r` ≥"
LONG = "Learned masks, all leads compete: ally, a quarter reversed"
BUDGETS = (-10.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
CLASSES = {
    "rhythm": ("AFIB", "complete right bundle branch block", *(f"CLASS{n}" for n in range(18))),
    "cinc2021:sex": ("male",),
}
NAMES = {"adversarial-per-lead": LONG, "random-per-lead": f"Random {LONG[8:]}", "3kg": EVIL}


def wide_summary(folder: Path) -> Summary:
    """Give the dummy study's numbers with ten budgets in place of its two, and what the dummy lacks."""
    methods = tuple(m | {"title": NAMES.get(str(m["name"]), m["title"])} for m in METHODS)
    probes = ("linear", "finetune")
    wishes: dict[str, Any] = {"classes": CLASSES, "seeds": (0,), "draws": 1, "n_patients": 400}
    found = summarise(write_study(folder, methods=methods, probes=probes, replicates=20, **wishes))
    here, full = Group("rhythm", "linear", "matched", 0.1), Group("rhythm", "linear", "matched", 1.0)
    names = [m.name for m in found.methods if m.kind != "scratch"]
    gaps = [
        Gap(here, name, "age", subgroup, metric, 10, 20, 0.8, 0.7, 0.1, 0.05, 0.15)
        for subgroup in ("below 40", EVIL, "60 to 74", "75 and over")
        for name in names
        for metric in ("AUROC", "TPR", "FPR")
    ]
    noises = [f"muscle noise of {level} dB" for level in range(13)]
    return replace(
        found,
        fractions=BUDGETS,
        scores=_at_each(found.scores),
        comparisons=_at_each(found.comparisons),
        classes=_at_each(found.classes),
        needed=tuple(n for n in _at_each(found.needed) if n.group.fraction > 0),
        measures=tuple(Measure(here, name, "macro_auprc", 0.625) for name in names),
        gaps=tuple(gaps),
        disturbed=tuple(Disturbed(full, m, noise, 0.8, -0.01, -0.02, 0.0) for m in names for noise in noises),
    )


def _at_each(things: tuple[Any, ...]) -> tuple[Any, ...]:
    """Repeat what was measured with a tenth at every budget but the largest."""
    return tuple(
        replace(thing, group=replace(thing.group, fraction=budget))
        for thing in things
        for budget in (BUDGETS[:-1] if thing.group.fraction == 0.1 else BUDGETS[-1:])
    )
