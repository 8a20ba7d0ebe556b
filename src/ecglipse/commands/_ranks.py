"""Several processes under `torchrun`: joins them for a verb that can use them; says who speaks for all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ecglipse.errors import ConfigError


def speaks() -> bool:
    """Whether this process prints and writes: alone, or the first of those that torchrun started."""
    return asked_for() == 1 or os.environ.get("RANK", "0") == "0"


def asked_for() -> int:
    """How many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def refuse_ranks(verb: str) -> None:
    """Refuse a verb that torchrun's processes would each run for themselves.

    Raises:
        ConfigError: under torchrun.
    """
    if asked_for() > 1:
        raise ConfigError(
            f"`{verb}` was started {asked_for()} times at once by torchrun",
            hint=f"start `ecglipse {verb}` alone; `ecglipse pretrain` is what torchrun can share",
        )


@contextmanager
def together() -> Iterator[None]:
    """Within it, the processes that torchrun started are one: NCCL with a GPU each, else gloo.

    Raises:
        ConfigError: if there are more processes on this machine than its GPUs, and it has any.
    """
    if asked_for() == 1:
        yield
        return
    import torch
    from torch import distributed

    gpus, place = torch.cuda.device_count(), int(os.environ.get("LOCAL_RANK", "0"))
    if gpus and place >= gpus:
        raise ConfigError(
            f"process {place + 1} of this machine has no GPU of its own: it has {gpus}",
            hint=f"start `torchrun --nproc-per-node {gpus}`, or hide the GPUs: CUDA_VISIBLE_DEVICES=",
        )
    if gpus:
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if gpus else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()
