"""Runs units as tasks of a Ray cluster: one of its own on this machine, or the one that RAY_ADDRESS names.

Every node reads the stores and writes the ledger itself, so all need the same folders under the same paths.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ecglipse.errors import ConfigError, TrainingError
from ecglipse.study.plan import Unit
from ecglipse.study.runner import Deaths, Work

OBJECT_STORE_BYTES = 100_000_000
"""Of a cluster of our own: units and counts are all that passes between processes."""


def run(work: Work, todo: Sequence[Unit], *, workers: int) -> Iterator[tuple[Unit, int]]:
    """Do the units as Ray tasks of one core each, `workers` at a time; see `ecglipse.study.runner.run`.

    A task whose worker or node dies is given to another one after all units that wait, and skips what is in
    the ledger.

    Raises:
        ConfigError: if Ray is not installed, or there is no cluster at RAY_ADDRESS.
        TrainingError: if a node does not have the folder that the study is run in; at the end, if workers
            died over a unit several times, and all others are done.
        Exception: at once, what `work` raises; the other tasks are cancelled.
    """
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported
        import ray
    except ImportError:
        raise ConfigError(
            "executor 'ray': Ray is not installed", hint="`pip install 'ecglipse[ray]'`"
        ) from None
    with _cluster(ray, workers):
        task = ray.remote(num_cpus=1, max_retries=0)(_do)
        lost = ray.exceptions
        died = (lost.WorkerCrashedError, lost.OutOfMemoryError, lost.NodeDiedError)
        deaths, waiting, here = Deaths(), deque(todo), os.getcwd()
        busy: dict[Any, Unit] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < workers:
                    unit = waiting.popleft()
                    busy[task.remote(work, unit, here)] = unit
                ended, _ = ray.wait(list(busy), num_returns=1)
                for one in ended:
                    unit = busy.pop(one)
                    try:
                        added = ray.get(one)
                    except died:
                        if deaths.may_try_again(unit):
                            waiting.append(unit)
                        continue
                    except lost.RayTaskError as error:
                        raise (error.cause if isinstance(error.cause, Exception) else error) from None
                    yield unit, added
        finally:
            for one in busy:
                ray.cancel(one, force=True)
    deaths.say()


@contextmanager
def _cluster(ray: Any, workers: int) -> Iterator[None]:
    """A cluster for the study: the caller's, the one that RAY_ADDRESS names, or a small one of our own."""
    if ray.is_initialized():
        yield
        return
    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address := os.environ.get("RAY_ADDRESS"):
        try:
            ray.init(**quiet)
        except (ConnectionError, ray.exceptions.RayError) as problem:
            raise ConfigError(
                f"executor 'ray': no cluster at RAY_ADDRESS={address}: {problem}",
                hint="start one with `ray start --head`, and give its token (RAY_AUTH_MODE=token); "
                "without RAY_ADDRESS the study has a cluster of its own",
            ) from None
    else:
        ray.init(
            address="local",
            num_cpus=workers,
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            **quiet,
        )
    try:
        yield
    finally:
        ray.shutdown()


def _do(work: Work, unit: Unit, folder: str) -> int:
    """Do a unit on whatever node this is, in the folder that the study was started in, with one thread."""
    try:
        os.chdir(folder)
    except OSError:
        raise TrainingError(
            f"{folder}: not there on node {os.uname().nodename}",
            hint="a study on several machines needs a shared folder, under the same path on each",
        ) from None
    import torch

    torch.set_num_threads(1)
    return work(unit)
