"""Random numbers of records: each record's are a function of (seed, purpose, record) and of nothing else.

`torch.Generator` gives a batch its numbers in one stream, so that a record's depend on its place in the batch
and on the device. Here each record has a key of its own, and its n-th number is a hash of (key, n): the order
of records, batches, workers and devices do not matter. In the manner of Salmon et al. 2011 (doi:10.1145/
2063384.2063405), with a 32-bit multiply-xorshift hash instead of Philox, which needs 64-bit products. Hashes
are equal to the bit on every device; normal numbers to the rounding of its logarithm and cosine.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int32, Int64, UInt64
from torch import Tensor

from ecglipse.seeding import derive

Rows = Int[np.ndarray, " batch"] | Sequence[int]


class Draws:
    """The random numbers of a batch of records; every call goes on where the last one ended.

    Args:
        keys: one a record.
        device: where the numbers are made.
    """

    def __init__(self, keys: UInt64[np.ndarray, " batch"], *, device: torch.device | str = "cpu") -> None:
        self.keys, self.device = keys, torch.device(device)
        halves = torch.from_numpy(keys.view(np.int32).reshape(-1, 2).copy())
        halves = halves.to(self.device, non_blocking=True)  # else the host would wait for all that is queued
        self._first, self._second = halves[:, :1], halves[:, 1:]
        self._done = 0

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
        text = f"{type(name).__name__}:{name}".encode()
        stream = np.frombuffer(hashlib.blake2b(text, digest_size=8).digest(), dtype="<u8")
        return Draws(_mix(self.keys ^ stream), device=self.device)

    def part(self, records: slice) -> "Draws":
        """Give the draws of some of the records, at the point where these are; these stay as they are."""
        part = Draws(self.keys[records], device=self.device)
        part._done = self._done
        return part

    def uniform(self, *shape: int) -> Float[Tensor, "batch ..."]:
        """Give uniform numbers in [0, 1), multiples of 2^-24, of this shape for each record."""
        bits = self._bits(math.prod(shape)) >> 8
        return bits.to(torch.float32).mul_(2.0**-24).add_(0.5).view(len(self), *shape)

    def integers(self, below: int, *shape: int) -> Int64[Tensor, "batch ..."]:
        """Give whole numbers in 0..below - 1, of this shape for each record; `below` is at most 2^24."""
        bits = (self._bits(math.prod(shape)) >> 8).to(torch.int64) + 2**23
        return ((bits * below) >> 24).view(len(self), *shape)

    def chance(self, probability: float, *shape: int) -> Bool[Tensor, "batch ..."]:
        """Say yes with this probability, to a 65,536th, in this shape for each record: 16 bits each."""
        count = math.prod(shape)
        bits = self._bits((count + 1) // 2).view(torch.int16)[:, :count]
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
        radius = (bits & 0xFFFF).to(torch.float32).add_(0.5).mul_(2.0**-16).log_().mul_(-2).sqrt_()
        angle = (bits >> 16).to(torch.float32).mul_(math.pi * 2.0**-15)
        pairs = torch.empty(len(self), 2, half, device=self.device)
        torch.cos(angle, out=pairs[:, 0])
        torch.sin(angle, out=pairs[:, 1])
        return pairs.mul_(radius[:, None]).flatten(1)[:, :count].reshape(len(self), *shape)

    def _bits(self, count: int) -> Int32[Tensor, "batch count"]:
        """Hash the next `count` counters of each record."""
        counter = torch.arange(self._done, self._done + count, dtype=torch.int32, device=self.device)
        self._done += count
        return _hash(counter, self._first, self._second)


def _mix(keys: UInt64[np.ndarray, " batch"]) -> UInt64[np.ndarray, " batch"]:
    """The finaliser of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195) after one golden step."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(keys ^ (keys >> np.uint64(31)))


def _hash(
    counter: Int32[Tensor, " count"], first: Int32[Tensor, "batch 1"], second: Int32[Tensor, "batch 1"]
) -> Int32[Tensor, "batch count"]:
    """Hash counters under two keys a record, by products modulo 2^32 and shifts.

    The constants are those of `lowbias32` (Wellons 2018, github.com/skeeto/hash-prospector); the counter is
    spread by the golden ratio, and the second key comes in between the two products.
    """
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
