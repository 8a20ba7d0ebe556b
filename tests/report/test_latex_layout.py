"""A table in parts: nothing is lost or doubled, nothing is wider or higher than a page has room for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecglipse.report.grids import Block, Cell, Grid
from ecglipse.report.latex_layout import TEXT, WIDEST, fitting, tables
from ecglipse.report.latex_text import cell_width, text_width

PAIR = Cell("0.812", ("0.790", "0.833"))


def grid(columns: int, rows: int, *, title: str = "", blocks: int = 1) -> Grid:
    names = iter(range(rows * blocks))
    made = [
        Block(tuple((f"Row {next(names)}", (PAIR,) * columns) for _ in range(rows)), title and f"{title} {n}")
        for n in range(blocks)
    ]
    heads = ("method", *(f"H{n}" for n in range(columns)))
    return Grid("A title", "Linear probe", heads, tuple(made), over="minus" if title else "")


@given(st.lists(st.floats(0.5, 30.0), max_size=60), st.floats(10.0, 100.0))
def test_parts_keep_all_in_order_and_have_room(sizes: list[float], room: float) -> None:
    parts = fitting(range(len(sizes)), sizes, room)
    assert [k for part in parts for k in part] == list(range(len(sizes)))
    assert all(len(part) == 1 or sum(sizes[k] for k in part) <= room + 1e-9 for part in parts)
    assert len(parts) <= 1 + 2 * sum(sizes) / room, "two neighbours never have room together"


def test_parts_are_about_equal() -> None:
    assert [len(part) for part in fitting(range(10), [1.0] * 10, 9.0)] == [5, 5]
    assert [len(part) for part in fitting(range(9), [1.0] * 9, 9.0)] == [9]


def test_rows_and_columns_stand_once_in_parts() -> None:
    made = tables(grid(9, 70))
    assert len(made) == 6
    seen = [
        (head, row)
        for table in made
        for head in re.findall(r"H\d", table)
        for row in re.findall(r"Row \d+", table)
    ]
    assert len(seen) == len(set(seen)) == 9 * 70


def test_what_fits_is_one_table() -> None:
    (table,) = tables(grid(4, 20))
    assert "continued" not in table
    assert "addtocounter" not in table


def test_a_block_stays_whole_if_it_can() -> None:
    made = tables(grid(3, 12, title="Opponent", blocks=4))
    assert [re.findall(r"\\ecgover\{(.*?)\}", table) for table in made] == [
        ["Opponent 0", "Opponent 1"],
        ["Opponent 2", "Opponent 3"],
    ]
    long = tables(grid(3, 50, title="Opponent"))
    titles = [re.findall(r"\\ecgover\{(.*?)\}", table) for table in long]
    assert titles == [["Opponent 0"], *[["Opponent 0 (continued)"]] * (len(long) - 1)]


def test_names_take_what_numbers_leave() -> None:
    def names(columns: int) -> float:
        one = grid(columns, 1)
        rows = (("Learned masks, all leads compete: ally, a quarter reversed", (PAIR,) * columns),)
        (table,) = tables(Grid("t", "w", one.heads, (Block(rows),)))
        return float(re.search(r"p\{(.*?)\\linewidth", table)[1])

    widths = [names(columns) for columns in (1, 2, 3, 4, 5)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0.34
    for columns, width in enumerate(widths, start=1):
        assert width * TEXT + columns * cell_width(PAIR, 8.0) <= WIDEST


def test_widths_are_about_those_of_computer_modern() -> None:
    """As `\\settowidth` gives them in an article, at `\\footnotesize`; the interval at `\\scriptsize`."""
    assert text_width("Learned masks, all leads compete: ally, a quarter reversed", 8.0) == about(215.9)
    assert cell_width(PAIR, 8.0) == about(46.3)
    assert cell_width(Cell("+0.812", ("-0.790", "+0.833")), 8.0) == about(58.7)
    assert cell_width(Cell("0.812"), 8.0) == about(19.4)
    assert cell_width(Cell("0.812, +0.234"), 8.0) == about(49.1)
    assert text_width("QWAVE", 8.0) == about(32.0)


def about(points: float) -> object:
    """Within the eight percent that a table shrinks by without harm."""
    return pytest.approx(points, rel=0.08)
