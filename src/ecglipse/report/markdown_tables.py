"""A grid as Markdown tables. Pure."""

import html
import re
from typing import Final

from ecglipse.report.grids import Cell, Grid
from ecglipse.report.parts import cut

MOST_COLUMNS: Final = 12
"""Of numbers; a wider table becomes several."""


def cell_text(text: str) -> str:
    """Give text that stays text inside a Markdown table: no markup, no column, no line of its own."""
    flat = html.escape(re.sub(r"\s+", " ", text).strip(), quote=False)
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", flat)


def number_text(cell: Cell) -> str:
    """Give a number as "0.812 (0.790 to 0.833)", or "n/a" with its reason."""
    if not cell.value:
        return f"n/a, {cell.why}" if cell.why else "n/a"
    ends = f" ({cell.ends[0]} to {cell.ends[1]})" if cell.ends else ""
    return f"{cell.value}{ends}".replace("-", "−")


def section(grid: Grid) -> list[str]:
    """Give the lines of a grid: its heading, its tables, its note; a block's title is a column of its own."""
    lines = [f"## {cell_text(grid.title)} ({cell_text(grid.where)})", ""]
    names = [grid.over, grid.heads[0]] if grid.over else [grid.heads[0]]
    for columns in cut(range(1, len(grid.heads)), most=MOST_COLUMNS):
        rows = [
            [
                *([block.title] if grid.over else []),
                name,
                *(number_text(cells[k - 1]) for k in columns),
            ]
            for block in grid.blocks
            for name, cells in block.rows
        ]
        heads = [*names, *(grid.heads[k] for k in columns)]
        align = ["---"] * len(names) + ["---:"] * len(columns)
        lines += ["| " + " | ".join(line) + " |" for line in ([*map(cell_text, heads)], align)]
        lines += ["| " + " | ".join(map(cell_text, row)) + " |" for row in rows]
        lines.append("")
    return [*lines, cell_text(grid.note), ""] if grid.note else lines
