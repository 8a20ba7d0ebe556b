"""Writes the report: one self-contained HTML page, and its numbers as CSV, Markdown and LaTeX."""

import contextlib
import functools
import json
import os
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from ecglipse.errors import EcglipseError
from ecglipse.report import content, details, mask_tables, paper_svg
from ecglipse.report.export import to_csv
from ecglipse.report.figures import game_curves
from ecglipse.report.gallery import game_steps, pictures
from ecglipse.report.latex import to_latex
from ecglipse.report.latex_tables import latex_tables
from ecglipse.report.looks import looks, markers, styles, swatch
from ecglipse.report.markdown import to_markdown
from ecglipse.report.scores import percent
from ecglipse.report.standalone import standalone
from ecglipse.report.summarise import summarise
from ecglipse.report.summary import Summary
from ecglipse.report.transductive import sentence
from ecglipse.report.verdict import SENTENCES, at_what, floors_on_top, shown_fractions, signed, verdict


@dataclass(frozen=True)
class Written:
    """Where a report lies."""

    html: Path
    csv: Path
    markdown: Path
    latex: Path
    tables: tuple[Path, ...] = ()
    """Of LaTeX, beside scores and differences: `results-NAME.tex`."""
    figures: tuple[Path, ...] = ()
    """Of the page, as files of their own: `results-NAME.svg`."""


def write_report(folder: Path, out: Path | None = None, *, without_floors: bool = False) -> Written:
    """Write the page, `results.csv`, `.md`, `.tex`, `results-NAME.tex` and `results-NAME.svg` of a study.

    Args:
        folder: of the study: `study.json`, `results.jsonl`, `predictions/`, and `runs/` if there are any.
        out: a folder for the files, or the page's own path, ending in .html; by default `folder`.
        without_floors: rank the methods even where floors are missing; the page says so.

    Raises:
        LedgerError: the study or its ledger is missing or damaged.
        EcglipseError: the files cannot be written.
    """
    return write_summary(summarise(folder, without_floors=without_floors), folder, out or folder)


def write_summary(summary: Summary, folder: Path, place: Path) -> Written:
    """Write the files of a summary; see `write_report`.

    Args:
        summary: of the study.
        folder: of the study; read for pictures and steps of the runs.
        place: a folder for the files, or the page's own path, ending in .html.

    Raises:
        EcglipseError: the files cannot be written.
    """
    page = place if place.suffix.lower() in (".html", ".htm") else place / "report.html"
    near = page.parent
    tables = {near / f"results-{name}.tex": text for name, text in latex_tables(summary).items()}
    csv, markdown, latex = (near / f"results.{kind}" for kind in ("csv", "md", "tex"))
    written = Written(page, csv, markdown, latex, tuple(tables))
    html = render(summary, folder, written)
    look = looks(summary)
    drawn = standalone(html, {m.title: look[m.name] for m in summary.methods})
    figures = {near / f"results-{name}.svg": text for name, text in drawn.items()}
    texts = {
        written.html: html,
        written.csv: to_csv(summary),
        written.markdown: to_markdown(summary),
        written.latex: to_latex(summary),
        **tables,
        **figures,
    }
    for path, text in texts.items():
        write_text(path, text)
    return replace(written, figures=tuple(figures))


def write_text(path: Path, text: str) -> None:
    """Write beside the place, then move there in one step: nobody ever sees half a page."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise EcglipseError(
            f"{path}: cannot be written: {error.strerror}", hint="choose another place with `--out`"
        ) from None


@functools.cache
def _template() -> jinja2.Template:
    """The page without its numbers; compiled once."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {
        "percent": percent,
        "signed": signed,
        "p": content.p_value,
        "number": details.number,
        "role": content.role_of,
        "bins": content.bins_of,
    }
    return environment.from_string(files("ecglipse.report").joinpath("page.html.j2").read_text("utf-8"))


def render(summary: Summary, folder: Path, written: Written) -> str:
    """Give the page as text; `folder` is read for pictures and steps of the runs."""
    look = looks(summary)
    gallery, faults = pictures(folder, summary)
    main, more = verdict(summary)
    config = summary.facts.get("config")
    steps = game_steps(folder, summary)
    game = game_curves(steps, look)
    return _template().render(
        s=summary,
        marks={
            m.name: {"letter": look[m.name].letter, "swatch": Markup(swatch(look[m.name]))}
            for m in summary.methods
        },
        looks=Markup(styles(look) + paper_svg.styles()),
        defs=Markup(markers() + paper_svg.HATCH),
        compared=content.compared(summary),
        where=at_what(summary) or "Verdict",
        headline=main,
        supporting=more[:SENTENCES] + floors_on_top(summary),
        rest=more[SENTENCES:],
        banners=content.banners(summary),
        settings=[content.setting(summary, look, number) for number in range(len(summary.settings))],
        shown=shown_fractions(summary),
        seen=sentence(summary.facts, {m.name: m.title for m in summary.methods}),
        seeds=details.seeds(summary),
        classes=details.classes(summary),
        measures=details.other_measures(summary),
        calibration=content.calibration(summary, look),
        gaps=details.gap_rows(summary),
        ladders=content.ladders(summary),
        spreads=details.spreads(summary),
        gallery=content.by_record(gallery),
        gallery_faults=[*faults, *summary.mask_faults, *summary.wave_faults],
        matched=mask_tables.matched_rows(summary, steps),
        waves=mask_tables.wave_rows(summary),
        wave_parts=mask_tables.wave_parts(summary),
        run_names=mask_tables.run_names(summary),
        costs=mask_tables.cost_rows(summary),
        arms=mask_tables.ARMS,
        game=Markup(game) if game else None,
        provenance=content.provenance(summary),
        config=json.dumps(config, indent=1, ensure_ascii=False) if config else "",
        csv_name=written.csv.name,
        markdown_name=written.markdown.name,
        latex_name=written.latex.name,
    )
