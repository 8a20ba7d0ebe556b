"""How long work takes: without what other programs took, and on as many threads as a worker has."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


def timed(work: Callable[[], object]) -> float:
    """Seconds of work; on a CPU without those in which other programs had it."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    took, busy = time.perf_counter() - began, time.process_time() - busy
    return took if torch.cuda.is_available() else min(took, busy)


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Use as many threads as a worker does."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(count or before)
        yield
    finally:
        torch.set_num_threads(before)
