"""Memory for views that goes round: what one batch gives back, the next one writes into.

A view of 128 records of 2,500 samples is 15 MB. The C library returns blocks of such size to the operating
system when they are freed and asks for them again, a fault and a cleared page for every 4 KiB: up to twice
the time of the view itself. Here a block returns to a short list when the last tensor on it is gone.

It starts with a cache line. NumPy's large arrays start 16 bytes after one, so that every second vector of 32
bytes lies in two lines, which makes passes over signals up to a tenth slower.
"""

import contextlib
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_LEAST, _MOST, _LINE = 2**20, 4, 64
"""Bytes from which a block is kept, how many blocks are, and bytes of a cache line."""
_spare: list[np.ndarray] = []


def empty(shape: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Give a tensor with anything in it; on a CPU perhaps in memory that a freed one had."""
    size = math.prod(shape) * dtype.itemsize
    if device.type != "cpu" or size < _LEAST:
        return torch.empty(shape, dtype=dtype, device=device)
    flat = torch.from_numpy(np.asarray(_Loan(_block(size)))[:size])
    return flat.view(dtype).view(shape)


class _Loan:
    """Lends a block to the array that is made of it, which holds it as long as a tensor needs it."""

    def __init__(self, block: np.ndarray) -> None:
        self.block, self.__array_interface__ = block, block.__array_interface__

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's end the list may be gone
            _spare.append(self.block)
            del _spare[:-_MOST]


def _block(size: int) -> np.ndarray:
    """Give a spare block of this size, or of up to twice as much, or a new one."""
    for place in reversed(range(len(_spare))):
        if size <= len(_spare[place]) <= 2 * size:
            return _spare.pop(place)
    block = np.empty(size + _LINE, dtype=np.uint8)
    first = -block.ctypes.data % _LINE
    return block[first : first + size]
