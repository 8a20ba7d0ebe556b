"""A grid as LaTeX tables that fit the page of a plain article: too wide or too long, it becomes several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from math import ceil
from textwrap import wrap
from typing import Final, TypeVar

from ecglipse.report.grids import Block, Cell, Grid
from ecglipse.report.latex_text import cell_tex, cell_width, tex, text_width

T = TypeVar("T")
Row = tuple[str, tuple[Cell, ...]]

SIZE: Final = 8.0
"""Of \\footnotesize in an article of 10 pt; points, as everything here."""
LINE: Final = 9.5
"""From line to line of it."""
PAIR: Final = 18.0
"""Height of a number over its interval."""
TEXT: Final = 345.0
"""Width of the text of an article."""
PAGE: Final = 550.0
"""Height of it."""
WIDEST: Final = 1.15 * TEXT
"""Of a table, as `\\ecgfit` shrinks it to the text: by an eighth at most."""
NAMES: Final = 0.34 * TEXT
"""Kept for the rows' names."""
GAP: Final = 8.0
"""From column to column."""


def tables(grid: Grid) -> list[str]:
    """Give a grid's tables: its columns in parts that fit the width, each in parts that fit the height, all
    with their heads and the same number."""
    every = [row for block in grid.blocks for row in block.rows]
    numbers = [max(cell_width(cells[k], SIZE) for _, cells in every) for k in range(len(grid.heads) - 1)]
    heads = [_lines(head, width) for head, width in zip(grid.heads[1:], numbers, strict=True)]
    widths = [
        GAP + max(width, *(text_width(line, SIZE) for line in lines))
        for lines, width in zip(heads, numbers, strict=True)
    ]
    unbroken = [grid.heads[0], grid.over, *(word for name, _ in every for word in name.split())]
    least = max(text_width(word, SIZE) for word in unbroken)
    longest = max(least, *(text_width(name, SIZE) for name, _ in every)) + GAP
    least = max(least, min(NAMES, longest))
    made: list[str] = []
    for columns in fitting(range(len(widths)), widths, WIDEST - least):
        across = sum(widths[k] for k in columns)
        names = max(least, min(TEXT - across, longest))
        part = _Part([heads[k] for k in columns], names, names + across)
        blocks = [
            replace(b, rows=tuple((name, tuple(cells[k] for k in columns)) for name, cells in b.rows))
            for b in grid.blocks
        ]
        for page in _pages(grid, blocks, part):
            made.append(_float(grid, _tabular(grid, page, part), continued=bool(made)))
    return made


@dataclass(frozen=True)
class _Part:
    """Some columns: the lines of their heads, the width of the names beside them, and that of all."""

    heads: list[list[str]]
    names: float
    width: float


def fitting(things: Sequence[T], sizes: Sequence[float], room: float) -> list[tuple[T, ...]]:
    """Cut things into as few parts as have room, of about equal size; what is too large stands alone."""
    cuts = [_filled(sizes, room * part / 20) for part in range(10, 21)]
    fewest = min(
        cuts, key=lambda parts: (len(parts), max((sum(sizes[k] for k in p) for p in parts), default=0.0))
    )
    return [tuple(things[k] for k in part) for part in fewest]


def _filled(sizes: Sequence[float], room: float) -> list[list[int]]:
    parts: list[list[int]] = []
    left = 0.0
    for k, size in enumerate(sizes):
        if not parts or size > left:
            parts.append([])
            left = room
        parts[-1].append(k)
        left -= size
    return parts


def _pages(grid: Grid, blocks: Sequence[Block], part: _Part) -> list[list[Block]]:
    """Cut blocks into pages: one with a title stays whole if it can."""
    room = PAGE - 40 - 12 * _depth(grid.title + grid.where, 0.8 * TEXT) - LINE * max(map(len, part.heads))
    room -= LINE * _depth(grid.note, TEXT)
    pieces: list[tuple[int, tuple[Row, ...]]] = []
    sizes: list[float] = []
    for number, block in enumerate(blocks):
        heights = [
            max(LINE * _depth(name, part.names - SIZE), PAIR if any(cell.ends for cell in cells) else LINE)
            for name, cells in block.rows
        ]
        above = LINE * (0.5 + _depth(block.title, part.width)) if block.title else 0.0
        for some in fitting(range(len(heights)), heights, room - above if block.title else 0.0):
            pieces.append((number, tuple(block.rows[k] for k in some)))
            sizes.append(above + sum(heights[k] for k in some))
    pages, before = [], -1
    for page in fitting(pieces, sizes, room):
        together = []
        for number, same in groupby(page, key=lambda piece: piece[0]):
            title = blocks[number].title
            title += " (continued)" if title and number == before else ""
            together.append(Block(tuple(chain.from_iterable(rows for _, rows in same)), title))
            before = number
        pages.append(together)
    return pages


def _depth(text: str, width: float) -> int:
    """Give about how many lines a text takes, ragged as they are."""
    return ceil(1.1 * text_width(text, SIZE) / width)


def _lines(head: str, width: float) -> list[str]:
    """Break a head into lines about as long as the numbers below it, or ten letters."""
    most = max(10, int(width / (0.5 * SIZE)))
    parts = [wrap(part, most, break_long_words=False, break_on_hyphens=False) for part in head.split("\n")]
    return list(chain.from_iterable(parts)) or [""]


def _tabular(grid: Grid, blocks: Sequence[Block], part: _Part) -> str:
    corner = tex(grid.heads[0])
    if grid.over:
        corner = rf"\ecghead[l]{{\itshape {tex(grid.over)}\\{corner}}}"
    lines = [
        rf"\begin{{tabular}}{{@{{}}p{{{part.names / TEXT:.2f}\linewidth}}{'c' * len(part.heads)}@{{}}}}",
        r"\toprule",
        " & ".join([corner, *map(_head, part.heads)]) + r" \\",
    ]
    for number, block in enumerate(blocks):
        lines.append(r"\addlinespace" if number and block.title else r"\midrule")
        if block.title:
            span = rf"@{{}}p{{{0.95 * part.width / TEXT:.2f}\linewidth}}@{{}}"
            title = rf"\ecgover{{{tex(block.title)}}}"
            lines.append(rf"\multicolumn{{{1 + len(part.heads)}}}{{{span}}}{{{title}}} \\")
        for name, cells in block.rows:
            lines.append(" & ".join([rf"\ecgname{{{tex(name)}}}", *map(cell_tex, cells)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _head(lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return tex(lines[0])
    return r"\ecghead{" + r"\\{}".join(map(tex, lines)) + "}"


def _float(grid: Grid, body: str, *, continued: bool) -> str:
    caption = tex(f"{grid.title}. {grid.where}{' (continued)' if continued else ''}.")
    lines = [
        r"\begin{table}",
        r"\centering",
        *([r"\addtocounter{table}{-1}"] if continued else []),
        rf"\caption{{{caption}}}",
        rf"\ecgfit{{{body}}}",
        *([rf"\ecgnote{{{tex(grid.note)}}}"] if grid.note else []),
        r"\end{table}",
    ]
    return "\n".join(lines)
