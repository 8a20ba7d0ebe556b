"""What `ecglipse masks` found of a study's runs, where its output lies in their folders. Reads disk only."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ecglipse.report.gallery import run_folder
from ecglipse.report.tables import Method, WaveShare


def wave_shares(folder: Path, methods: Sequence[Method]) -> tuple[tuple[WaveShare, ...], tuple[str, ...]]:
    """Read `runs/RUN/masks-STORE/masks.json` of every method; also say what could not be read.

    Args:
        folder: of the study.
        methods: of the study, with their runs.
    """
    found: list[WaveShare] = []
    faults: list[str] = []
    for method in methods:
        for run in run_folder(folder, method):
            for path in sorted(run.glob("masks-*/masks.json")):
                try:
                    found += _read(path, method, run.name)
                except (OSError, ValueError, KeyError, TypeError) as problem:
                    faults.append(
                        f"No waves of {method.title}: {path.parent.name}/{path.name}: {problem!r:.80}"
                    )
    return tuple(found), tuple(faults)


def _read(path: Path, method: Method, run: str) -> list[WaveShare]:
    """The regions of all records and leads together."""
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return [
        WaveShare(
            *(method.name, run, str(facts["store"]["corpus"]), str(facts["marks"]), int(facts["records"])),
            str(row["region"]),
            *(_number(row[name]) for name in ("hidden", "chance", "ratio", "low", "high", "p_holm")),
        )
        for row in facts["enrichments"]
        if row["group"] == "all" and row["lead"] is None
    ]


def _number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise TypeError(f"a number expected; got {value!r:.40}")
    return float(value) if value is not None and math.isfinite(value) else None
