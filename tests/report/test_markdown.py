"""The Markdown: the page's tables, whole, short enough to read, and no text that becomes markup."""

import re

import pytest
from wide_study import EVIL, LONG

from ecglipse.report.grids import Block, Cell, Grid
from ecglipse.report.markdown import to_markdown
from ecglipse.report.markdown_tables import MOST_COLUMNS, cell_text, number_text, section
from ecglipse.report.summary import Summary


@pytest.fixture(scope="module")
def text(wide: Summary) -> str:
    return to_markdown(wide)


def columns(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line)) - 1


def test_every_table_is_whole(text: str) -> None:
    parts = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(parts) > 10
    for part in parts:
        head, align, *rows = part.split("\n")
        assert rows
        assert {columns(line) for line in (head, align, *rows)} == {columns(head)}
        assert columns(head) <= MOST_COLUMNS + 2


def test_what_the_page_has_is_there(text: str) -> None:
    heads = [line for line in text.split("\n") if line.startswith("## ")]
    for words in (
        *(
            f"{LONG}, minus others: paired differences",
            f"{LONG}: labels needed for another's score",
            "Floors",
        ),
        *("rhythm: AUROC of each class", "rhythm: other metrics", "rhythm: expected calibration error (ECE)"),
        *("rhythm: subgroups", "rhythm: change in macro AUROC on disturbed test recordings", "Limits"),
    ):
        assert any(head.startswith(f"## {words}") for head in heads), words


def test_numbers_are_those_of_the_summary(wide: Summary, text: str) -> None:
    for score in wide.scores:
        assert f"{score.mean:.3f} ({score.low:.3f} to {score.high:.3f})" in text
    assert text.count("| −0.010 (−0.020 to +0.000)") == 13 * 9
    assert "| 0.800, +0.100 (+0.050 to +0.150) |" in text


def test_a_difference_stands_on_a_row_with_its_opponent(text: str) -> None:
    row = next(line for line in text.split("\n") if "(its random twin) | rhythm |" in line)
    assert columns(row) == 2 + 10 + 1


def test_numbers_are_written_for_readers() -> None:
    assert number_text(Cell("-0.002", ("-0.010", "+0.003"))) == "−0.002 (−0.010 to +0.003)"
    assert number_text(Cell("0.5")) == "0.5"
    assert number_text(Cell(why="1 of 2 draws done")) == "n/a, 1 of 2 draws done"
    assert number_text(Cell()) == "n/a"


def test_a_wide_table_becomes_several() -> None:
    cells = tuple(Cell(f"0.{n:03}") for n in range(25))
    heads = ("method", *(f"H{n}" for n in range(25)))
    lines = section(Grid("t", "w", heads, (Block((("SimCLR", cells),)),), note="A note."))
    assert [columns(line) for line in lines if line.startswith("| SimCLR")] == [9, 9, 10]
    assert " ".join(re.findall(r"0\.\d{3}", "\n".join(lines))) == " ".join(cell.value for cell in cells)
    assert lines[-2] == "A note."


def test_text_stays_text(text: str) -> None:
    assert cell_text(EVIL) in text
    assert EVIL not in text
    assert cell_text("a\nb | <i>*c*</i>") == r"a b \| &lt;i&gt;\*c\*&lt;/i&gt;"
