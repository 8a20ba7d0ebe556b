"""Runs units in processes of their own; what is done is skipped, so a stopped study goes on where it was.

An executor is a function `(work, todo, *, workers) -> Iterator[(unit, added)]`: it does every unit once,
gives each as it ends, hands the unit of a worker that died to another worker, and raises `TrainingError` at
the end if some unit killed `TRIES` workers. `run` is the one for this machine; `on_ray.run` for several.
"""

import multiprocessing
import os
import pickle
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TypeAlias

from ecglipse.errors import TrainingError
from ecglipse.study.plan import Unit

Work: TypeAlias = Callable[[Unit], int]
Executor: TypeAlias = Callable[..., Iterator[tuple[Unit, int]]]
TRIES = 3
"""Workers that may die over a unit before it is given up; a want of memory may pass, a fault does not."""


def run(work: Work, todo: Sequence[Unit], *, workers: int) -> Iterator[tuple[Unit, int]]:
    """Do the units; yields each with the number of cells it added, as they end.

    A process that dies (killed, or out of memory) costs what it was at: its unit is begun again by a new
    process after all units that wait, and skips what is in the ledger.

    Args:
        work: does one unit; must be picklable, and must skip what it has done before.
        todo: the units, in the order in which they are begun.
        workers: processes, one core each; 1 works in this process.

    Raises:
        TrainingError: at the end, if processes died over a unit `TRIES` times; all others are done.
        Exception: at once, what `work` raises; the other processes are ended.
    """
    if workers == 1 or len(todo) <= 1:
        for unit in todo:
            yield unit, work(unit)
        return
    deaths = Deaths()
    waiting, busy = deque(todo), list[_Worker]()
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                busy.append(_Worker(work, waiting.popleft()))
            ready = set(wait([side for worker in busy for side in (worker.pipe, worker.process.sentinel)]))
            for worker in [w for w in busy if ready & {w.pipe, w.process.sentinel}]:
                unit, outcome = worker.unit, worker.outcome()
                if outcome is None:
                    busy.remove(worker)
                    worker.end()
                    if deaths.may_try_again(unit):
                        waiting.append(unit)
                    continue
                if isinstance(outcome, BaseException):
                    raise outcome
                if not (waiting and worker.give(waiting[0])):
                    busy.remove(worker)
                    worker.end()
                else:
                    waiting.popleft()
                yield unit, outcome
    finally:
        for worker in busy:
            worker.process.terminate()
        for worker in busy:
            worker.end()
    deaths.say()


class Deaths:
    """Counts the workers that died over each unit."""

    def __init__(self) -> None:
        self.count: Counter[Unit] = Counter()

    def may_try_again(self, unit: Unit) -> bool:
        """Note a death; tells whether the unit is to be given to another worker."""
        self.count[unit] += 1
        return self.count[unit] < TRIES

    def say(self) -> None:
        """Say which units were given up, where there are any.

        Raises:
            TrainingError: naming them.
        """
        given_up = [unit for unit, count in self.count.items() if count >= TRIES]
        if given_up:
            names = ", ".join(f"{u.method} seed {u.seed} rotation {u.rotation}" for u in given_up)
            plural = "" if len(given_up) == 1 else "s"
            raise TrainingError(
                f"{len(given_up)} encoder{plural} not done, each after {TRIES} workers that died over it "
                f"(killed, or out of memory): {names}; all others are done",
                hint="run the same command again with fewer `--workers`: finished cells are kept",
            )


class _Worker:
    """A process that does one unit after another, and the pipe to it."""

    def __init__(self, work: Work, unit: Unit) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.unit = unit
        self.give(unit)

    def give(self, unit: Unit) -> bool:
        """Send it a unit; False if it is not there any more."""
        try:
            self.pipe.send(unit)
        except OSError:
            return False
        self.unit = unit
        return True

    def outcome(self) -> int | BaseException | None:
        """What it answered; None if it died before."""
        try:
            answer: int | BaseException | None = self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            return None
        return answer

    def end(self) -> None:
        """Let it end, and wait until it has."""
        self.pipe.close()
        self.process.join()


def _serve(pipe: Connection, work: Work) -> None:
    """What a worker does: units from the pipe, answers to it, until the other side closes it."""
    _one_core()
    try:
        while True:
            unit = pipe.recv()
            try:
                answer: int | Exception = work(unit)
            except Exception as error:
                answer = _sendable(error)
            pipe.send(answer)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return


def _sendable(error: Exception) -> Exception:
    """The error with where it was raised, or its words alone if it cannot pass a pipe."""
    error.add_note(f"in a worker of the study:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return TrainingError("".join(traceback.format_exception(error)))
    return error


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
