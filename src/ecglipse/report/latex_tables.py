"""A summary's other tables in LaTeX, each a small file of its own: what a paper's appendix needs. Pure."""

from ecglipse.report.latex import tex_file
from ecglipse.report.more_grids import more_grids
from ecglipse.report.summary import Summary


def latex_tables(summary: Summary) -> dict[str, str]:
    """Give the files of `more_grids` by name; they need what `to_latex` needs."""
    return {name: tex_file(summary, grids) for name, grids in more_grids(summary).items()}
