"""What `ecglipse masks` found of a study's runs, where its output lies in their folders. Reads disk only."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ecglipse.report.gallery import run_folder
from ecglipse.report.hidden import Agreement, MaskCost, WaveShare
from ecglipse.report.methods import Method

SHARE: Final = ("hidden", "chance", "ratio", "low", "high", "p_holm")
AGREEMENT: Final = (
    *("rank_correlation", "rank_low", "rank_high"),
    *("cosine", "cosine_low", "cosine_high", "p_value"),
)
COST: Final = ("auroc", "low", "high", "extra_loss", "extra_low", "extra_high", "p_value")


@dataclass
class Waves:
    """What was found.

    Args:
        shares: of each region, all records and leads together.
        parts: of each region in single leads or bands, and in classes of records.
        agreements: of runs with other runs of the method.
        costs: of masks to a supervised model.
        faults: what could not be read.
    """

    shares: list[WaveShare] = field(default_factory=list)
    parts: list[WaveShare] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    costs: list[MaskCost] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_waves(folder: Path, methods: Sequence[Method]) -> Waves:
    """Read `runs/RUN/masks-STORE/masks.json` of every method; see `ecglipse.occlusion.Findings`.

    Args:
        folder: of the study.
        methods: of the study, with their runs.
    """
    found = Waves()
    names = {run: f"seed {place.partition('/')[0]}" for m in methods for place, run in m.runs.items()}
    for method in methods:
        for run in run_folder(folder, method):
            for path in sorted(run.glob("masks-*/masks.json")):
                try:
                    one = _read(path, method, run.name, names)
                except (OSError, ValueError, KeyError, TypeError) as problem:
                    found.faults.append(
                        f"No waves of {method.title}: {path.parent.name}/{path.name}: {problem!r:.80}"
                    )
                    continue
                found.shares += one.shares
                found.parts += one.parts
                found.agreements += one.agreements
                found.costs += one.costs
    return found


def _read(path: Path, method: Method, run: str, names: dict[str, str]) -> Waves:
    """One file; `names` are of runs, by their folders' names."""
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    corpus = str(facts["store"]["corpus"])
    found = Waves()
    for row in facts["enrichments"]:
        lead = str(row["lead"] or row.get("band") or "")
        hidden, chance, ratio, low, high, p_holm = (_number(row[name]) for name in SHARE)
        share = WaveShare(
            method=method.name,
            run=run,
            corpus=corpus,
            marks=str(facts["marks"]),
            records=int(facts["records"] if row["group"] == "all" else row["records"]),
            region=str(row["region"]),
            hidden=hidden,
            chance=chance,
            ratio=ratio,
            low=low,
            high=high,
            p_holm=p_holm,
            group="" if row["group"] == "all" else str(row["group"]),
            lead=lead,
        )
        if not share.group and not lead:
            found.shares.append(share)
        elif not share.group or not lead:
            found.parts.append(share)
    for row in facts.get("stability") or ():
        other = str(row["other"])
        first = other.partition(",")[0]
        other = names[first] + other[len(first) :] if first in names else other
        found.agreements.append(
            Agreement(
                method.name, run, corpus, other, int(row["records"]), *(_number(row[k]) for k in AGREEMENT)
            )
        )
    harm: dict[str, Any] = facts.get("harm") or {"arms": ()}
    for row in harm["arms"]:
        about = (str(harm["task"]), str(harm["model"]))
        arm = str(row["name"])
        found.costs.append(
            MaskCost(
                method.name, run, corpus, *about, int(harm["tested"]), arm, *(_number(row[k]) for k in COST)
            )
        )
    return found


def _number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise TypeError(f"a number expected; got {value!r:.40}")
    return float(value) if value is not None and math.isfinite(value) else None
