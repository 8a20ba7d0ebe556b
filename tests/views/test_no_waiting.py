"""No view makes the host wait for the device: what is constant lies there, what is drawn is made there.

On the meta device, whose tensors have no values, every copy from the host can be seen and every reading is an
error; on a GPU PyTorch itself says when it waits. The first call may wait: it fills what is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ecglipse.draws import Draws
from ecglipse.masks import Pressure
from ecglipse.objectives import pairs
from ecglipse.views.base import BaseViews
from ecglipse.views.lead_drop import lead_drop
from ecglipse.views.settings import SETTINGS
from ecglipse.views.threekg import time_mask
from ecglipse.views.view import make

FS = 250.0


class Made(TorchFunctionMode):
    """Keeps the constants that are made on the device from Python's numbers."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in ("tensor", "as_tensor") and made.device.type == "meta":
            self.found.append(f"{func.__name__}{args}")
        return made


class Copied(TorchDispatchMode):
    """Keeps the copies to the device for which the host would wait."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, str(func)
        crosses = name.startswith("aten._to_copy") and args[0].device.type == "cpu"
        if crosses and kwargs.get("device", args[0].device).type == "meta" and not kwargs.get("non_blocking"):
            self.found.append(name)
        return func(*args, **kwargs)


def on_device(x: Any) -> Iterator[Any]:
    """Everything in a step that is a view or a cut, on the device of x."""
    base = BaseViews(sigma_mv=0.02, wander_mv=0.1, powerline_mv=0.1, emg_mv=0.05, gain=1.1, fs=FS)
    yield "base", base
    yield "time mask", time_mask_of
    yield "lead drop", lambda x, draws: lead_drop(x, draws, share=0.5)
    yield "crops", lambda x, draws: pairs.crops(x, x, draws, length=100)
    yield "segments", lambda x, draws: pairs.segments(x, x, draws, count=3)
    yield "leads", lambda x, draws: pairs.leads(x, x, draws)
    yield "entropy", lambda x, draws: Pressure(entropy=1.0)(x)


def time_mask_of(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    return time_mask(x, draws)


NAMES = ("base", "time mask", "lead drop", "crops", "segments", "leads", "entropy", *SETTINGS)


def play(name: str, x: torch.Tensor, epoch: int) -> None:
    draws = Draws.of(0, "view", epoch, rows=range(len(x)), device=x.device)
    others = dict(on_device(x))
    if name in others:
        others[name](x, draws)
        return
    for leads in ("independent", "electrodes", "each", "common") if name in NOISES else (None,):
        given = SETTINGS[name](name=name).model_dump(exclude={"name", "sides", "probability"})
        given |= {} if leads is None else {"leads": leads}
        make(name, fs=FS, probability=0.5, **given)(x, draws)


NOISES = ("gaussian", "wander", "shift", "powerline", "emg")


def waits(name: str, x: torch.Tensor) -> list[str]:
    found: list[str] = []
    with Copied(found), Made(found):
        play(name, x, 1)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_on_the_meta_device_nothing_waits(name: str) -> None:
    x = torch.empty(4, 12, 750, device="meta")
    play(name, x, 0)
    assert waits(name, x) == []


def test_a_constant_made_anew_is_seen() -> None:
    """The control: what this file is about is found."""
    found: list[str] = []
    with Copied(found), Made(found):
        torch.tensor([1.0, 2.0], device="meta")
        torch.ones(3).to("meta")
        torch.ones(3).to("meta", non_blocking=True)
        torch.tensor([1.0])
    assert len(found) == 2
    with pytest.raises(Exception, match="meta"):
        torch.empty(3, device="meta").cpu()


@contextmanager
def refusing() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("name", NAMES)
def test_on_a_gpu_nothing_waits(name: str) -> None:
    x = torch.randn(4, 12, 500, device="cuda")
    play(name, x, 0)
    with refusing():
        play(name, x, 1)
