"""What a store, run, study, config or corpus is, as text and plain values; draws signals. Writes pictures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecglipse.errors import CheckpointError, EcglipseError, RecordError, StoreError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecglipse.report.sheet import Layout

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


def lines_of(pairs: Mapping[str, object]) -> str:
    """One "name  value" a line, aligned; empty values are left out."""
    shown = {k: v for k, v in pairs.items() if v not in (None, "", [], {})}
    wide = max((len(k) for k in shown), default=0)
    return "\n".join(f"{k:<{wide}}  {v}" for k, v in shown.items())


def _counts(table: Mapping[Any, int]) -> str:
    return ", ".join(f"{k} {v:,}" for k, v in table.items())


def draw(signal: "np.ndarray", fs: float, leads: tuple[str, ...], *, title: str, path: Path) -> str:
    """Write a picture of the first seconds; give the sentence that says so."""
    from ecglipse.report.paper import draw_ecg, to_png

    n_drawn = min(signal.shape[1], round(LONGEST_S * fs))
    if signal.shape[0] == 0 or n_drawn == 0:
        raise RecordError(f"{title}: no samples to draw", reason="empty")
    layout: Layout = "3x4+rhythm" if signal.shape[0] == 12 and n_drawn / fs >= 8 else "12x1"
    figure = draw_ecg(signal[:, :n_drawn], fs, leads=leads, title=title, layout=layout)
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


def store(path: Path, *, out: Path | None, row: int | None) -> Shown:
    from ecglipse.store import Store

    store = Store.open(path)
    about, table = store.manifest, store.table
    sexes = _tally(table["sex"].fillna("unknown"))
    folds = dict(sorted(_tally(table["fold"].dropna()).items(), key=lambda item: int(item[0])))
    codes = dict(list(_tally(table["codes"].explode().dropna()).items())[:10])
    ages = table["age"].dropna().astype(float)
    age = "unknown"
    if len(ages):
        low, middle, high = (f"{ages.quantile(q):.0f}" for q in (0.25, 0.5, 0.75))
        age = f"{middle} years (median; quartiles {low} to {high}; n={len(ages):,})"
    n_patients = int(table["patient_id"].nunique())
    lines = {
        "store": path,
        "corpus": about.corpus,
        "records": f"{len(table):,} of {n_patients:,} patients",
        "signals": f"{len(about.leads)} leads, {about.fs:g} Hz, {about.duration_s:g} s",
        "sex": _counts(sexes),
        "age": age,
        "folds": _counts(folds) or "none",
        "codes": _counts(codes) or "none",
        "rejects": _counts(about.rejects) or "none",
        "processing": "; ".join(about.processing),
        "digest": store.digest,
        "made": f"{about.created}, ecglipse {about.ecglipse}",
    }
    data: dict[str, Any] = {
        "kind": "store",
        "path": str(path),
        "corpus": about.corpus,
        "digest": store.digest,
    }
    data |= {
        "n_records": len(table),
        "n_patients": n_patients,
        "fs": about.fs,
        "duration_s": about.duration_s,
    }
    data |= {"sexes": sexes, "folds": folds, "codes": codes, "rejects": dict(about.rejects)}
    data |= {"age_median": float(ages.median()) if len(ages) else None, "n_age": len(ages)}
    if row is None:
        return Shown(lines_of(lines), None, data)
    if not 0 <= row < len(table):
        raise StoreError(f"{path}: row {row} is not there", hint=f"it has rows 0 to {len(table) - 1}")
    import numpy as np

    title = f"{about.corpus}, row {row}: {', '.join(table.iloc[row]['codes'])}"
    picture = Path(f"{path.resolve().name}-{row}.png") if out is None else out
    said = draw(store.millivolts(np.array([row]))[0], about.fs, about.leads, title=title, path=picture)
    text = f"{lines_of(lines)}\n\nrow {row}: {said}"
    return Shown(text, picture, data | {"row": row, "picture": str(picture)})


def _tally(column: "pd.Series[Any]") -> dict[str, int]:
    """Count values, the most frequent first."""
    return {str(k): int(v) for k, v in column.value_counts().items()}


def run(path: Path) -> Shown:
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
    return Shown(f"{lines_of(lines)}\n\n{json.dumps(config, indent=1, ensure_ascii=False)}", None, data)


def study(path: Path) -> Shown:
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
    text = "\n".join([lines_of(lines), "", *table, "", f"next: `ecglipse report {path}`"])
    return Shown(text, None, data | {"by_task": tasks})


def config(path: Path) -> Shown:
    from ecglipse.config import load

    resolved = load(path).model_dump(mode="json")
    return Shown(json.dumps(resolved, indent=1, ensure_ascii=False), None, {"kind": "config", **resolved})


def corpus(name: str) -> Shown:
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
    from ecglipse.fetch import ARCHIVES
    from ecglipse.leaks import known_overlaps

    facts = {key: getattr(found, key) for key in ("name", "title", "licence", "citation", "about")}
    archives = [
        f"`ecglipse fetch {archive.name} FOLDER` (version {archive.version})"
        for archive in ARCHIVES.values()
        if archive.name in (found.name, *_PARTS.get(found.name, ()))
    ]
    overlaps = [f"{o.one} and {o.other}: {o.what}" for o in known_overlaps([found.name])]
    facts |= {"fetch": "; ".join(archives), "overlaps": "; ".join(overlaps), "tasks": _TASKS.get(name, "")}
    kept = {k: str(v) for k, v in facts.items() if v}
    return Shown(lines_of(kept), None, {"kind": "corpus", **kept})


_PARTS = {"cinc": ("cinc2020", "cinc2021")}
"""Archives that one reader is for."""

_TASKS = {
    "ptbxl": "sex, age, superclass (5 classes), subclass (23), diagnostic (44), form (19), rhythm (5, one of "
    "them), rhythm-statements (12), all (71), statements (those of 71 with 40 records and more)",
    "cinc": "sex, rhythm (4 classes), cinc2020-scored (24), cinc2021-scored (26), cinc2020-19, cinc2021-21",
    "cpsc2018": "sex, rhythm (4 classes), cinc2020-scored, cinc2021-scored",
    "georgia": "sex, rhythm (4 classes), cinc2020-scored, cinc2021-scored",
    "ningbo": "sex, rhythm (4 classes), cinc2021-scored",
    "chapman": "sex, rhythm (4 groups: AFIB, GSVT, SB, SR)",
    "ludb": "sex; waves marked by hand",
    "code15": "sex, code15 (6 classes)",
    "samitrop": "sex, and tasks of your own in the config ([tasks.NAME])",
    "mimic-iv-ecg": "tasks of your own in the config ([tasks.NAME]), by the machine's statements",
    "own": "sex, and tasks of your own in the config ([tasks.NAME])",
    "wfdb": "sex, and tasks of your own in the config ([tasks.NAME])",
}
"""What can be learnt from a corpus, in the words of `transfer.tasks`."""


def corpora() -> Shown:
    """List the corpora that `prepare` reads and those that `fetch` brings."""
    from ecglipse.corpora import CORPORA
    from ecglipse.fetch import ARCHIVES

    read = {name: held.title for name, held in CORPORA.items()}
    brought = {name: archive.version for name, archive in ARCHIVES.items()}
    text = (
        lines_of(read)
        + "\n\n"
        + "`ecglipse fetch` brings "
        + ", ".join(f"{name} {version}" for name, version in brought.items())
    )
    return Shown(text, None, {"kind": "corpora", "read": read, "fetched": brought})
