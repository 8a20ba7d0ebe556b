"""From store to tensors: the one NumPy-to-torch boundary, and the order of batches.

A batch is a pure function of (seed, epoch, position): nothing is kept between steps, so a run that is
resumed sees the same batches as one that was never stopped.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.seeding import derive, numpy_rng
from ecglipse.store import Store


def torch_rng(seed: int, *path: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """Give a torch generator on a device for the purpose that `path` names; see `seeding.derive`."""
    return torch.Generator(device=device).manual_seed(derive(seed, *path))


def best_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Batches:
    """Records of a store as float32 millivolts on a device.

    Args:
        store: where the records are.
        device: where the tensors go. On a GPU the whole store is held there as int16 if it takes at most
            half of the free memory; else, and on a CPU, each batch is gathered from the memory map.
    """

    def __init__(self, store: Store, *, device: torch.device | str = "cpu") -> None:
        self.store = store
        self.device = torch.device(device)
        self._scale = torch.from_numpy(store.scale_mv)[:, None].to(self.device)
        self._resident = self._held() if self.device.type == "cuda" else None

    def _held(self) -> Tensor | None:
        n_bytes = len(self.store) * len(self.store.leads) * self.store.n_samples * 2
        if n_bytes > torch.cuda.mem_get_info(self.device)[0] // 2:
            return None
        return torch.from_numpy(self.store.signals(np.arange(len(self.store)))).to(self.device)

    def millivolts(self, rows: Int[np.ndarray, " batch"]) -> Float[Tensor, "batch lead time"]:
        """Give the signals of these rows of the store, in this order, in mV."""
        if self._resident is not None:
            units = self._resident[torch.from_numpy(rows).to(self.device, non_blocking=True)]
        else:
            units = torch.from_numpy(self.store.signals(rows)).to(self.device, non_blocking=True)
        return units.to(torch.float32).mul_(self._scale)


class Joined(Batches):
    """Records of several stores as one: those of the first, then those of the next.

    Args:
        stores: of the same rate, length and leads; `store` is the first.
        device: where the tensors go.
    """

    def __init__(self, stores: Sequence[Store], *, device: torch.device | str = "cpu") -> None:
        super().__init__(stores[0], device=device)
        self._parts = [self, *(Batches(store, device=device) for store in stores[1:])]
        self._starts = np.cumsum([0, *(len(store) for store in stores)])

    def millivolts(self, rows: Int[np.ndarray, " batch"]) -> Float[Tensor, "batch lead time"]:
        """Give the signals of these rows, counted through all stores, in this order, in mV."""
        of = np.searchsorted(self._starts, rows, side="right") - 1
        found = None
        for index, part in enumerate(self._parts):
            here = np.flatnonzero(of == index)
            if not len(here):
                continue
            own = rows[here] - self._starts[index]
            signal = super().millivolts(own) if index == 0 else part.millivolts(own)
            if len(here) == len(rows):
                return signal
            if found is None:
                found = signal.new_empty(len(rows), *signal.shape[1:])
            found[torch.from_numpy(here).to(signal.device, non_blocking=True)] = signal
        return super().millivolts(rows) if found is None else found


def epoch_batches(
    rows: Int[np.ndarray, " record"],
    *,
    batch: int,
    seed: int,
    epoch: int,
    together: Int[np.ndarray, " record"] | None = None,
) -> list[Int[np.ndarray, " batch"]]:
    """Cut a shuffled epoch into full batches; the last `len(rows) % batch` records wait for the next epoch.

    Args:
        rows: rows of the store to draw from.
        batch: records a batch; if there are fewer rows than this, the batch is all of them.
        seed: of the run.
        epoch: counted from 0; each has an order of its own.
        together: a number for each of `rows`; rows of equal number stand beside each other in the order, so
            that they mostly share a batch.
    """
    order = numpy_rng(seed, "order", epoch).permutation(len(rows))
    if together is not None:
        _, groups = np.unique(together, return_inverse=True)
        first = np.full(groups.max(initial=-1) + 1, len(rows))
        np.minimum.at(first, groups[order], np.arange(len(rows)))
        order = order[np.argsort(first[groups[order]], kind="stable")]
    order = rows[order]
    size = min(batch, len(rows))
    return [order[start : start + size] for start in range(0, len(rows) - size + 1, size)]
