"""Memory for views that goes round: what one batch gives back, the next one writes into.

A view of 128 records of 2,500 samples is 15 MB. The C library returns blocks of such size to the operating
system when they are freed and asks for them again, a fault and a cleared page for every 4 KiB: up to twice
the time of the view itself. Here a block returns to a short list when the last tensor on it is gone.
"""

import contextlib
import math

import numpy as np
import torch
from torch import Tensor

_LEAST, _MOST = 2**20, 4
"""Bytes from which a block is kept, and how many blocks are."""
_spare: list[np.ndarray] = []


def empty_like(x: Tensor) -> Tensor:
    """Give a tensor of x's shape with anything in it; on a CPU perhaps in memory that a freed one had."""
    size = math.prod(x.shape) * x.element_size()
    if x.device.type != "cpu" or size < _LEAST:
        return torch.empty(x.shape, dtype=x.dtype, device=x.device)
    flat = torch.from_numpy(np.asarray(_Loan(_block(size))))
    return flat.view(x.dtype).view(x.shape)


class _Loan:
    """Lends a block to the array that is made of it, which holds it as long as a tensor needs it."""

    def __init__(self, block: np.ndarray) -> None:
        self.block, self.__array_interface__ = block, block.__array_interface__

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's end the list may be gone
            _spare.append(self.block)
            del _spare[:-_MOST]


def _block(size: int) -> np.ndarray:
    """Give a spare block of this very size, or a new one."""
    for place in reversed(range(len(_spare))):
        if len(_spare[place]) == size:
            return _spare.pop(place)
    return np.empty(size, dtype=np.uint8)
