"""`in_order`: a function over many numbers in several processes, results in order, few of them waiting."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from ecglipse.errors import EcglipseError

T = TypeVar("T")
_AHEAD = 4
"""Chunks that may be under way or waiting, per worker."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    work: Callable[[range], list[T]],
    numbers: range,
    *,
    workers: int,
    setup: Callable[..., None],
    arguments: tuple[Any, ...],
    chunk: int = 32,
) -> Iterator[T]:
    """Give `work`'s result for each number, in order.

    Args:
        work: gives the results of a chunk of numbers; a function of a module, as processes need it.
        numbers: what to work on.
        workers: processes; 1: this one. So it is on systems without fork, as recordings-to-be are functions
            and cannot be sent to a process.
        setup: is called once in each process before any work, with `arguments`.
        chunk: numbers that a process takes at a time.

    Raises:
        EcglipseError: if a process dies, for example for want of memory.
    """
    chunks = (numbers[start : start + chunk] for start in range(0, len(numbers), chunk))
    if workers == 1 or len(numbers) <= chunk or "fork" not in multiprocessing.get_all_start_methods():
        setup(*arguments)
        for part in chunks:
            yield from work(part)
        return
    how = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=how, initializer=setup, initargs=arguments) as pool:
        waiting: deque[Future[list[T]]] = deque()
        try:
            for part in chunks:
                waiting.append(pool.submit(work, part))
                if len(waiting) >= _AHEAD * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool:
            raise EcglipseError(
                "a process that read recordings died, perhaps for want of memory",
                hint="run it again: it goes on from there; or give `--workers 1`",
            ) from None
        finally:
            for future in waiting:
                future.cancel()
