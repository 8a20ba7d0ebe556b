"""A summary as Markdown tables. Writes nothing itself."""

import html
import re

from ecglipse.report.measures import TITLES
from ecglipse.report.tables import Group, Score, Summary, percent
from ecglipse.report.verdict import at_what, headline_fraction, setting_title, signed, verdict


def cell_text(text: str) -> str:
    """Give text that stays text inside a Markdown table: no markup, no column, no line of its own."""
    flat = html.escape(re.sub(r"\s+", " ", text).strip(), quote=False)
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", flat)


def _table(head: list[str], rows: list[list[str]]) -> str:
    align = ["---"] + ["---:"] * (len(head) - 1)
    lines = [head, align, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def value_text(score: Score) -> str:
    """Give a score as "0.812 (0.790 to 0.833)", or "n/a" with its reason."""
    if score.mean is None:
        return score.note if score.note.startswith("n/a") else f"n/a {score.note}".strip()
    if score.low is None or score.high is None:
        return f"{score.mean:.3f}"
    return f"{score.mean:.3f} ({score.low:.3f} to {score.high:.3f})"


def to_markdown(summary: Summary) -> str:
    """Give the verdict and one table a task, probe and validation, with intervals; then the differences."""
    main, more = verdict(summary)
    parts = [f"# {cell_text(summary.name)}", ""]
    if summary.synthetic:
        parts += ["**Synthetic data: no clinical evidence.**", ""]
    parts += [f"{at_what(summary)}:", ""] + [f"- {cell_text(sentence)}" for sentence in (main, *more)] + [""]
    for probe, validation in summary.settings:
        for task in summary.tasks:
            groups = [Group(task, probe, validation, f) for f in summary.fractions]
            rows = []
            for m in summary.methods:
                scores = [summary.score(g, m.name) for g in groups]
                if any(s.n_cells or s.mean is not None for s in scores):
                    rows.append([cell_text(m.title)] + [cell_text(value_text(s)) for s in scores])
            if rows:
                parts += [
                    f"## {cell_text(task)}: {setting_title(probe, validation)}, "
                    f"{'R²' if task in summary.regressions else 'macro AUROC'} (95 % interval)",
                    "",
                ]
                parts += [_table(["method", *(percent(f) for f in summary.fractions)], rows), ""]
    rows = []
    for c in summary.comparisons:
        if c.estimate is None or c.low is None or c.high is None:
            continue
        where = [
            cell_text(c.group.task),
            setting_title(c.group.probe, c.group.validation),
            percent(c.group.fraction),
        ]
        who = [cell_text(summary.method(c.method).title), cell_text(summary.method(c.baseline).title)]
        numbers = [signed(c.estimate), f"{signed(c.low)} to {signed(c.high)}"]
        numbers += ["n/a" if p is None else f"{p:.3f}" for p in (c.p_value, c.p_holm)]
        rows.append([*where, *who, *numbers])
    if rows:
        head = ["task", "probe", "labels", "method", "minus", "difference", "95 % interval", "p", "p (Holm)"]
        parts += [f"## Paired differences in {summary.measured}", "", _table(head, rows), ""]
    parts += _other_tables(summary)
    if summary.cautions:
        parts += ["## Limits", ""] + [f"- {cell_text(c)}" for c in summary.cautions] + [""]
    return "\n".join(parts)


def _other_tables(summary: Summary) -> list[str]:
    """Give classes, other metrics, calibration and subgroups where the verdict looks."""
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return []
    here = (*summary.settings[0], fraction)

    def looked_at(group: Group) -> bool:
        return (group.probe, group.validation, group.fraction) == here

    def title(method: str) -> str:
        return cell_text(summary.method(method).title)

    def said(value: float | None, note: str) -> str:
        why = note.removeprefix("n/a").lstrip(", ")
        return number_text(value) + (f", {cell_text(why)}" if value is None and why else "")

    classes = [
        [
            *(title(k.method), cell_text(k.group.task), cell_text(k.label), f"{k.positives}"),
            *(said(k.auroc, k.note), said(k.auprc, k.note), "yes" if k.in_macro else "no"),
        ]
        for k in summary.classes
        if looked_at(k.group)
    ]
    measures = [
        [title(m.method), cell_text(m.group.task), TITLES[m.metric], said(m.value, m.note)]
        for m in summary.measures
        if looked_at(m.group)
    ]
    calibration = [
        [title(r.method), cell_text(r.group.task), f"{r.when} temperature", said(r.ece, r.note)]
        for r in summary.reliability
    ]
    gaps = [
        [
            *(title(g.method), cell_text(g.group.task), cell_text(f"{g.variable}: {g.name}"), g.metric),
            *(f"{g.n}", f"{g.n_rest}", number_text(g.value), signed(g.gap)),
            "n/a" if g.low is None or g.high is None else f"{signed(g.low)} to {signed(g.high)}",
        ]
        for g in summary.gaps
    ]
    tables = (
        ("Classes", ["method", "task", "class", "positives", "AUROC", "AUPRC", "in macro average"], classes),
        ("Other metrics", ["method", "task", "metric", "value"], measures),
        ("Calibration", ["method", "task", "when", "ECE"], calibration),
        (
            "Subgroups",
            ["method", "task", "subgroup", "metric", "n", "others", "value", "gap", "95 % interval"],
            gaps,
        ),
    )
    return [
        line
        for name, head, rows in tables
        if rows
        for line in (
            f"## {name}, {at_what(summary)[0].lower()}{at_what(summary)[1:]}",
            "",
            _table(head, rows),
            "",
        )
    ]


def number_text(value: float | None) -> str:
    """Give three decimals, or n/a."""
    return "n/a" if value is None else f"{value:.3f}".replace("-", "−")
