"""LaTeX of whole files: balanced, floors above a rule, and no text of a config that becomes a command."""

import re
from dataclasses import replace

import pytest
from dummy_study import METHODS, Make
from payloads import PAYLOADS
from wide_study import EVIL, LONG

from ecglipse.report.latex import to_latex
from ecglipse.report.latex_tables import latex_tables
from ecglipse.report.latex_text import tex
from ecglipse.report.summarise import summarise
from ecglipse.report.summary import Summary


@pytest.fixture(scope="module")
def files(wide: Summary) -> dict[str, str]:
    return {"results": to_latex(wide), **latex_tables(wide)}


def test_every_table_is_whole(files: dict[str, str]) -> None:
    for name, text in files.items():
        tables = text.split("\\begin{table}")[1:]
        assert tables, name
        for table in tables:
            columns = 1 + len(re.search(r"\{@\{\}p\{0\.\d\d\\linewidth\}(c+)@\{\}\}", table)[1])
            body = table.split("\\toprule")[1].split("\\bottomrule")[0]
            rows = [line for line in body.splitlines() if line.endswith("\\\\")]
            assert len(rows) >= 2, name
            for row in rows:
                spanned = columns - 1 if row.startswith("\\multicolumn") else 0
                assert len(re.findall(r"(?<!\\)&", row)) + spanned == columns - 1, row
            bare = re.sub(r"\\[{}\\]", "", table)
            assert bare.count("{") == bare.count("}")


def test_numbers_are_those_of_the_summary(wide: Summary, files: dict[str, str]) -> None:
    for score in wide.scores:
        if score.group.probe == "linear":
            cell = f"\\ecgci{{{score.mean:.3f}}}{{{score.low:.3f}}}{{{score.high:.3f}}}"
            assert cell in files["results"]
    assert files["robustness"].count("\\ecgci{-0.010}{-0.020}{+0.000}") == 13 * 9
    assert "\\ecgci{0.800, +0.100}{+0.050}{+0.150}" in files["subgroups"]


def test_floors_stand_above_the_rule(files: dict[str, str]) -> None:
    above, below = files["calibration"].split("\\begin{table}")[1].split("\\midrule")[1:]
    assert "\\ecgname{Hand-crafted}" in above
    assert "Hand-crafted" not in below
    assert f"\\ecgname{{{LONG}}}" in below


def test_a_table_in_parts_has_one_number_and_says_that_it_goes_on(files: dict[str, str]) -> None:
    tables = files["results"].split("\\begin{table}")[1:]
    titles = [re.search(r"\\caption\{(.*?)( \(continued\))?\.\}\n", table) for table in tables]
    for before, title, table in zip(titles, titles[1:], tables[1:], strict=False):
        assert (before[1] == title[1]) == (title[2] is not None) == ("\\addtocounter{table}{-1}" in table)
    assert len({title[1] for title in titles}) < len(titles)


def test_text_stays_text(files: dict[str, str]) -> None:
    for text in files.values():
        assert "\\input{" not in text
        assert not re.search(r"(\\\\|rule|space)\s*[\[*](?!-2pt|-3.5pt)", text), "LaTeX takes it for a length"
    assert tex(EVIL).count("\\textbackslash{}") == 4
    assert tex("a\n\nb") == "a b"


@pytest.mark.parametrize("start", range(0, len(PAYLOADS), 100))
def test_no_text_has_a_command(start: int) -> None:
    for text in (EVIL, *PAYLOADS[start : start + 100]):
        known = r"\\(text[a-z]+\{2?\}|[&%$#_{}])|\$(-|\\[a-zA-Z]+)\$"
        assert not set(re.sub(known, "", tex(text))) & set('\\&%$#_{}~^<>|"`'), text


def test_a_file_says_what_it_needs(files: dict[str, str]) -> None:
    for text in files.values():
        first = text.splitlines()[0]
        assert first == "% dummy: tables of an ecglipse study; \\usepackage{booktabs,graphicx}"
        used = set(re.findall(r"\\(ecg[a-z]+)", text))
        assert used == set(re.findall(r"\\providecommand\{\\(ecg[a-z]+)\}", text))


def test_missing_floors_and_simulated_data_are_told(make: Make) -> None:
    found = summarise(make(methods=METHODS[2:], replicates=20))
    assert "% Floors missing: " in to_latex(found)
    assert "% Synthetic data: no clinical evidence." in to_latex(replace(found, synthetic=True))
