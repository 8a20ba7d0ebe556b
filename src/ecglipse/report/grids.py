"""The scores and differences of a summary as plain cells, which LaTeX and Markdown set each in its own way.

Other tables are in `more_grids`. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ecglipse.report.content import p_value, role_of
from ecglipse.report.differences import Comparison
from ecglipse.report.methods import FLOORS, Method
from ecglipse.report.scores import Group, Score, percent
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import headline_fraction, setting_title


@dataclass(frozen=True)
class Cell:
    """A number as text, with the ends of its interval where it has one; or why there is none."""

    value: str = ""
    ends: tuple[str, str] | None = None
    why: str = ""


@dataclass(frozen=True)
class Block:
    """Rows that stand together: each a name and its cells; all under a title, or none."""

    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    title: str = ""


@dataclass(frozen=True)
class Grid:
    """One table.

    Args:
        title: what it shows.
        where: probe and labels.
        heads: of the columns, that of the rows' names first; a line break stays one where there is room.
        blocks: of rows.
        over: what the blocks' titles are, where they have some.
        note: below the table.
    """

    title: str
    where: str
    heads: tuple[str, ...]
    blocks: tuple[Block, ...]
    over: str = ""
    note: str = ""


def number(value: float | None, low: float | None = None, high: float | None = None, why: str = "") -> Cell:
    """Give three decimals, with the interval if there is one."""
    return _cell(value, low, high, why, ".3f")


def change(value: float | None, low: float | None = None, high: float | None = None, why: str = "") -> Cell:
    """Give three decimals and a sign, with the interval if there is one."""
    return _cell(value, low, high, why, "+.3f")


def _cell(value: float | None, low: float | None, high: float | None, why: str, form: str) -> Cell:
    if value is None:
        return Cell(why=why.removeprefix("n/a").lstrip(", "))
    ends = None if low is None or high is None else (f"{low:{form}}", f"{high:{form}}")
    return Cell(f"{value:{form}}", ends)


def by_method(
    summary: Summary, cells: Mapping[str, Sequence[Cell]], read: Mapping[str, str] = MappingProxyType({})
) -> tuple[Block, ...]:
    """Give a row to each method that has cells, in a block of floors and one of all others.

    Args:
        summary: of the study.
        cells: by method.
        read: how a method was read, where it must be told.
    """
    blocks = []
    for floors in (True, False):
        mine = [m for m in summary.methods if m.name in cells and (m.kind in FLOORS) == floors]
        titles = [f"{m.title} ({read[m.name]})" if m.name in read else m.title for m in mine]
        rows = tuple((title, tuple(cells[m.name])) for title, m in zip(titles, mine, strict=True))
        blocks += [Block(rows)] if rows else []
    return tuple(blocks)


def metric_name(summary: Summary, task: str) -> str:
    """Give the headline metric of a task as readers write it."""
    return "R²" if task in summary.regressions else "macro AUROC"


def borrowed(scores: Mapping[str, Sequence[Score]], probe: str) -> dict[str, str]:
    """Say how a floor was read that is not read by this probe; see `Summary.floor`."""
    return {
        name: setting_title(mine[0].group.probe, "matched").lower()
        for name, mine in scores.items()
        if mine and mine[0].group.probe != probe
    }


def scores(summary: Summary) -> list[Grid]:
    """A table a probe, validation and task; a row a method, a column a share of the labels.

    Where nothing but floors was read so, there is none: they stand with the headline's.
    """
    grids = []
    floors = {m.name for m in summary.methods if m.kind in FLOORS}
    for setting in summary.settings:
        for task in summary.tasks:
            groups = [Group(task, *setting, f) for f in summary.fractions]
            every = {m.name: [summary.floor(g, m.name) for g in groups] for m in summary.methods}
            found = {
                name: mine
                for name, mine in every.items()
                if any(s.n_cells or s.mean is not None for s in mine)
            }
            if setting != summary.settings[0] and found.keys() <= floors:
                continue
            cells = {
                name: [number(s.mean, s.low, s.high, s.note) for s in mine] for name, mine in found.items()
            }
            title = f"{task}: {metric_name(summary, task)} with its 95 % interval"
            heads = ("method", *map(percent, summary.fractions))
            blocks = by_method(summary, cells, borrowed(found, setting[0]))
            grids += [Grid(title, setting_title(*setting), heads, blocks)] if blocks else []
    return grids


def differences(summary: Summary) -> list[Grid]:
    """A table a probe, validation and candidate; a block an opponent, a row a task, a column a share of the
    labels; then p after Holm's correction over the tasks, with the verdict's share."""
    return [
        grid
        for setting in summary.settings
        for method in summary.candidates()
        if (grid := _differences(summary, method, setting))
    ]


def _differences(summary: Summary, method: Method, setting: tuple[str, str]) -> Grid | None:
    few = headline_fraction(summary)
    found: dict[tuple[str, str], dict[str, dict[float, Comparison]]] = {}
    for c in summary.comparisons:
        if c.method == method.name and (c.group.probe, c.group.validation) == setting:
            tasks = found.setdefault((c.baseline, role_of(c)), {})
            tasks.setdefault(c.group.task, {})[c.group.fraction] = c
    blocks = []
    for (baseline, role), tasks in found.items():
        rows = tuple(
            (task, (*(_difference(cs.get(f)) for f in summary.fractions), _p(cs.get(few or 0.0))))
            for task, cs in tasks.items()
            if any(c.estimate is not None for c in cs.values())
        )
        blocks += [Block(rows, opponent(summary, baseline, role))] if rows else []
    if not blocks:
        return None
    heads = ("task", *map(percent, summary.fractions), f"p (Holm), {percent(few or 0.0)}")
    title = f"{method.title}, minus others: paired differences in {summary.measured} with 95 % intervals"
    return Grid(title, setting_title(*setting), heads, tuple(blocks), over="minus")


def opponent(summary: Summary, name: str, role: str) -> str:
    """Name an opponent, and what it is to the method."""
    return summary.method(name).title + (f" ({role})" if role else "")


def _difference(found: Comparison | None) -> Cell:
    return change(found.estimate, found.low, found.high, found.note) if found else Cell()


def _p(found: Comparison | None) -> Cell:
    return Cell(p_value(found.p_holm)) if found and found.p_holm is not None else Cell()
