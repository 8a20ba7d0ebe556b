"""A summary as LaTeX tables, to be put into a paper with `\\input`. Writes nothing itself."""

from collections.abc import Sequence
from typing import Final

from ecglipse.report.cautions import in_few_words
from ecglipse.report.grids import Grid, differences, scores
from ecglipse.report.latex_layout import tables
from ecglipse.report.latex_text import tex
from ecglipse.report.summary import Summary

MACROS: Final = r"""
% Define any of these before the file is read, and it looks otherwise.
\providecommand{\ecgci}[3]{% a value over its interval
  \begin{tabular}[t]{@{}c@{}}$#1$\\[-2pt]\scriptsize$[#2,\,#3]$\rule[-3.5pt]{0pt}{0pt}\end{tabular}}
\providecommand{\ecghead}[2][c]{\begin{tabular}[b]{@{}#1@{}}#2\end{tabular}}
\providecommand{\ecgname}[1]{\raggedright\hangindent1em #1}
\providecommand{\ecgover}[1]{\raggedright\itshape #1}
\providecommand{\ecgnote}[1]{\par\smallskip\parbox{\linewidth}{\footnotesize\raggedright #1}}
\providecommand{\ecgfit}[1]{% a tabular, small, and shrunk where it is wider than the text
  \smallskip\footnotesize\setlength{\tabcolsep}{4pt}%
  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{#1}}
""".lstrip("\n")
"""What the tables are set with."""

WAITING: Final = 40
"""Tables that LaTeX keeps until a page has room, where there is no text between them; it has 52 places."""


def to_latex(summary: Summary) -> str:
    """Give a table a task, probe and validation, and one of the paired differences of each candidate.

    Floors stand above a rule; numbers are means with their 95 % intervals. Nothing is marked as the best.
    Needs `booktabs` and `graphicx`; tables fit the page of a plain article of 10 pt.
    """
    return tex_file(summary, [*scores(summary), *differences(summary)])


def tex_file(summary: Summary, grids: Sequence[Grid]) -> str:
    """Give a file of tables; its head is what must be known, defined and kept free for them."""
    lines = [f"% {tex(summary.name)}: tables of an ecglipse study; \\usepackage{{booktabs,graphicx}}"]
    if summary.synthetic:
        lines.append("% Synthetic data: no clinical evidence.")
    if not summary.ranked:
        lines.append(f"% Floors missing: {tex(in_few_words(summary.missing_floors))}.")
    made = [table for grid in grids for table in tables(grid)]
    lines += [MACROS + f"\\extrafloats{{{min(len(made), WAITING)}}}"]
    for number, table in enumerate(made):
        lines += ["", *(["\\clearpage"] if number and number % WAITING == 0 else []), table]
    return "\n".join(lines) + "\n"
