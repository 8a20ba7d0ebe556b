"""The LaTeX files of a study in a plain article: pdfLaTeX has nothing to complain about."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from payloads import PAYLOADS
from wide_study import EVIL, LONG

from ecglipse.report.grids import Block, Cell, Grid
from ecglipse.report.latex import MACROS, tex_file, to_latex
from ecglipse.report.latex_layout import tables
from ecglipse.report.latex_tables import latex_tables
from ecglipse.report.summary import Summary

OVERFULL_PT = 2.0
"""Too wide by more than this, and a reader sees it."""


def whole() -> bool:
    """Whether there is a TeX with the two packages that the tables need."""
    if not shutil.which("pdflatex") or not shutil.which("kpsewhich"):
        return False
    found = [
        subprocess.run(["kpsewhich", f"{name}.sty"], capture_output=True) for name in ("booktabs", "graphicx")
    ]
    return all(done.returncode == 0 for done in found)


pytestmark = pytest.mark.skipif(not whole(), reason="no pdflatex with booktabs and graphicx here")


def complaints(folder: Path, *texts: str) -> list[str]:
    """Set texts in a plain article; give what is wrong with it by the log."""
    body = "".join(texts)
    head = "\\documentclass{article}\\usepackage{booktabs,graphicx}"
    page = f"{head}\\begin{{document}}\n{body}\\end{{document}}\n"
    (folder / "p.tex").write_text(page, encoding="utf-8")
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "p.tex"], cwd=folder, capture_output=True)
    log = (folder / "p.log").read_text(encoding="utf-8", errors="replace")
    wide = [m[0] for m in re.finditer(r"Overfull \\hbox \(([\d.]+)pt", log) if float(m[1]) > OVERFULL_PT]
    wrong = re.findall(r"^!.*|Float too large.*|Overfull \\vbox.*", log, flags=re.M)
    return wrong + wide + ([] if "Output written on p.pdf" in log else ["no page"])


def test_each_file_fits_its_pages(wide: Summary, tmp_path: Path) -> None:
    files = {"results": to_latex(wide), **latex_tables(wide)}
    assert len(files) == 8
    for name, text in files.items():
        assert (name, complaints(tmp_path, text)) == (name, [])


def test_all_files_stand_in_one_article(wide: Summary, tmp_path: Path) -> None:
    assert complaints(tmp_path, to_latex(wide), *latex_tables(wide).values()) == []


@pytest.mark.parametrize("names", [1, 12, 58, 180])
@pytest.mark.parametrize("columns", [1, 3, 9])
def test_many_rows_with_names_of_any_length_fit(names: int, columns: int, tmp_path: Path) -> None:
    name = (f"{LONG}, " * 4)[:names]
    cells = (Cell("+0.812", ("-0.790", "+0.833")),) * columns
    blocks = [Block(((name, cells),) * rows, title) for title in ("", name) for rows in (1, 9, 30)]
    heads = ("method", *(f"disturbance {n}" for n in range(columns)))
    for some in (blocks[:3], blocks[3:]):
        grid = Grid(LONG, "Linear probe", heads, tuple(some), over=some[0].title and "minus", note=LONG)
        assert complaints(tmp_path, MACROS, "\\extrafloats{50}", *tables(grid)) == []


def test_more_tables_than_latex_keeps_have_their_pages(wide: Summary, tmp_path: Path) -> None:
    """Without pages in between it stops after a hundred."""
    grids = [
        Grid("A title", "Linear probe", ("method", "100 %"), (Block((("SimCLR", (Cell("0.8"),)),)),))
    ] * 130
    text = tex_file(wide, grids)
    assert complaints(tmp_path, text) == []
    assert complaints(tmp_path, text.replace("\\clearpage", "")) != []


def test_no_text_stops_latex(wide: Summary, tmp_path: Path) -> None:
    cell = (Cell("0.8"),)
    grids = [
        Grid(text, text, (text, text), (Block(((text, cell), (text, cell)), text),), over=text, note=text)
        for text in ("[2cm] x", "* x", EVIL, *PAYLOADS[::9])
    ]
    found = complaints(tmp_path, tex_file(wide, grids))
    assert [text for text in found if text.startswith(("!", "no page"))] == []


def test_what_does_not_fit_is_seen(wide: Summary, tmp_path: Path) -> None:
    unfit = latex_tables(wide)["robustness"].replace("\\ecgfit", "\\ecgunfit")
    own = "\\newcommand{\\ecgunfit}[1]{\\rule{400pt}{1pt}}\n"
    assert any("Overfull" in found for found in complaints(tmp_path, own, unfit))
    rows = "x\\\\" * 70
    long = f"\\begin{{table}}\\begin{{tabular}}{{l}}{rows}\\end{{tabular}}\\end{{table}}\n"
    assert any("Float too large" in found for found in complaints(tmp_path, long))
    assert any(found.startswith("!") for found in complaints(tmp_path, "\\nothing\n"))


def test_an_author_restyles_with_one_line(wide: Summary, tmp_path: Path) -> None:
    own = "\\newcommand{\\ecgci}[3]{\\typeout{MINE}$#1$}\n"
    assert complaints(tmp_path, own, latex_tables(wide)["floors"]) == []
    assert "MINE" in (tmp_path / "p.log").read_text(encoding="utf-8", errors="replace")
