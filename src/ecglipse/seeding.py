"""Seeds by name: every random draw is a pure function of a seed and of what it is drawn for.

There is no global generator. `derive(seed, "order", epoch)` gives the seed for the order of one epoch;
asking again gives it again, so a resumed run repeats an undisturbed one. What is drawn for a record comes
from `ecglipse.draws`.
"""

import hashlib

import numpy as np


def derive(seed: int, *path: str | int) -> int:
    """Give a 63-bit seed for the purpose that `path` names.

    Args:
        seed: the user's seed.
        path: words and counters, such as ("order", epoch); different paths give unrelated seeds.
    """
    text = "\x1f".join([repr(int(seed)), *(f"{type(part).__name__}:{part}" for part in path)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def numpy_rng(seed: int, *path: str | int) -> np.random.Generator:
    """Give a NumPy generator (Philox) for the purpose that `path` names; see `derive`."""
    return np.random.Generator(np.random.Philox(derive(seed, *path)))
