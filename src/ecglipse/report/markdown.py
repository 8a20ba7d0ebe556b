"""A summary as Markdown: the verdict, tables and limits. Writes nothing itself."""

from ecglipse.report.grids import differences, scores
from ecglipse.report.markdown_tables import cell_text, section
from ecglipse.report.more_grids import more_grids
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import at_what, verdict


def to_markdown(summary: Summary) -> str:
    """Give the verdict, the tables that LaTeX has, with intervals, and the limits."""
    main, more = verdict(summary)
    lines = [f"# {cell_text(summary.name)}", ""]
    if summary.synthetic:
        lines += ["**Synthetic data: no clinical evidence.**", ""]
    lines += [f"{at_what(summary)}:", "", *(f"- {cell_text(sentence)}" for sentence in (main, *more)), ""]
    rest = [grid for grids in more_grids(summary).values() for grid in grids]
    for grid in (*scores(summary), *differences(summary), *rest):
        lines += section(grid)
    if rest:
        lines += [
            "Differences between all others, p before the correction and spreads are in `results.csv`.",
            "",
        ]
    if summary.cautions:
        lines += ["## Limits", "", *(f"- {cell_text(c)}" for c in summary.cautions), ""]
    return "\n".join(lines)
