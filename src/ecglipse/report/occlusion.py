"""Writes what masks hide: a self-contained HTML page, and the same numbers as JSON and as a table."""

import base64
import csv
import io
import json
import re
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from ecglipse.occlusion import BandShare, Enrichment, Findings
from ecglipse.report.band_pictures import BandMasks, draw_band_masks, share_forest
from ecglipse.report.export import plain
from ecglipse.report.gallery import LONGEST_S, Masks
from ecglipse.report.occlusion_figures import enrichment_forest, lead_map
from ecglipse.report.occlusion_words import SURE, cautions, p_text, words
from ecglipse.report.page import write_text
from ecglipse.report.paper import draw_mask_probability, to_png

__all__ = ["WrittenFindings", "render_findings", "words", "write_findings"]


@dataclass(frozen=True)
class WrittenFindings:
    """Where the findings lie."""

    html: Path
    json: Path
    csv: Path


@dataclass(frozen=True)
class Picture:
    """One record under masks, as a PNG data URI."""

    record: str
    uri: str
    alt: str
    width: int
    """CSS pixels at which the paper has its true size."""


def write_findings(findings: Findings, gallery: Masks | BandMasks, folder: Path) -> WrittenFindings:
    """Write `masks.html`, `masks.json` and `masks.csv`; of masks over bands, `bands.csv` too.

    Args:
        findings: all that was measured.
        gallery: a few records with their masks, to be drawn.
        folder: to write to.

    Raises:
        EcglipseError: the files cannot be written.
    """
    written = WrittenFindings(*(folder / f"masks.{end}" for end in ("html", "json", "csv")))
    write_text(
        written.json, json.dumps(findings.plain(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    write_text(written.csv, to_csv(findings.enrichments))
    if findings.bands:
        write_text(folder / "bands.csv", to_csv(findings.bands))
    write_text(written.html, render_findings(findings, gallery, written))
    return written


def to_csv(rows: tuple[Enrichment, ...] | tuple[BandShare, ...]) -> str:
    """Give rows as a table, as one a group, lead or band, and region; what is undefined is empty."""
    out = io.StringIO()
    names = list((type(rows[0]) if rows else Enrichment).__dataclass_fields__)
    table = csv.DictWriter(out, names, lineterminator="\n")
    table.writeheader()
    for row in rows:
        cells = asdict(row)
        if isinstance(row, Enrichment):
            cells |= {"lead": row.lead or "all", "band": row.band or "all"}
        undefined = [name for name, cell in cells.items() if isinstance(cell, float) and np.isnan(cell)]
        table.writerow({name: plain(cell) for name, cell in (cells | dict.fromkeys(undefined, "")).items()})
    return out.getvalue()


def render_findings(findings: Findings, gallery: Masks | BandMasks, written: WrittenFindings) -> str:
    """Give the page as text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"p": p_text, "number": _number}
    template = environment.from_string(_read("occlusion.html.j2"))
    main, more = words(findings)
    grouped = [row for name in ("all", *findings.groups) for row in findings.overall(name)]
    return template.render(
        f=findings,
        style=Markup(page_style()),
        headline=main,
        supporting=more,
        banners=_banners(findings),
        overall=findings.overall(),
        sure=SURE,
        forest=_svg(enrichment_forest(findings.overall(), name="forest")),
        by_group=_svg(enrichment_forest(grouped, name="groups")) if findings.groups else None,
        leads=_svg(lead_map(findings, name="leads")),
        grouped=grouped,
        shares=_svg(share_forest(findings.bands, name="bands")),
        arms=_arm_titles(),
        pictures=[
            _band_picture(gallery, row) if isinstance(gallery, BandMasks) else _picture(gallery, row)
            for row in range(len(gallery.titles))
        ],
        cautions=cautions(findings),
        json_name=written.json.name,
        csv_name=written.csv.name,
    )


def page_style() -> str:
    """The style of the report's page, which this page shares."""
    found = re.search(r"<style>(.*?)</style>", _read("page.html.j2"), flags=re.S)
    return found[1] if found else ""


def _read(name: str) -> str:
    return files("ecglipse.report").joinpath(name).read_text("utf-8")


def _svg(text: str | None) -> Markup | None:
    return Markup(text) if text else None


def _number(value: float, digits: int = 2) -> str:
    return "n/a" if np.isnan(value) else f"{value:.{digits}f}"


def _arm_titles() -> dict[str, str]:
    return {
        "none": "nothing hidden",
        "learned": "these masks",
        "random": "random masks of the same form",
        "shifted": "these masks, at a random place of the record",
    }


def _banners(findings: Findings) -> list[str]:
    found = []
    if findings.synthetic:
        found.append(
            "Synthetic data: these recordings come from a simulator; nothing here is clinical evidence."
        )
    if findings.control:
        found.append("A control: chance decides where these masks lie, so nothing should be found.")
    return found


def _picture(gallery: Masks, row: int) -> Picture:
    """One record with one draw of its mask, and how often each sample is hidden."""
    end = round(LONGEST_S * gallery.fs)
    mask, probability = gallery.mask[row, :, :end], gallery.probability[row, :, :end]
    title = f"Record {row + 1}: {gallery.titles[row]}"
    figure = draw_mask_probability(
        gallery.signal[row, :, :end],
        gallery.fs,
        probability,
        leads=gallery.leads,
        title=title,
        mask=mask.astype(np.float32),
    )
    uri = "data:image/png;base64," + base64.b64encode(to_png(figure)).decode()
    alt = (
        f"ECG on paper, 25 mm/s, 10 mm/mV. {title}. {mask.mean():.0%} hidden in this draw; a sample is "
        f"hidden in {probability.min():.0%} to {probability.max():.0%} of all draws"
    )
    return Picture(title, uri, alt, round(figure.get_figwidth() * 96))


def _band_picture(gallery: BandMasks, row: int) -> Picture:
    """One record's lead, as it is and under one draw, and how often each cell is hidden."""
    title = f"Record {row + 1}: {gallery.titles[row]}"
    figure = draw_band_masks(gallery, row, title=title)
    uri = "data:image/png;base64," + base64.b64encode(to_png(figure)).decode()
    shares = gallery.probability[row].mean(axis=1)
    said = ", ".join(f"{band} {share:.0%}" for band, share in zip(gallery.bands, shares, strict=True))
    alt = f"ECG, lead {gallery.lead}. {title}. Share of draws in which each band is hidden: {said}"
    return Picture(title, uri, alt, round(figure.get_figwidth() * 96))
