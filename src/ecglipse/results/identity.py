"""The name of a cell: a hash of everything that determines its result. Pure."""

import hashlib
import json
import re
from typing import Any

from ecglipse.results.plain import plain

_CELL = re.compile(r"[0-9a-f]{16}")


def cell_id(**determinants: Any) -> str:
    """Name a cell by everything that determines its result: 16 hex digits.

    SHA-256 of the canonical JSON: keys sorted, no blanks, whole floats as integers (as RFC 8785 has it), so
    that 1.0 and 1, tuples and lists, NumPy's and Python's numbers give the same name.

    Raises:
        ValueError: if a value is NaN or infinite: it would equal no other.
        TypeError: if a value is not JSON.
    """
    found = plain(determinants, number=_whole)
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_cell_id(name: object) -> bool:
    """Tell whether something is the name of a cell: text of 16 hex digits."""
    return isinstance(name, str) and _CELL.fullmatch(name) is not None


def _whole(value: float) -> int | float:
    """A whole float as an integer; what is not finite stays, to be refused."""
    return int(value) if value.is_integer() else value
