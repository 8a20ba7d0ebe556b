"""Modules that are looked at and not changed: no gradient reaches them, no statistic of theirs moves."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def constant(module: nn.Module) -> Iterator[None]:
    """Within it, no gradient reaches the module's parameters and no BatchNorm statistic moves.

    The mode (training or evaluation) stays as it is, so what the module computes stays as it is too.
    """
    learning = [p for p in module.parameters() if p.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        with still(module):
            yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


@contextmanager
def still(module: nn.Module) -> Iterator[None]:
    """Within it, no BatchNorm statistic of the module moves; what it computes stays as it is."""
    tracking = [m for m in module.modules() if getattr(m, "track_running_stats", False) and m.training]
    for norm in tracking:
        norm.track_running_stats = False  # type: ignore[assignment]
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True  # type: ignore[assignment]
