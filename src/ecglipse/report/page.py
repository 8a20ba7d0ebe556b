"""Writes the report: one self-contained HTML page, and beside it the same numbers as CSV and Markdown."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ecglipse.errors import EcglipseError
from ecglipse.report.export import to_csv, to_markdown
from ecglipse.report.figures import forest, game_curves, label_efficiency
from ecglipse.report.gallery import Picture, game_steps, pictures
from ecglipse.report.looks import Look, looks, swatch
from ecglipse.report.summary import summarise
from ecglipse.report.tables import FLOORS, Comparison, Group, Score, Summary, percent
from ecglipse.report.verdict import at_what, floors_on_top, setting_title, signed, verdict


@dataclass(frozen=True)
class Written:
    """Where a report lies."""

    html: Path
    csv: Path
    markdown: Path


def write_report(folder: Path, out: Path | None = None) -> Written:
    """Write `report.html`, `results.csv` and `results.md` of a study.

    Args:
        folder: of the study: `study.json`, `results.jsonl`, `predictions/`, and `runs/` if there are any.
        out: a folder for the three files, or the page's own path, ending in .html; by default the study's folder.

    Raises:
        LedgerError: the study or its ledger is missing or damaged.
        EcglipseError: the files cannot be written.
    """
    summary = summarise(folder)
    place = folder if out is None else out
    page = place if place.suffix.lower() in (".html", ".htm") else place / "report.html"
    written = Written(page, page.parent / "results.csv", page.parent / "results.md")
    texts = {
        written.html: render(summary, folder, written),
        written.csv: to_csv(summary),
        written.markdown: to_markdown(summary),
    }
    for path, text in texts.items():
        _write(path, text)
    return written


def _write(path: Path, text: str) -> None:
    """Write beside the place, then move there in one step: nobody ever sees half a page."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EcglipseError(
            f"{path}: cannot be written: {error.strerror}", hint="choose another place with `--out`"
        ) from None


def render(summary: Summary, folder: Path, written: Written) -> str:
    """Give the page as text; `folder` is read for pictures and steps of the runs."""
    look = looks(summary)
    gallery, faults = pictures(folder, summary)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"percent": percent, "signed": signed, "p": _p, "number": _number}
    template = environment.from_string(files("ecglipse.report").joinpath("page.html.j2").read_text("utf-8"))
    sentences = verdict(summary)
    n_main = max(1, sum(summary.twin(m.name) is not None for m in summary.candidates()[:2]))
    game = game_curves(game_steps(folder, summary), look, name="game")
    return template.render(
        s=summary,
        marks={m.name: {"letter": look[m.name].letter, "swatch": Markup(swatch(look[m.name], m))} for m in summary.methods},
        compared=_compared(summary),
        where=at_what(summary) or "Verdict",
        headline=sentences[:n_main],
        supporting=sentences[n_main:] + floors_on_top(summary),
        banners=_banners(summary),
        settings=[_setting(summary, look, number) for number in range(len(summary.settings))],
        classes=_classes(summary),
        spreads=[s for s in summary.scores if (s.group.probe, s.group.validation) == summary.settings[0] and s.n_cells]
        if summary.settings
        else [],
        gallery=_by_record(gallery),
        gallery_faults=faults,
        game=Markup(game) if game else None,
        provenance=_provenance(summary),
        config=json.dumps(summary.facts.get("config"), indent=1, ensure_ascii=False)
        if summary.facts.get("config")
        else "",
        csv_name=written.csv.name,
        markdown_name=written.markdown.name,
    )


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"


def _p(value: float | None) -> str:
    return "n/a" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _store(summary: Summary) -> Mapping[str, Any]:
    store = summary.facts.get("store")
    return store if isinstance(store, dict) else {}


def _compared(summary: Summary) -> str:
    """Say in one sentence what was compared, on what."""
    store = _store(summary)
    seeds = max((s.n_seeds for s in summary.scores), default=0)
    draws = max((s.n_draws for s in summary.scores), default=0)
    text = f"{_count(len(summary.methods), 'method')} on {_count(len(summary.tasks), 'task')}"
    if summary.tasks:
        text += f" ({', '.join(summary.tasks)})"
    if summary.fractions:
        text += f", with {', '.join(percent(f) for f in summary.fractions)} of the labels"
    text += f"; {_count(seeds, 'pretraining seed')}, up to {_count(draws, 'draw')} of labels."
    if isinstance(store.get("n_records"), int) and isinstance(store.get("n_patients"), int):
        text += f" Recordings: {store.get('corpus', 'unknown')}, {_count(store['n_records'], 'record')}"
        text += f" of {_count(store['n_patients'], 'patient')}"
        if "fs" in store and "duration_s" in store:
            text += f", {store['fs']:g} Hz, {store['duration_s']:g} s"
        text += "."
    return text


def _banners(summary: Summary) -> list[str]:
    found = []
    if summary.synthetic:
        found.append(
            "Synthetic data: these recordings come from a simulator. Nothing on this page is clinical evidence."
        )
    if summary.missing_floors:
        found.append(
            f"Floors missing: {', '.join(summary.missing_floors)}. Without them nobody can tell how much of a "
            "score comes from pretraining at all."
        )
    return found


def _setting(summary: Summary, look: Mapping[str, Look], number: int) -> dict[str, Any]:
    """Gather what the template shows of one probe and validation."""
    probe, validation = summary.settings[number]
    here = {"probe": probe, "validation": validation}
    groups = [Group(t, probe, validation, f) for t in summary.tasks for f in summary.fractions]
    best = {}
    for group in groups:
        means = [s.mean for m in summary.methods if (s := summary.score(group, m.name)).mean is not None]
        best[group] = max(means, default=None)
    rows = []
    for method in summary.methods:
        cells = []
        for group in groups:
            score = summary.score(group, method.name)
            cells.append(
                {
                    "score": score,
                    "first": group.fraction == summary.fractions[0],
                    "best": score.mean is not None and score.mean == best[group],
                    "why": score.note.removeprefix("n/a").lstrip(", "),
                }
            )
        if any(c["score"].n_cells for c in cells):  # type: ignore[attr-defined]
            rows.append({"method": method, "floor": method.kind in FLOORS, "cells": cells})
    plot = forest(summary, look, **here, name=f"forest{number}")
    names = {m.name for m in summary.candidates()}
    mine = [c for c in summary.comparisons if (c.group.probe, c.group.validation) == (probe, validation)]
    return {
        "title": setting_title(probe, validation),
        "efficiency": Markup(label_efficiency(summary, look, **here, name=f"efficiency{number}")),
        "forest": Markup(plot) if plot else None,
        "rows": rows,
        "comparisons": _ordered(mine, names),
        "counts": _counts([summary.score(g, m.name) for g in groups for m in summary.methods]),
    }


def _ordered(comparisons: list[Comparison], first: set[str]) -> list[Comparison]:
    """Candidates before others, twins before other baselines; otherwise as they stand."""
    return sorted(comparisons, key=lambda c: (c.method not in first, not c.twin))


def _counts(scores: list[Score]) -> str:
    """Say how many cells, seeds and records the numbers of a table rest on."""
    done = [s for s in scores if s.mean is not None]
    if not done:
        return "No number yet."

    def span(values: list[int]) -> str:
        return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"

    return (
        f"Each number is the mean over {span([s.n_seeds for s in done])} seeds, {span([s.n_draws for s in done])} "
        f"label draws and {span([s.n_rotations for s in done])} test sets; "
        f"{span([s.n_test for s in done])} test records."
    )


def _classes(summary: Summary) -> list[dict[str, Any]]:
    """Gather the table of classes of each task, at the headline's probe."""
    if not summary.settings:
        return []
    mine = [k for k in summary.classes if (k.group.probe, k.group.validation) == summary.settings[0]]
    value = {(k.group.task, k.group.fraction, k.method, k.label): k.auroc for k in mine}
    tables = []
    for task in summary.tasks:
        labels = list({k.label: k for k in mine if k.group.task == task}.values())
        rows = []
        for method in summary.methods:
            cells = [
                {"value": value.get((task, f, method.name, k.label)), "first": f == summary.fractions[0]}
                for k in labels
                for f in summary.fractions
            ]
            if any(c["value"] is not None for c in cells):
                rows.append({"method": method, "floor": method.kind in FLOORS, "cells": cells})
        if rows:
            tables.append({"task": task, "labels": labels, "rows": rows})
    return tables


def _by_record(gallery: list[Picture]) -> list[dict[str, Any]]:
    titles = dict.fromkeys(p.record for p in gallery)
    return [{"title": t, "pictures": [p for p in gallery if p.record == t]} for t in titles]


def _provenance(summary: Summary) -> list[tuple[str, str]]:
    """Gather what a reader needs to repeat or to doubt the study: hashes, commit, versions, hardware, times."""
    facts, store = summary.facts, _store(summary)
    own = facts.get("provenance")
    own = own if isinstance(own, dict) else {}
    reads = facts.get("test_reads")
    lines: list[tuple[str, Any]] = [
        ("config hash", facts.get("config_hash")),
        ("store digest", store.get("digest")),
        *((name, own.get(name, summary.hardware.get(name))) for name in ("commit", "versions", "hardware")),
        *((name, own.get(name)) for name in ("started", "finished")),
        ("duration", _duration(own.get("seconds"))),
        ("cells in the ledger", summary.hardware.get("cells")),
        ("cell time", _duration(summary.hardware.get("seconds"))),
        ("test set read", reads),
    ]
    return [(name, _say(value)) for name, value in lines if value not in (None, "", {}, [])]


def _duration(seconds: object) -> str | None:
    if not isinstance(seconds, int | float):
        return None
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s" if minutes else f"{seconds:.1f} s"


def _say(value: object) -> str:
    """Give nested facts as one line of text."""
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {_say(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_say(v) for v in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and value >= 10000 else str(value)
