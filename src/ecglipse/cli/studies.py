"""The verbs for a whole comparison: `demo`, `study` and `report`."""

from pathlib import Path
from typing import Annotated, Literal

from ecglipse.cli.options import Flag, Json, Set, say


def demo(*, out: Path = Path("demo"), quick: Annotated[bool, Flag] = False, as_json: Json = False) -> None:
    """Run the whole chain on simulated recordings, from a store to a report.

    Parameters
    ----------
    out
        Folder to write to.
    quick
        A tenth of the work: see the chain, not the result.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._demo import demo as verb

    made = verb(out=out, quick=quick)
    say(
        made,
        f"{made.records} simulated records, {made.cells} readings of the test set in {made.seconds:.0f} s",
        f"wrote `{made.page}`; open it in a browser",
        as_json=as_json,
    )


def study(
    config: Path,
    *,
    plan: Annotated[bool, Flag] = False,
    workers: int | None = None,
    executor: Literal["local", "ray"] | None = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Run the whole grid of a config: method x seed x task x fraction x draw; run it again to go on.

    Parameters
    ----------
    config
        TOML file of a study; see `configs/`.
    plan
        Only say what would be run, on how many labels, and what time and memory it would take.
    workers
        Processes, one core each; by default the config's.
    executor
        Processes of this machine, or Ray: a cluster of its own, or the one that RAY_ADDRESS names; by default
        the config's.
    overrides
        Change a value by dotted path, such as `--set study.seeds=[0,1]`; may be repeated.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._plan_words import plan_lines
    from ecglipse.commands._study import study as verb

    made = verb(config, overrides=overrides or (), plan=plan, workers=workers, executor=executor)
    rows = [f"{name}: {units} encoders, {cells} readings" for name, units, cells in made.plan]
    if plan:
        total = f"{made.units} encoders and {made.cells} readings in all, nothing run"
        say(made, *rows, *plan_lines(made), total, as_json=as_json)
        return
    say(
        made,
        f"{made.units} encoders, {made.cells} readings, {made.added} of them new ({made.seconds:.0f} s)",
        f"wrote `{made.folder}`; next: `ecglipse report {made.folder}`",
        as_json=as_json,
    )


def report(
    folder: Path,
    *,
    out: Path | None = None,
    without_floors: Annotated[bool, Flag] = False,
    as_json: Json = False,
) -> None:
    """Write the report of a study: one HTML page, a CSV, tables for Markdown and LaTeX, and two SVG figures.

    The LaTeX needs the packages `booktabs` and `graphicx` and fits the page of a plain article; the macros at
    the head of each file can be defined otherwise before it is read.

    Parameters
    ----------
    folder
        Of the study.
    out
        Folder to write to; by default the study's own.
    without_floors
        Rank the methods even where floors are missing; the page says so.
    as_json
        Print the paths as JSON.
    """
    from ecglipse.commands._report import report as verb

    made = verb(folder, out=out, without_floors=without_floors)
    more = f"; {len(made.tables)} more tables and {len(made.figures)} figures: `{made.html.parent}/results-*`"
    said = f"wrote `{made.html}`, `{made.csv}`, `{made.markdown}` and `{made.latex}`{more}"
    say(made, said, as_json=as_json)
