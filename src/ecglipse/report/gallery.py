"""Pictures of what masks hide, and the steps of each run. Reads a study's runs, writes nothing."""

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8
from markupsafe import Markup

from ecglipse.errors import EcglipseError
from ecglipse.report.figures import Steps
from ecglipse.report.methods import Method
from ecglipse.report.paper_svg import recording, sheet_of, under_mask
from ecglipse.report.summary import Summary

LONGEST_S: Final = 10.0
"""Only this much of a record is drawn, s."""


@dataclass(frozen=True)
class Masks:
    """`masks.npz` of a run: what its policy does to some records; see docs/architecture.md."""

    signal: Float[np.ndarray, "record lead time"]
    mask: UInt8[np.ndarray, "record lead time"]
    probability: Float[np.ndarray, "record lead time"]
    fs: float
    leads: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """One record under one method's masks, as inline SVG; the first of a record brings its traces along."""

    record: str
    method: str
    svg: Markup


def read_masks(path: Path) -> Masks:
    """Read `masks.npz` of a run.

    Raises:
        EcglipseError: the file is damaged, or its arrays do not fit each other.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            signal = np.asarray(file["signal"], np.float32)
            mask, probability = (
                np.asarray(file["mask"], np.uint8),
                np.asarray(file["probability"], np.float32),
            )
            fs = float(file["fs"])
            leads, titles = (tuple(str(x) for x in file[key]) for key in ("leads", "titles"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise EcglipseError(f"{path}: not a file of masks: {error}") from None
    fits = signal.ndim == 3 and signal.shape == mask.shape == probability.shape
    fits = fits and signal.shape[0] == len(titles) and signal.shape[1] == len(leads) and fs > 0
    if not fits:
        shapes = f"signal {signal.shape}, mask {mask.shape}, probability {probability.shape}"
        raise EcglipseError(
            f"{path}: arrays do not fit each other: {shapes}, {len(leads)} leads, {len(titles)} titles"
        )
    return Masks(signal, mask, probability, fs, leads, titles)


def run_folder(folder: Path, method: Method) -> list[Path]:
    """Give the folders of a method's runs that exist, by seed; a name that is a path is left out."""
    names = [
        name
        for _, name in sorted(method.runs.items())
        if name[:1] not in ("", ".") and Path(name).name == name
    ]
    return [path for name in names if (path := folder / "runs" / name).is_dir()]


def shown_methods(summary: Summary) -> list[Method]:
    """Give the methods whose masks are shown: a candidate, its random twin, and another candidate."""
    chosen = list(summary.candidates()[:2])
    twins = [twin for m in chosen if (twin := summary.twin(m.name)) is not None]
    return chosen[:1] + twins[:1] + chosen[1:]


def pictures(folder: Path, summary: Summary, *, records: int = 2) -> tuple[list[Picture], list[str]]:
    """Draw the same records under the masks of a few methods; also say what could not be drawn.

    Args:
        folder: of the study.
        summary: of the study.
        records: how many records, each drawn once a method.
    """
    found: list[tuple[Method, Masks]] = []
    faults: list[str] = []
    for method in shown_methods(summary):
        paths = [p for run in run_folder(folder, method) if (p := run / "masks.npz").is_file()]
        if paths:
            try:
                found.append((method, read_masks(paths[0])))
            except EcglipseError as error:
                faults.append(f"No picture of {method.title}: {error.message}")
    drawn: list[Picture] = []
    for row in range(min(records, len(found[0][1].titles))) if found else ():
        first = found[0][1]
        same = [
            (method, masks)
            for method, masks in found
            if row < len(masks.titles)
            and np.array_equal(masks.signal[row], first.signal[row], equal_nan=True)
        ]
        drawn += _pictures(same, row)
    return drawn, faults


def _pictures(found: list[tuple[Method, Masks]], row: int) -> list[Picture]:
    """Draw one record with one draw of each method's mask, and how often each sample is hidden."""
    fs, leads = found[0][1].fs, found[0][1].leads
    end = round(LONGEST_S * fs)
    signal = found[0][1].signal[row, :, :end]
    sheet, name = sheet_of(signal, fs), f"ecg{row}"
    traces = recording(signal, fs, sheet, leads=leads, name=name)
    record = f"Record {row + 1}: {found[0][1].titles[row]}"
    made: list[Picture] = []
    for method, masks in found:
        hidden = masks.mask[row, :, :end] > 0
        label = (
            f"12-lead ECG on paper. {record}. Masks: {method.title}; {hidden.mean():.0%} hidden in this "
            f"draw. Share of draws in which a sample is hidden, by lead: {_by_lead(masks, row)}"
        )
        title = f"{record}   ·   {method.title}"
        shown = masks.probability[row, :, :end]
        drawn = under_mask(name, sheet, fs, hidden, shown, title=title, label=label)
        made.append(Picture(record, method.name, Markup(("" if made else traces) + drawn)))
    return made


def _by_lead(masks: Masks, row: int) -> str:
    means = masks.probability[row].mean(axis=1)
    return ", ".join(f"{lead} {mean:.0%}" for lead, mean in zip(masks.leads, means, strict=True))


def read_steps(run: Path) -> Steps:
    """Read `steps.jsonl` of a run up to the first damaged line, such as one cut short by a kill."""
    path = run / "steps.jsonl"
    steps: list[dict[str, float | int | None]] = []
    if not path.is_file():
        return steps
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            step = json.loads(line)
        except ValueError:
            break
        if isinstance(step, dict):
            numbers = {
                k: v for k, v in step.items() if isinstance(v, int | float) and not isinstance(v, bool)
            }
            steps.append(dict(numbers))
    return steps


def game_steps(folder: Path, summary: Summary) -> dict[str, list[Steps]]:
    """Give the steps of every pretrained method's runs that have any."""
    found: dict[str, list[Steps]] = {}
    for method in summary.methods:
        many = [steps for run in run_folder(folder, method) if (steps := read_steps(run))]
        if many and method.kind == "pretrained":
            found[method.name] = many
    return found
