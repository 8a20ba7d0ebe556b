"""`leaks`: lists recordings that are in stores twice, and what is known of their corpora."""

import csv
import io
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from ecglipse.errors import StoreError


@dataclass(frozen=True)
class Leaks:
    """What `leaks` found.

    Args:
        pairs: one per pair of rows: store_a, store_b, record_a, record_b, row_a, row_b, similarity, shift_s,
            overlap_s, same_patient, fold_a, fold_b.
        known: sentences about corpora that share recordings.
        records: in all stores.
    """

    pairs: list[dict[str, Any]]
    known: list[str]
    records: int


def leaks(stores: list[Path], *, threshold: float = 0.96, out: Path | None = None) -> Leaks:
    """Look for the same recording within each store and across each pair of stores.

    Windows of one recording are no leak: they share their record's id and patient and are left out.

    Args:
        stores: folders of stores, of any rate and length.
        threshold: least similarity, 0 to 1.
        out: a CSV file to write the pairs to.

    Raises:
        StoreError: if a store is missing or damaged, or the threshold is out of range.
    """
    from ecglipse.leaks import duplicates, known_overlaps
    from ecglipse.store import Store

    if not 0 < threshold <= 1:
        raise StoreError(f"--threshold must be > 0 and <= 1; got {threshold}")
    opened = [Store.open(path) for path in stores]
    asked = [(store, store) for store in opened] + list(combinations(opened, 2))
    pairs = []
    for a, b in asked:
        found = duplicates(a, None if a is b else b, threshold=threshold)
        one = a.table.iloc[found["row_a"]].to_dict("records")
        other = b.table.iloc[found["row_b"]].to_dict("records")
        for hit, left, right in zip(found.to_dict("records"), one, other, strict=True):
            same_patient = left["patient_id"] == right["patient_id"]
            if a is b and left["record_id"] == right["record_id"] and same_patient:
                continue
            pairs.append(
                {
                    "store_a": str(a.path),
                    "store_b": str(b.path),
                    "record_a": left["record_id"],
                    "record_b": right["record_id"],
                    "row_a": int(hit["row_a"]),
                    "row_b": int(hit["row_b"]),
                    "similarity": round(float(hit["similarity"]), 4),
                    "shift_s": round(float(hit["shift_s"]), 3),
                    "overlap_s": round(float(hit["overlap_s"]), 2),
                    "same_patient": same_patient,
                    "fold_a": _fold(left["fold"]),
                    "fold_b": _fold(right["fold"]),
                }
            )
    names = {store.manifest.corpus for store in opened}
    names |= {str(source) for store in opened for source in store.table["source"].unique()}
    known = [f"{overlap.one} and {overlap.other}: {overlap.what}" for overlap in known_overlaps(names)]
    if out is not None:
        _write(out, pairs)
    return Leaks(pairs, known, sum(len(store) for store in opened))


def _fold(value: Any) -> int | None:
    import pandas as pd

    return None if pd.isna(value) else int(value)


def _write(path: Path, pairs: list[dict[str, Any]]) -> None:
    fields = ["store_a", "store_b", "record_a", "record_b", "row_a", "row_b", "similarity", "shift_s",
              "overlap_s", "same_patient", "fold_a", "fold_b"]  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(pairs)
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from None
