"""Runs units in processes of their own; what is done is skipped, so a stopped study goes on where it was."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from ecglipse.errors import TrainingError
from ecglipse.study.plan import Unit

Work = Callable[[Unit], int]


def run(work: Work, todo: Sequence[Unit], *, workers: int) -> Iterator[tuple[Unit, int]]:
    """Do the units; yields each with the number of cells it added, as they end.

    Args:
        work: does one unit; must be picklable, and must skip what it has done before.
        todo: the units, in the order in which they are begun.
        workers: processes, one core each; 1 works in this process.

    Raises:
        TrainingError: if a process dies; what it had finished is kept.
    """
    if workers == 1 or len(todo) <= 1:
        for unit in todo:
            yield unit, work(unit)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_core) as pool:
        futures = {pool.submit(work, unit): unit for unit in todo}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise TrainingError(
                "a worker process died (killed, or out of memory)",
                hint="run the same command again: finished cells are kept",
            ) from None
        except BaseException:
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _one_core() -> None:
    """Keep a worker to one thread, since several on the same cores slow each other many times over.

    A worker ends when its parent does, however that ends: a study that was killed leaves nothing running.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """Wait for the parent process to end, then end this one at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
