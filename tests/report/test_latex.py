"""LaTeX tables: the numbers of the summary, balanced, and no text of a config that becomes a command."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dummy_study import METHODS, Make

from ecglipse.report.latex import tex, to_latex
from ecglipse.report.summary import summarise

EVIL = r"100 % \input{/etc/passwd} $x_1^2$ {#&~} \end{table} <a|b> \"q\" `r`"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    from dummy_study import write_study

    folder = tmp_path_factory.mktemp("latex") / "study"
    methods = (*METHODS[:-1], {**METHODS[-1], "title": EVIL})
    summary = summarise(write_study(folder, methods=methods, probes=("linear", "finetune"), replicates=20))
    return folder, to_latex(summary)


def test_numbers_are_those_of_the_summary(out: tuple[Path, str]) -> None:
    summary = summarise(out[0])
    for score in summary.scores:
        if score.mean is not None and score.low is not None and score.group.probe == "linear":
            assert f"${score.mean:.3f}$ [${score.low:.3f}$, ${score.high:.3f}$]" in out[1]


def test_every_table_is_whole(out: tuple[Path, str]) -> None:
    tables = out[1].split("\\begin{table}")[1:]
    assert len(tables) == 2 * 2 + 1
    for table in tables:
        columns = len(re.search(r"begin\{tabular\}\{(l?r+|lr+)\}", table).group(1))
        body = table.split("\\toprule")[1].split("\\bottomrule")[0]
        rows = [line for line in body.splitlines() if line.endswith("\\\\")]
        assert len(rows) > 2
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == columns - 1, row
    assert "From scratch" in out[1]


def test_text_stays_text(out: tuple[Path, str]) -> None:
    assert "\\input{" not in out[1]
    assert tex(EVIL).count("\\textbackslash{}") == 4
    rest = re.sub(r"\\(text[a-z]+\{2?\}|[&%$#_{}])", "", tex(EVIL))
    assert not set(rest) & set("\\&%$#_{}~^<>|")
    assert tex("a\n\nb") == "a b"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_it_compiles(out: tuple[Path, str], tmp_path: Path) -> None:
    page = "\\documentclass{article}\\usepackage{booktabs}\\usepackage[T1]{fontenc}\\begin{document}\n"
    (tmp_path / "p.tex").write_text(page + out[1] + "\\end{document}\n", encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "p.tex"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_missing_floors_are_told(make: Make) -> None:
    assert "% Floors missing: " in to_latex(summarise(make(methods=METHODS[2:], replicates=20)))
