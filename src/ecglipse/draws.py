"""Random numbers of records: each record's are a function of (seed, purpose, record) and of nothing else.

`torch.Generator` gives a batch its numbers in one stream, so that a record's depend on its place in the batch
and on the device. Here each record has a key of its own, and its n-th number is a hash of (key, n): the order
of records, batches, workers and devices do not matter. In the manner of Salmon et al. 2011 (doi:10.1145/
2063384.2063405), with a 32-bit multiply-xorshift hash instead of Philox, which needs 64-bit products. Hashes
are equal to the bit on every device; normal numbers to the rounding of its logarithm and cosine. On a CPU
the whole numbers are made by NumPy, whose operations on a few hundred cost a third of PyTorch's.
"""

import functools
import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int32, Int64, UInt32, UInt64
from torch import Tensor

from ecglipse.seeding import derive

Rows = Int[np.ndarray, " batch"] | Sequence[int]

_TOGETHER = 8
"""Numbers of each child that are hashed together; what comes after is hashed when it is asked for."""


class Draws:
    """The random numbers of a batch of records; every call goes on where the last one ended.

    Args:
        keys: one a record.
        device: where the numbers are made.
    """

    def __init__(self, keys: UInt64[np.ndarray, " batch"], *, device: torch.device | str = "cpu") -> None:
        self.keys, self.device = keys, torch.device(device)
        self._done = self._forks = 0
        self._ahead: _Ahead | None = None
        self._place = 0

    @classmethod
    def of(cls, seed: int, *path: str | int, rows: Rows, device: torch.device | str = "cpu") -> "Draws":
        """Give the draws of these records for the purpose that `path` names; see `seeding.derive`.

        Args:
            seed: the user's seed.
            path: words and counters, such as ("view a", epoch).
            rows: number of each record, such as its row in the store.
            device: where the numbers are made.
        """
        stream = np.uint64(derive(seed, *path))
        return cls(_mix(_mix(np.asarray(rows, dtype=np.int64).view(np.uint64)) ^ stream), device=device)

    def __len__(self) -> int:
        """Number of records."""
        return len(self.keys)

    def child(self, name: str | int) -> "Draws":
        """Give draws of the same records for a part of the purpose; those of this object stay as they are.

        The same name gives the same draws whatever has been drawn before.
        """
        return Draws(_mix(self.keys ^ _stream(f"{type(name).__name__}:{name}")), device=self.device)

    def fork(self) -> "Draws":
        """Give draws whose children are others at each call: these ones at the first, then a child's."""
        times, self._forks = self._forks, self._forks + 1
        return self.child(f"again {times}") if times else self

    def children(self, names: Sequence[str | int]) -> "list[Draws]":
        """Give the child of each name; their first numbers are hashed together, when one is asked for."""
        streams = [[_stream(f"{type(name).__name__}:{name}")] for name in names]
        keys = _mix(self.keys ^ np.array(streams, dtype=np.uint64).reshape(-1, 1))
        ahead, made = _Ahead(keys), []
        for place, own in enumerate(keys):
            child = Draws(own, device=self.device)
            child._ahead, child._place = ahead, place
            made.append(child)
        return made

    def on(self, device: torch.device | str) -> "Draws":
        """Give the same draws, at the point where these are, on another device; these stay as they are."""
        same = Draws(self.keys, device=device)
        same._done, same._forks = self._done, self._forks
        return same

    def part(self, records: slice) -> "Draws":
        """Give the draws of some of the records, at the point where these are; these stay as they are."""
        part = Draws(self.keys[records], device=self.device)
        part._done, part._forks = self._done, self._forks
        return part

    def uniform(self, *shape: int) -> Float[Tensor, "batch ..."]:
        """Give uniform numbers in [0, 1), multiples of 2^-24, of this shape for each record."""
        numbers = _floats(self._bits(math.prod(shape)) >> 8)
        numbers *= 2.0**-24
        numbers += 0.5
        return _tensor(numbers).view(len(self), *shape)

    def integers(self, below: int, *shape: int) -> Int64[Tensor, "batch ..."]:
        """Give whole numbers in 0..below - 1, of this shape for each record; `below` is at most 2^24."""
        return _below(self._bits(math.prod(shape)), below).view(len(self), *shape)

    def choices(self, *below: int) -> tuple[Int64[Tensor, " batch"], ...]:
        """Give a whole number in 0..n - 1 for each n of `below`; each is at most 2^24."""
        return _below(self._bits(len(below)), below).unbind(1)

    def chance(self, probability: float, *shape: int) -> Bool[Tensor, "batch ..."]:
        """Say yes with this probability, to a 65,536th, in this shape for each record: 16 bits each."""
        count = math.prod(shape)
        bits = _tensor(self._bits((count + 1) // 2)).view(torch.int16)[:, :count]
        limit = round(probability * 2**16) - 2**15
        yes = bits < limit if limit < 2**15 else torch.ones_like(bits, dtype=torch.bool)
        return yes.reshape(len(self), *shape)

    def normal(self, *shape: int) -> Float[Tensor, "batch ..."]:
        """Give standard normal numbers, of this shape for each record.

        Box and Muller 1958 (doi:10.1214/aoms/1177706645) from 16 bits for the radius and 16 for the angle:
        none is larger than 4.86.
        """
        count = math.prod(shape)
        half = (count + 1) // 2
        bits = self._bits(half)
        share, turn = _floats(bits & 0xFFFF), _floats(bits >> 16)
        share += 0.5
        share *= 2.0**-16
        turn *= math.pi * 2.0**-15
        radius, angle = _tensor(share).log_().mul_(-2).sqrt_(), _tensor(turn)
        pairs = torch.cat([angle.cos().mul_(radius), angle.sin_().mul_(radius)], dim=1)
        return pairs[:, :count].reshape(len(self), *shape)

    def _bits(self, count: int) -> Any:
        """Hash the next `count` counters of each record: an int32 array on a CPU, else a tensor."""
        start, self._done = self._done, self._done + count
        if self.device.type == "cpu" and self._ahead is not None and self._done <= _TOGETHER:
            return self._ahead.bits()[self._place, :, start : self._done]
        halves = self.keys.view(np.uint32).reshape(-1, 2)
        if self.device.type == "cpu":
            counter = np.arange(start, self._done, dtype=np.uint32)
            return _hash(counter, halves[:, :1], halves[:, 1:]).view(np.int32)
        there = torch.from_numpy(halves.view(np.int32).copy())
        there = there.to(self.device, non_blocking=True)  # else the host would wait for all that is queued
        places = torch.arange(start, self._done, dtype=torch.int32, device=self.device)
        return _hash_there(places, there[:, :1], there[:, 1:])


class _Ahead:
    """The first hashes of several draws of the same records, made when the first is asked for."""

    def __init__(self, keys: UInt64[np.ndarray, "child batch"]) -> None:
        self._keys = keys
        self._bits: Int32[np.ndarray, "child batch counter"] | None = None

    def bits(self) -> Int32[np.ndarray, "child batch counter"]:
        if self._bits is None:
            halves = self._keys.view(np.uint32).reshape(-1, 2)
            counter = np.arange(_TOGETHER, dtype=np.uint32)
            hashed = _hash(counter, halves[:, :1], halves[:, 1:])
            self._bits = hashed.view(np.int32).reshape(*self._keys.shape, _TOGETHER)
        return self._bits


def _below(bits: Any, below: int | tuple[int, ...]) -> Tensor:
    """Whole numbers in 0..below - 1, from the upper 24 bits; one limit for all, or one for each."""
    if isinstance(bits, Tensor):
        limits = below if isinstance(below, int) else _limits(below, bits.device)
        there: Tensor = (((bits >> 8).to(torch.int64) + 2**23) * limits) >> 24
        return there
    numbers = (bits >> 8).astype(np.int64)
    numbers += 2**23
    numbers *= np.array(below)
    numbers >>= 24
    return torch.from_numpy(numbers)


@functools.lru_cache(maxsize=64)
def _limits(below: tuple[int, ...], device: torch.device) -> Int64[Tensor, " choice"]:
    """On the device once: a copy in each step would make the host wait for it."""
    return torch.tensor(below, device=device)


def _floats(bits: Any) -> Any:
    return bits.to(torch.float32) if isinstance(bits, Tensor) else bits.astype(np.float32)


def _tensor(numbers: Any) -> Tensor:
    return numbers if isinstance(numbers, Tensor) else torch.from_numpy(numbers)


@functools.lru_cache(maxsize=256)
def _stream(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def _mix(keys: UInt64[np.ndarray, "*batch"]) -> UInt64[np.ndarray, "*batch"]:
    """The finaliser of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195) after one golden step."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(keys ^ (keys >> np.uint64(31)))


def _hash(
    counter: UInt32[np.ndarray, " count"],
    first: UInt32[np.ndarray, "batch 1"],
    second: UInt32[np.ndarray, "batch 1"],
) -> UInt32[np.ndarray, "batch count"]:
    """Hash counters under two keys a record, by products modulo 2^32 and shifts.

    The constants are those of `lowbias32` (Wellons 2018, github.com/skeeto/hash-prospector); the counter is
    spread by the golden ratio, and the second key comes in between the two products.
    """
    x = counter * np.uint32(0x9E3779B9) + first
    shifted = x >> np.uint32(16)
    x ^= shifted
    x *= np.uint32(0x7FEB352D)
    x += second
    x ^= np.right_shift(x, np.uint32(15), out=shifted)
    x *= np.uint32(0x846CA68B)
    x ^= np.right_shift(x, np.uint32(16), out=shifted)
    return np.asarray(x)


def _hash_there(
    counter: Int32[Tensor, " count"], first: Int32[Tensor, "batch 1"], second: Int32[Tensor, "batch 1"]
) -> Int32[Tensor, "batch count"]:
    """The same on any device, in tensors, which have signed numbers only."""
    x = counter * _signed(0x9E3779B9) + first
    shifted = torch.empty_like(x)

    def fold(bits: int) -> None:
        torch.bitwise_right_shift(x, bits, out=shifted)
        x.bitwise_xor_(shifted.bitwise_and_((1 << (32 - bits)) - 1))

    fold(16)
    x.mul_(_signed(0x7FEB352D)).add_(second)
    fold(15)
    x.mul_(_signed(0x846CA68B))
    fold(16)
    return x


def _signed(constant: int) -> int:
    """The same 32 bits as a signed number."""
    return constant - 2**32 if constant >= 2**31 else constant
