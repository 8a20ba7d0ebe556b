"""Which recordings of a store a run's masks are looked at on: marks of their waves, and groups. Reads."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from ecglipse.commands._delineated import kept
from ecglipse.errors import StoreError
from ecglipse.seeding import numpy_rng
from ecglipse.store import Store
from ecglipse.waves.delineator import delineate_rows, load_library

MOST_GROUPS = 8
FEWEST_RECORDS = 10
"""A code with fewer records is no group of its own."""


def marked(
    store: Store, keep: Int[np.ndarray, " row"], marks: str, records: int
) -> tuple[Int[np.ndarray, " kept"], pd.DataFrame, str]:
    """Rows to look at, the marks of their waves, and where these come from."""

    own = len(store.waves) > 0
    if marks == "store" and not own:
        raise StoreError(f"{store.path}: has no wave marks", hint="use `--marks delineator`")
    use_own = own and marks != "delineator"
    if use_own:
        keep = np.intersect1d(keep, store.waves["row"].to_numpy(dtype=np.int64))
    known = None if use_own else kept(store)
    if not use_own and known is None:
        load_library()
    if len(keep) > records:
        keep = np.sort(numpy_rng(0, "masks", "rows").choice(keep, records, replace=False))
    if use_own:
        return (
            keep,
            store.waves,
            {
                "ludb": "marks made by hand in each lead (LUDB)",
                "simulator": "the simulator's own times",
            }.get(store.manifest.corpus, "the marks of the store"),
        )
    found = delineate_rows(store.millivolts, keep.tolist(), store.fs) if known is None else known
    return keep, found, "a delineator (NeuroKit2, prominence; agreed on by half of the leads)"


def groups(
    store: Store, rows: Int[np.ndarray, " row"], task: str | None
) -> tuple[list[str], Bool[np.ndarray, "row group"]]:
    """Names of groups of records, and which row is in which."""

    table, vocabulary = store.table, store.manifest.vocabulary
    if task is not None:
        from ecglipse.tasks import find_task, label

        labels = label(find_task(task, vocabulary, table), table)
        member = np.zeros((len(table), labels.y.shape[1]), dtype=bool)
        member[labels.rows] = labels.y.astype(bool)
        names = list(labels.task.classes)
        if len(names) == 1:  # a binary task: the class, and the others
            others = np.zeros(len(table), dtype=bool)
            others[labels.rows] = labels.y[:, 0] == 0
            member, names = np.column_stack([member, others]), [names[0], f"not {names[0]}"]
        return names, member[rows]
    held = [set(codes) for codes in table["codes"].iloc[rows]]
    counts = {code: sum(code in codes for codes in held) for code in set().union(*held)} if held else {}
    often = sorted((code for code, n in counts.items() if n >= FEWEST_RECORDS), key=lambda c: (-counts[c], c))
    chosen = often[:MOST_GROUPS]
    said = [str((vocabulary.get(code) or {}).get("description") or code) for code in chosen]
    names = [
        text if said.count(text) == 1 else f"{text} ({code})" for text, code in zip(said, chosen, strict=True)
    ]
    member = np.array([[code in codes for code in chosen] for codes in held], dtype=bool)
    return names, member.reshape(len(rows), len(chosen))
