"""Label-efficiency ratios of a study: labels that a method needs for its opponent's score."""

import math
from collections.abc import Mapping

import numpy as np

from ecglipse.report.bench import Estimate
from ecglipse.report.differences import Needed
from ecglipse.report.scores import Group
from ecglipse.report.summary import Summary
from ecglipse.statistics import label_ratio


def labels_needed(summary: Summary, estimates: Mapping[tuple[Group, str], Estimate]) -> tuple[Needed, ...]:
    """Give the ratio of each candidate to its twins and to each baseline, at every label fraction."""
    if len(summary.shares) < 2:
        return ()
    return tuple(
        _ratio(group, method.name, baseline, role, estimates)
        for method in summary.candidates()
        for baseline, role in summary.opponents(method.name).items()
        for probe, validation in summary.settings
        for task in summary.tasks
        for fraction in summary.shares
        for group in (Group(task, probe, validation, fraction),)
        if (group, baseline) in estimates
    )


def _ratio(
    group: Group,
    method: str,
    baseline: str,
    role: str,
    estimates: Mapping[tuple[Group, str], Estimate],
) -> Needed:
    """One ratio: the method's curve over all fractions against the baseline's one score."""
    twin, control = role == "random twin", "" if role == "random twin" else role
    mine = {
        g.fraction: estimate
        for (g, name), estimate in estimates.items()
        if name == method
        and g.fraction > 0
        and (g.task, g.probe, g.validation) == (group.task, group.probe, group.validation)
    }
    if len(mine) < 2:
        note = "fewer than two label fractions done"
        return Needed(group, method, baseline, twin, None, note=note, control=control)
    fractions = sorted(mine)
    theirs = estimates[group, baseline]
    found = label_ratio(
        np.array(fractions),
        np.array([mine[f].mean for f in fractions]),
        np.stack([mine[f].replicates for f in fractions], axis=1),
        opponent=theirs.mean,
        opponent_replicates=theirs.replicates,
        at=group.fraction,
        levels=[mine[f].levels for f in fractions],
        opponent_levels=theirs.levels,
    )
    if math.isnan(found.low):
        note = "more than 5 % of the resamples lack a class"
        return Needed(group, method, baseline, twin, None, note=note, control=control)
    return Needed(group, method, baseline, twin, found, control=control)


def ratio_text(value: float, needed: Needed) -> str:
    """Give a ratio as readers write it; "< 0.1" and "> 2" where labels tried end before it."""
    if needed.ratio is None:
        return "n/a"
    if value == 0:
        return f"< {needed.ratio.least:.2g}"
    return f"> {needed.ratio.most:.2g}" if math.isinf(value) else f"{value:.2f}"
