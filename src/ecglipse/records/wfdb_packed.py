"""Unpacks the sample formats of WFDB signal files, all of those that hold ECGs. Pure.

Specification: WFDB Applications Guide, signal(5).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class Packing:
    """How samples lie in a file.

    Args:
        samples: in a block.
        size: of a block, bytes; a last block may be cut after the bytes that its samples need.
        invalid: the value that stands for "no sample here"; None: the format has none.
        unpack: gives the values of whole blocks.
    """

    samples: int
    size: int
    invalid: int | None
    unpack: Callable[[bytes], np.ndarray]

    def lengths(self, n_values: int) -> tuple[int, ...]:
        """The lengths that a file of so many values may have, bytes."""
        whole, rest = divmod(n_values, self.samples)
        least = whole * self.size + -(-rest * self.size // self.samples)
        padded = (whole + bool(rest)) * self.size
        return tuple(range(least, padded + 1))

    def values(self, content: bytes, n_values: int) -> Int[np.ndarray, " value"]:
        """Give the first `n_values` of a file's content."""
        blocks = -(-n_values // self.samples)
        return self.unpack(content.ljust(blocks * self.size, b"\0")[: blocks * self.size])[:n_values]


def _plain(dtype: str) -> Callable[[bytes], np.ndarray]:
    return lambda content: np.frombuffer(content, dtype=dtype)


def _offset_binary(dtype: str, middle: int) -> Callable[[bytes], np.ndarray]:
    return lambda content: np.frombuffer(content, dtype=dtype).astype(np.int32) - middle


def _unpack_24(content: bytes) -> np.ndarray:
    low, middle, high = np.frombuffer(content, dtype=np.uint8).reshape(-1, 3).astype(np.int32).T
    return low | middle << 8 | (high ^ 0x80) - 0x80 << 16


def _unpack_212(content: bytes) -> np.ndarray:
    """Two samples of 12 bits in three bytes."""
    one, shared, two = np.frombuffer(content, dtype=np.uint8).reshape(-1, 3).astype(np.int32).T
    pairs = np.stack([(shared & 0x0F) << 8 | one, (shared & 0xF0) << 4 | two], axis=1)
    return _signed(pairs.reshape(-1), 12)


def _unpack_310(content: bytes) -> np.ndarray:
    """Three samples of 10 bits in two words: bits 1 to 10 of each, and the upper five bits of both."""
    one, two = np.frombuffer(content, dtype="<u2").reshape(-1, 2).astype(np.int32).T
    third = one >> 11 | (two >> 11) << 5
    return _signed(np.stack([one >> 1 & 0x3FF, two >> 1 & 0x3FF, third], axis=1).reshape(-1), 10)


def _unpack_311(content: bytes) -> np.ndarray:
    """Three samples of 10 bits in a word of 32."""
    word = np.frombuffer(content, dtype="<u4").astype(np.int64)
    parts = [word & 0x3FF, word >> 10 & 0x3FF, word >> 20 & 0x3FF]
    return _signed(np.stack(parts, axis=1).reshape(-1).astype(np.int32), 10)


def _signed(values: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement of so many bits."""
    return np.asarray(values - ((values >> bits - 1) << bits), dtype=np.int32)


PACKINGS: dict[int, Packing] = {
    8: Packing(1, 1, None, _offset_binary("i1", 0)),
    16: Packing(1, 2, -(2**15), _plain("<i2")),
    24: Packing(1, 3, -(2**23), _unpack_24),
    32: Packing(1, 4, -(2**31), _plain("<i4")),
    61: Packing(1, 2, -(2**15), _plain(">i2")),
    80: Packing(1, 1, -(2**7), _offset_binary("u1", 128)),
    160: Packing(1, 2, -(2**15), _offset_binary("<u2", 32768)),
    212: Packing(2, 3, -(2**11), _unpack_212),
    310: Packing(3, 4, -(2**9), _unpack_310),
    311: Packing(3, 4, -(2**9), _unpack_311),
}
"""By the number of the format. Format 8 holds differences, which the reader adds up."""
