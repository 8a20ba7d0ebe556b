"""The small LaTeX tables lie beside the page, each in a file of its own."""

from pathlib import Path

from dummy_study import write_study

from ecglipse.report.latex_tables import latex_tables
from ecglipse.report.more_grids import more_grids
from ecglipse.report.page import write_report
from ecglipse.report.summary import Summary


def test_each_kind_of_table_is_a_file(wide: Summary) -> None:
    made = latex_tables(wide)
    assert list(made) == list(more_grids(wide))
    for text in made.values():
        assert text.count("\\begin{table}") == text.count("\\end{table}") > 0


def test_they_lie_beside_the_page(tmp_path: Path) -> None:
    written = write_report(write_study(tmp_path / "study", replicates=20), tmp_path / "out")
    assert {path.name for path in written.tables} == {
        path.name for path in (tmp_path / "out").glob("results-*.tex")
    }
    assert tmp_path / "out" / "results-classes.tex" in written.tables
