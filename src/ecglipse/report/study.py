"""Reads `study.json`: a study's facts and its methods; see docs/architecture.md. Writes nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ecglipse.errors import LedgerError
from ecglipse.report.methods import SEEDLESS, Method
from ecglipse.report.transductive import WORD, transductive

HINT: Final = "give the folder that `ecglipse study` wrote, with `study.json` in it"


def read_study(folder: Path) -> tuple[dict[str, Any], tuple[Method, ...]]:
    """Give `study.json` as read, and its methods; titles say which are transductive.

    Raises:
        LedgerError: the file is missing or damaged, or a method has no name or has another's.
    """
    path = folder / "study.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LedgerError(f"{path}: no such file", hint=HINT) from None
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path}: not readable as JSON: {error}", hint=HINT) from None
    if not isinstance(facts, dict) or not isinstance(facts.get("methods"), list):
        raise LedgerError(f"{path}: an object with a list `methods` expected", hint=HINT)
    methods = tuple(_method(entry, path) for entry in facts["methods"])
    names = [m.name for m in methods]
    if len(set(names)) < len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise LedgerError(f"{path}: methods named twice: {', '.join(twice)}")
    own = [m.baseline for m in methods if m.baseline]
    strangers = [b for b in (*baselines(facts), *own) if b not in names]
    if strangers:
        raise LedgerError(f"{path}: `baselines` names methods that are not there: {', '.join(strangers)}")
    seen = transductive(facts)
    return facts, tuple(replace(m, title=f"{m.title} ({WORD})") if m.name in seen else m for m in methods)


def baselines(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the names of the methods that differences are taken to."""
    found = facts.get("baselines")
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


def _method(entry: object, path: Path) -> Method:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise LedgerError(f"{path}: each of `methods` needs a `name`; got {entry!r:.80}")
    runs = entry.get("runs")
    mix = entry.get("mix_shared")
    return Method(
        name=entry["name"],
        title=str(entry.get("title") or entry["name"]),
        kind=str(entry.get("kind") or "pretrained"),
        masks=str(entry.get("masks") or "none"),
        leads=str(entry.get("leads") or "shared"),
        mix=float(mix) if isinstance(mix, int | float) else 0.0,
        views=str(entry.get("views") or "base"),
        domain=str(entry.get("domain") or "time"),
        network=str(entry.get("network") or "learning"),
        choice=str(entry.get("choice") or "drawn"),
        plays=(str(entry.get("objective") or ""), str(entry.get("pairs") or "")),
        baseline=str(entry.get("baseline") or ""),
        settings=dict(entry["set"]) if isinstance(entry.get("set"), dict) else {},
        runs={str(k): str(v) for k, v in runs.items() if v} if isinstance(runs, dict) else {},
    )


def replicates(facts: Mapping[str, Any]) -> int:
    """Give the number of bootstrap resamples that the study asks for; 1000 where it says nothing."""
    asked = facts.get("replicates")
    return asked if isinstance(asked, int) and asked > 0 else 1000


def planned(facts: Mapping[str, Any], method: Method, probe: str, fraction: float) -> tuple[int, int] | None:
    """Give how many encoders and label draws a method is to have at a probe and fraction; None if unknown.

    As in `ecglipse.study.plan.cells`: all labels are one draw, fine-tuning takes the first few,
    and floors in which nothing is drawn have one seed.
    """
    config = facts.get("config")
    splits = facts.get("rotations") or facts.get("splits")
    try:
        rule, seeds = config["transfer"], config["study"]["seeds"]  # type: ignore[index]
        draws = 1 if fraction == 1.0 else int(rule["draws"])
        if probe == "finetune" and fraction not in (rule.get("finetune_fractions") or [fraction]):
            return None
        if probe == "finetune" and fraction != 1.0:
            draws = min(draws, int(rule["finetune_draws"]))
        n_seeds = 1 if method.kind in SEEDLESS else len(seeds)
        return n_seeds * (len(splits) if isinstance(splits, list) and splits else 1), draws
    except (TypeError, KeyError, ValueError):
        return None
