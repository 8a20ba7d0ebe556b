"""What a method needs of its stores beside signals: more stores, patients, marks of waves."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int

from ecglipse.commands._delineated import delineated
from ecglipse.config import Config, Method
from ecglipse.errors import ConfigError, StoreError
from ecglipse.masks import Marks
from ecglipse.store import Store

_log = logging.getLogger(__name__)


def also(config: Config, store: Store) -> list[Store]:
    """The other stores that are pretrained on.

    Raises:
        ConfigError: if one has another rate, length or leads, or is the study's own.
    """
    found = [Store.open(Path(folder)) for folder in config.pretrain.also]
    for other in found:
        if (other.fs, other.n_samples, other.leads) != (store.fs, store.n_samples, store.leads):
            raise ConfigError(
                f"pretrain.also: {other.path} has {other.fs:g} Hz and {other.n_samples} samples, the study's "
                f"store has {store.fs:g} Hz and {store.n_samples}",
                hint="prepare both with the same `--fs`, `--duration-s` and `--leads`",
            )
        if other.digest == store.digest:
            raise ConfigError(f"pretrain.also: {other.path} is the study's own store")
    return found


def patients(stores: Sequence[Store]) -> Int[np.ndarray, " row"]:
    """A number for the patient of each row of the stores; a record of nobody known is alone."""
    found, taken = [], 0
    for store in stores:
        codes, known = pd.factorize(store.table["patient_id"])
        unknown = codes < 0
        codes[unknown] = len(known) + np.arange(unknown.sum())
        found.append(codes.astype(np.int64) + taken)
        taken += len(known) + int(unknown.sum())
    return np.concatenate(found)


def marks(
    method: Method, stores: Sequence[Store], rows: Int[np.ndarray, " record"], *, device: torch.device
) -> Marks | None:
    """The marks that a method's masks are laid on, of all stores one after the other; None if there are none.

    Raises:
        StoreError: if records to train on have no marks.
        EcglipseError: if the delineator is needed and not installed.
    """
    if method.marks == "energy":
        return None
    starts = np.cumsum([0, *map(len, stores)])
    tables = [delineated(store) if method.marks == "delineator" else store.waves for store in stores]
    counted = [t.assign(row=t["row"] + start) for t, start in zip(tables, starts[:-1], strict=True)]
    first = stores[0]
    made = Marks(
        pd.concat(counted),
        method.masks,
        n_records=int(starts[-1]),
        leads=first.leads,
        n_samples=first.n_samples,
        fs=first.fs,
        device=device,
    )
    bare = int((~made.marked[rows]).sum())
    if bare and method.marks == "store":
        raise StoreError(
            f"{', '.join(str(store.path) for store in stores)}: {bare} of {len(rows)} records to train on "
            "have no wave marks",
            hint='give the method `marks = "delineator"`, or use a store with marks, such as one of LUDB',
        )
    if bare:
        _log.warning("no wave was found in %d of %d records: they are hidden at random", bare, len(rows))
    return made
