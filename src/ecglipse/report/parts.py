"""Cuts wide tables into parts. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def cut(things: Sequence[T], *, most: int) -> list[tuple[T, ...]]:
    """Cut a sequence into parts of about equal length, none longer than `most`: a table that is too wide
    for a sheet of paper becomes several."""
    parts = -(-len(things) // most)
    ends = [len(things) * part // parts for part in range(parts + 1)] if parts else [0]
    return [tuple(things[a:b]) for a, b in pairwise(ends)]
