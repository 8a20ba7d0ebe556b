"""A line of the ledger: what it must hold, as text and back, and what it says. Pure."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ecglipse.errors import LedgerError
from ecglipse.results.identity import is_cell_id
from ecglipse.results.plain import plain
from ecglipse.results.predictions import Predictions

REQUIRED: tuple[str, ...] = (
    *("cell", "study", "method", "kind", "seed", "rotation", "task", "task_kind", "classes", "probe"),
    *("fraction", "draw", "validation", "n_train", "n_validation", "n_test", "positives_test"),
    *("split", "config", "store", "run", "chosen", "metrics", "per_class", "left_out", "undefined"),
    *("seconds", "commit", "versions", "hardware"),
)
"""What a caller must give (docs/architecture.md, "Ledger line"); the ledger adds `predictions`,
`predictions_sha256` and, where it is missing, `time`."""


def headline(line: Mapping[str, Any]) -> str:
    """Name the metric that a line's task is judged by; higher is better."""
    return "r2" if line["task_kind"] == "regression" else "macro_auroc"


def budget(line: Mapping[str, Any]) -> float:
    """Give what a line was trained with: the share of the labels, or -k for k of each class."""
    shots = int(line.get("shots", 0))
    return -float(shots) if shots else float(line["fraction"])


def check(line: Mapping[str, Any], found: Predictions) -> str:
    """Refuse what is not a ledger line with its predictions; give the cell.

    Raises:
        ValueError: if a key is missing, or something does not fit.
    """
    missing = [key for key in REQUIRED if key not in line]
    if missing:
        raise ValueError(f"`line` lacks {', '.join(missing)}")
    cell = line["cell"]
    if not isinstance(cell, str) or not is_cell_id(cell):
        raise ValueError(f"`cell` must be 16 hex digits (see `cell_id`); got {cell!r}")
    expected = (int(line["n_test"]), len(line["classes"]))
    shapes = {name: array.shape for name, array in vars(found).items()}
    wanted = {"rows": expected[:1], "scores": expected, "truth": expected, "patients": expected[:1]}
    if shapes != wanted:
        got = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"predictions must be of {expected[0]} records and {expected[1]} classes; got {got}")
    if np.isnan(found.scores).any():
        raise ValueError(f"`scores` must hold numbers; {int(np.isnan(found.scores).sum())} are NaN")
    return cell


def as_text(line: Mapping[str, Any]) -> str:
    """Give a line as JSON with its newline; NaN and infinity become null."""
    found = plain(line, number=lambda value: value if math.isfinite(value) else None)
    return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def parse(raw: bytes, *, where: str) -> dict[str, Any]:
    """Read one finished line.

    Raises:
        LedgerError: if it is none, said with `where` it stands.
    """
    try:
        line = json.loads(raw)
    except ValueError as problem:
        line, fault = None, f"not JSON ({problem})"
    else:
        fault = "no cell of 16 hex digits in it"
    if not isinstance(line, dict) or not is_cell_id(line.get("cell")):
        raise LedgerError(
            f"{where}: damaged line: {fault}: {raw[:60].decode(errors='replace')!r}",
            hint="restore the file from a copy, or delete this line: its cell will be computed again",
        )
    return line
