"""What is read of a recording before a probe sees it: an encoder's features, measurements, or nothing.

Keeps the measurements of a study's recordings in its folder, as they take milliseconds each.
"""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.commands._places import Place
from ecglipse.models.layers import Encoder
from ecglipse.transfer.disturb import disturbed
from ecglipse.transfer.features import features
from ecglipse.transfer.handcrafted import VERSION, handcrafted

Read = Callable[[Int[np.ndarray, " record"]], Float[np.ndarray, "record dim"]]


class Features:
    """Features by row of a store, each computed once.

    Args:
        read: computes the features of rows.
        n: rows of the store.
        under: computes them under the disturbance of a name.
        whole: rows that are computed together when one of them is asked for first: a study that goes on
            after a kill then meets the same batches, and so the same rounding, as one that was left alone.
    """

    def __init__(
        self, read: Read, n: int, *, under: Callable[[str], Read], whole: np.ndarray | None = None
    ) -> None:
        self.read, self.n, self.whole = read, n, whole
        self._under, self._others = under, dict[str, "Features"]()
        self.tested: np.ndarray | None = None
        self.index = np.full(n, -1, dtype=np.int64)
        self.values: np.ndarray | None = None

    def __call__(self, rows: Int[np.ndarray, " record"]) -> Float[np.ndarray, "record dim"]:
        """Give the features of these rows."""
        new = rows[self.index[rows] < 0]
        if len(new) or self.values is None:
            if self.values is None and self.whole is not None:
                new = np.union1d(self.whole, rows)
            held = 0 if self.values is None else len(self.values)
            self.index[new] = held + np.arange(len(new))
            more = self.read(new)
            self.values = more if self.values is None else np.concatenate([self.values, more])
        return np.asarray(self.values[self.index[rows]])

    def under(self, disturbance: str) -> "Features":
        """Features of the same records under a disturbance."""
        if disturbance not in self._others:
            self._others[disturbance] = Features(
                self._under(disturbance), self.n, under=self._under, whole=self.tested
            )
        return self._others[disturbance]


def of_encoder(encoder: Encoder, place: Place) -> Features:
    """Features of a frozen encoder."""

    def under(name: str) -> Read:
        def signals(rows: np.ndarray) -> Tensor:
            return torch.from_numpy(_disturbed(place, rows, name)).to(place.batches.device)

        return lambda rows: features(encoder, signals, rows)

    return Features(
        lambda rows: features(encoder, place.batches.millivolts, rows), len(place.store), under=under
    )


def of_nothing(place: Place) -> Features:
    """One constant: a probe of it gives every record what is most common among its training labels."""

    def read(rows: np.ndarray) -> np.ndarray:
        return np.zeros((len(rows), 1), dtype=np.float32)

    return Features(read, len(place.store), under=lambda name: read)


def of_measurements(place: Place, folder: Path) -> Features:
    """Hand-crafted features, kept in `folder` by the store's digest."""
    path = folder / "features" / f"handcrafted-{VERSION}-{place.store.digest[:16]}.npz"

    def read(rows: Int[np.ndarray, " record"]) -> Float[np.ndarray, "record dim"]:
        known_rows, known = _kept(path)
        new = np.setdiff1d(rows, known_rows)
        if len(new) or known is None:
            made = [_measured(place, new[start : start + 256]) for start in range(0, max(len(new), 1), 256)]
            parts = made if known is None else [known, *made]
            known_rows, known = np.concatenate([known_rows, new]), np.concatenate(parts)
            _keep(path, known_rows, known)
        order = np.argsort(known_rows)
        return np.asarray(known[order[np.searchsorted(known_rows, rows, sorter=order)]])

    def under(name: str) -> Read:
        return lambda rows: handcrafted(_disturbed(place, rows, name), fs=place.store.fs)

    return Features(read, len(place.store), under=under)


def _disturbed(place: Place, rows: np.ndarray, name: str) -> np.ndarray:
    """Records in mV under a disturbance."""
    signals = place.batches.millivolts(rows).cpu().numpy()
    return disturbed(signals, name, rows=rows, fs=place.store.fs, leads=place.store.leads)


def _measured(place: Place, rows: np.ndarray) -> np.ndarray:
    if len(rows) == 0:
        from ecglipse.transfer.handcrafted import names

        return np.zeros((0, len(names(place.store.leads))), dtype=np.float32)
    return handcrafted(place.batches.millivolts(rows).cpu().numpy(), fs=place.store.fs)


def _kept(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """What an earlier call kept; nothing where the file is missing or damaged: it is then made again."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["rows"], arrays["values"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return np.zeros(0, dtype=np.int64), None


def _keep(path: Path, rows: np.ndarray, values: np.ndarray) -> None:
    """Write beside the place and move there in one step; processes that do it at once do no harm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        np.savez(partial, rows=rows, values=values)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
