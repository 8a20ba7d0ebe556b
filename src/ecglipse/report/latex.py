"""A summary as LaTeX tables, to be put into a paper with `\\input`. Writes nothing itself."""

import re
from typing import Final

from ecglipse.report.tables import FLOORS, Group, Score, Summary, percent
from ecglipse.report.verdict import setting_title

_SPECIAL: Final = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "\\": "\\textbackslash{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\textquotedbl{}",
    "`": "\\textasciigrave{}",
    "\u2212": "$-$",
    "\u00b2": "\\textsuperscript{2}",
}


def tex(text: str) -> str:
    """Give text that LaTeX sets as it stands: no command, no environment, no line of its own."""
    flat = re.sub(r"\s+", " ", text).strip()
    return "".join(_SPECIAL.get(c, c) for c in flat if c.isprintable())


def to_latex(summary: Summary) -> str:
    """Give a table a task, probe and validation, and one of the paired differences; needs `booktabs`.

    Floors stand above a rule; numbers are means with their 95 % intervals. Nothing is marked as the best.
    """
    parts = head_of(summary)
    for probe, validation in summary.settings:
        for task in summary.tasks:
            parts += _scores(summary, task, probe, validation)
    return "\n".join(parts + _differences(summary)) + "\n"


def head_of(summary: Summary) -> list[str]:
    """Give the comments that every file of tables begins with: what must be known before it is used."""
    lines = [f"% {tex(summary.name)}: tables of an ecglipse study; needs \\usepackage{{booktabs}}"]
    if summary.synthetic:
        lines.append("% Synthetic data: no clinical evidence.")
    if not summary.ranked:
        lines.append(f"% Floors missing: {tex(', '.join(summary.missing_floors))}.")
    return lines


def metric_name(summary: Summary, task: str) -> str:
    """Give the headline metric of a task as readers write it."""
    return "R\u00b2" if task in summary.regressions else "macro AUROC"


def _scores(summary: Summary, task: str, probe: str, validation: str) -> list[str]:
    groups = [Group(task, probe, validation, f) for f in summary.fractions]
    floors: list[str] = []
    others: list[str] = []
    for m in sorted(summary.methods, key=lambda m: m.kind not in FLOORS):
        scores = [summary.floor(g, m.name) for g in groups]
        if any(s.mean is not None for s in scores):
            row = " & ".join([tex(m.title), *map(score_text, scores)]) + r" \\"
            (floors if m.kind in FLOORS else others).append(row)
    if not floors + others:
        return []
    caption = (
        f"{task}: {metric_name(summary, task)} with its 95 % interval. {setting_title(probe, validation)}."
    )
    rule = [r"\midrule"] if floors and others else []
    head = ["method", *(percent(f) for f in summary.fractions)]
    return table(caption, head, [*floors, *rule, *others])


def _differences(summary: Summary) -> list[str]:
    rows = []
    for c in summary.comparisons:
        if c.estimate is None or c.low is None or c.high is None:
            continue
        if c.method not in {m.name for m in summary.candidates()}:
            continue
        where = (c.group.task, setting_title(c.group.probe, c.group.validation), percent(c.group.fraction))
        who = (summary.method(c.method).title, summary.method(c.baseline).title)
        numbers = [f"${c.estimate:+.3f}$", f"[${c.low:+.3f}$, ${c.high:+.3f}$]"]
        numbers.append("n/a" if c.p_holm is None else "$<$0.001" if c.p_holm < 0.001 else f"{c.p_holm:.3f}")
        rows.append(" & ".join([*map(tex, (*where, *who)), *numbers]) + r" \\")
    head = ["task", "probe", "labels", "method", "minus", "difference", "95 % interval", "p (Holm)"]
    caption = f"Paired differences in {summary.measured}."
    return table(caption, head, rows) if rows else []


def score_text(score: Score) -> str:
    """Give a score with its interval in brackets."""
    if score.mean is None:
        return "n/a"
    if score.low is None or score.high is None:
        return f"${score.mean:.3f}$"
    return f"${score.mean:.3f}$ [${score.low:.3f}$, ${score.high:.3f}$]"


def table(caption: str, head: list[str], rows: list[str]) -> list[str]:
    """Give the lines of a table: caption and head are set as text, rows stand as they are."""
    return [
        "",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{tex(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(map(tex, head)) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
