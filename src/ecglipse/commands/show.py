"""`show`: says what a thing is; writes one picture where it is a recording or a row of a store."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecglipse.errors import CheckpointError, EcglipseError, RecordError, StoreError

if TYPE_CHECKING:
    import numpy as np

LONGEST_S: Final = 10.0
"""Only this much of a recording is drawn, s."""


@dataclass(frozen=True)
class Shown:
    """What `show` has to say.

    Args:
        text: to print.
        picture: the file that was written, if one was.
        data: the same facts for `--json`.
    """

    text: str
    picture: Path | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def show(thing: str, *, out: Path | None = None, row: int | None = None) -> Shown:
    """Describe a recording, store, run, study, config or corpus.

    Args:
        thing: path of a recording's .hea file, of a store's, run's or study's folder, or of a TOML file; or
            the name of a corpus.
        out: where to write the picture; NAME.png in the current folder by default.
        row: row of a store to draw; none is drawn by default.

    Raises:
        EcglipseError: if it is none of these, or is damaged.
    """
    path = Path(thing)
    if path.suffix == ".hea" or path.with_name(path.name + ".hea").is_file():
        return _recording(path if path.suffix == ".hea" else path.with_name(path.name + ".hea"), out)
    if path.suffix == ".toml":
        return _config(path)
    if path.is_dir():
        for name, describe in (("study.json", _study), ("config.json", _run)):
            if (path / name).is_file():
                return describe(path)
        if (path / "manifest.json").is_file():
            return _store(path, out=out, row=row)
    return _corpus(thing)


def _json(path: Path, error: type[EcglipseError]) -> dict[str, Any]:
    """Read a JSON object; a `error` names the file and what is wrong."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise error(f"{path}: cannot be read: {fault.strerror}") from None
    except ValueError as fault:
        raise error(f"{path}: not JSON: {fault}") from None
    if not isinstance(content, dict):
        raise error(f"{path}: an object expected, {type(content).__name__} found")
    return content


def _lines(pairs: Mapping[str, object]) -> str:
    """One "name  value" a line, aligned; empty values are left out."""
    shown = {k: v for k, v in pairs.items() if v not in (None, "", [], {})}
    wide = max((len(k) for k in shown), default=0)
    return "\n".join(f"{k:<{wide}}  {v}" for k, v in shown.items())


def _counts(table: Mapping[Any, int]) -> str:
    return ", ".join(f"{k} {v:,}" for k, v in table.items())


def _draw(signal: "np.ndarray", fs: float, leads: tuple[str, ...], *, title: str, path: Path) -> str:
    """Write a picture of the first seconds; give the sentence that says so."""
    from ecglipse.report.paper import draw_ecg, to_png

    n_drawn = min(signal.shape[1], round(LONGEST_S * fs))
    if signal.shape[0] == 0 or n_drawn == 0:
        raise RecordError(f"{title}: no samples to draw", reason="empty")
    layout = "3x4+rhythm" if signal.shape[0] == 12 and n_drawn / fs >= 8 else "12x1"
    figure = draw_ecg(signal[:, :n_drawn], fs, leads=leads, title=title, layout=layout)  # type: ignore[arg-type]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_png(figure))
    except OSError as fault:
        raise EcglipseError(
            f"{path}: cannot be written: {fault.strerror}", hint="choose another place with `--out`"
        ) from None
    whole = signal.shape[1] / fs
    part = "" if n_drawn == signal.shape[1] else f", the first {n_drawn / fs:g} s of {whole:g} s"
    return f"drawn at 25 mm/s and 10 mm/mV{part}"


def _recording(path: Path, out: Path | None) -> Shown:
    import numpy as np

    from ecglipse.records.wfdb import read_wfdb

    found = read_wfdb(path)
    signal, fs, leads = np.asarray(found.signal), float(found.fs), tuple(found.leads)
    ranges: dict[str, dict[str, float | int | None]] = {}
    for lead, trace in zip(leads, signal, strict=True):
        finite = trace[np.isfinite(trace)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
        ranges[lead] = {"low_mv": low, "high_mv": high, "undefined": int(trace.size - finite.size)}
    picture = Path(f"{path.stem}.png") if out is None else out
    said = _draw(signal, fs, leads, title=path.stem, path=picture)
    seconds = signal.shape[1] / fs
    head = _lines(
        {
            "recording": path,
            "leads": f"{len(leads)}: {', '.join(leads)}",
            "rate": f"{fs:g} Hz",
            "length": f"{seconds:g} s, {signal.shape[1]} samples",
            "comments": "; ".join(str(c) for c in found.comments),
        }
    )
    table = ["lead    lowest mV  highest mV"]
    for lead, r in ranges.items():
        numbers = (
            "       n/a         n/a" if r["low_mv"] is None else f"{r['low_mv']:10.3f}  {r['high_mv']:10.3f}"
        )
        flat = "  flat" if r["low_mv"] is not None and r["low_mv"] == r["high_mv"] else ""
        gaps = f"  {r['undefined']} undefined samples" if r["undefined"] else ""
        table.append(f"{lead:<6} {numbers}{flat}{gaps}")
    data = {
        "kind": "recording",
        "path": str(path),
        "leads": list(leads),
        "fs": fs,
        "seconds": seconds,
        "ranges": ranges,
        "comments": [str(c) for c in found.comments],
        "picture": str(picture),
    }
    return Shown("\n".join([head, "", *table, "", said]), picture, data)


def _store(path: Path, *, out: Path | None, row: int | None) -> Shown:
    import pandas as pd

    manifest = _json(path / "manifest.json", StoreError)
    try:
        table = pd.read_parquet(path / "records.parquet")
    except (OSError, ValueError) as fault:
        raise StoreError(
            f"{path}: records.parquet cannot be read: {fault}", hint="see `ecglipse verify`"
        ) from None
    sexes = {str(k): int(v) for k, v in table["sex"].fillna("unknown").value_counts().items()}
    folds = {str(k): int(v) for k, v in table["fold"].dropna().value_counts().sort_index().items()}
    codes = {str(k): int(v) for k, v in table["codes"].explode().dropna().value_counts().head(10).items()}
    ages = table["age"].dropna().astype(float)
    span = f"{ages.quantile(0.25):.0f} to {ages.quantile(0.75):.0f}" if len(ages) else ""
    rejects = manifest.get("rejects", {})
    lines = {
        "store": path,
        "corpus": manifest.get("corpus"),
        "records": f"{len(table):,} of {table['patient_id'].nunique():,} patients",
        "signals": f"{len(manifest.get('leads', []))} leads, {manifest.get('fs')} Hz, {manifest.get('duration_s')} s",
        "sex": _counts(sexes),
        "age": f"{ages.median():.0f} years (median; quartiles {span}; n={len(ages):,})"
        if len(ages)
        else "unknown",
        "folds": _counts(folds) or "none",
        "codes": _counts(codes) or "none",
        "rejects": _counts(rejects) or "none",
        "processing": "; ".join(str(s) for s in manifest.get("processing", [])),
        "made": f"{manifest.get('created')}, ecglipse {manifest.get('ecglipse')}",
    }
    data: dict[str, Any] = {"kind": "store", "path": str(path), "n_records": len(table), "sexes": sexes}
    data |= {"folds": folds, "codes": codes, "rejects": rejects, "corpus": manifest.get("corpus")}
    data |= {"age_median": float(ages.median()) if len(ages) else None, "n_age": len(ages)}
    if row is None:
        return Shown(_lines(lines), None, data)
    said, picture = _store_row(path, manifest, row, out, table)
    return Shown(f"{_lines(lines)}\n\n{said}", picture, data | {"row": row})


def _store_row(
    path: Path, manifest: Mapping[str, Any], row: int, out: Path | None, table: Any
) -> tuple[str, Path]:
    """Draw one row of a store."""
    from ecglipse.store import Store

    if not 0 <= row < len(table):
        raise StoreError(f"{path}: row {row} is not there: it has rows 0 to {len(table) - 1}")
    import numpy as np

    signal = Store.open(path).millivolts(np.array([row]))[0]
    record = table.iloc[row]
    title = f"{manifest.get('corpus')} row {row}: {', '.join(record['codes'])}"
    picture = Path(f"{path.name}-{row}.png") if out is None else out
    said = _draw(signal, float(manifest["fs"]), tuple(manifest["leads"]), title=title, path=picture)
    return f"row {row}: {said}", picture


def _run(path: Path) -> Shown:
    config = _json(path / "config.json", CheckpointError)
    from ecglipse.report.gallery import read_steps

    steps = read_steps(path)
    last = steps[-1] if steps else {}
    checkpoints = sorted(p.name for p in (path / "checkpoints").glob("step-*"))
    losses = [s["loss"] for s in steps[-5:] if s.get("loss") is not None]
    lines: dict[str, object] = {
        "run": path,
        "steps": f"{last.get('step', len(steps)):,}" if steps else "none yet",
    }
    lines["last losses"] = ", ".join(f"{loss:.4f}" for loss in losses)
    lines |= {k: f"{v:.4g}" for k, v in last.items() if k not in ("step", "epoch", "loss") and v is not None}
    lines["checkpoints"] = ", ".join(checkpoints) or "none"
    lines["masks"] = "masks.npz" if (path / "masks.npz").is_file() else "none"
    data = {
        "kind": "run",
        "path": str(path),
        "config": config,
        "last_step": dict(last),
        "checkpoints": checkpoints,
    }
    return Shown(f"{_lines(lines)}\n\n{json.dumps(config, indent=1, ensure_ascii=False)}", None, data)


def _study(path: Path) -> Shown:
    from ecglipse.report.study import read_study
    from ecglipse.results import Ledger

    facts, methods = read_study(path)
    done: dict[str, int] = {}
    tasks: dict[str, int] = {}
    for line in Ledger(path).lines():
        done[line["method"]] = done.get(line["method"], 0) + 1
        tasks[line["task"]] = tasks.get(line["task"], 0) + 1
    plan = facts.get("plan")
    planned = plan.get("cells") if isinstance(plan, dict) else plan
    total = sum(done.values())
    of = f" of {planned:,}" if isinstance(planned, int) else ""
    lines = {
        "study": path,
        "name": facts.get("name"),
        "cells": f"{total:,}{of} done",
        "tasks": _counts(tasks),
    }
    wide = max((len(m.title) for m in methods), default=0)
    table = [f"{m.title:<{wide}}  {done.get(m.name, 0):>6,} cells  {m.kind}" for m in methods]
    data = {"kind": "study", "path": str(path), "cells": total, "planned": planned, "by_method": done}
    text = "\n".join([_lines(lines), "", *table, "", f"next: `ecglipse report {path}`"])
    return Shown(text, None, data | {"by_task": tasks})


def _config(path: Path) -> Shown:
    from ecglipse.config import load

    resolved = load(path).model_dump(mode="json")
    return Shown(json.dumps(resolved, indent=1, ensure_ascii=False), None, {"kind": "config", **resolved})


def _corpus(name: str) -> Shown:
    """Describe a corpus; the last thing tried, so its fault says what was tried."""
    from ecglipse import corpora

    try:
        found = corpora.get(name)
    except EcglipseError as fault:
        what = "no such file or folder, and no corpus of that name"
        if Path(name).is_dir():
            inside = "`study.json`, `config.json` or `manifest.json`"
            what = f"a folder without {inside}: no study, run or store"
        elif Path(name).exists():
            what = "a file that is neither a .hea header nor a .toml config"
        hint = fault.hint or "give a recording (.hea), a store, a run, a study, a config (.toml) or a corpus"
        raise EcglipseError(f"{name}: {what}", hint=hint) from None
    facts = {
        key: getattr(found, key, None) for key in ("name", "title", "licence", "citation", "about", "url")
    }
    kept = {k: str(v) for k, v in facts.items() if v}
    return Shown(_lines(kept), None, {"kind": "corpus", **kept})
