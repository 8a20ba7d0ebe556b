"""How large the encoders are: parameters and arithmetic of each, counted and not typed."""

import inspect
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ecglipse.models.encoders import ENCODERS, encoder
from ecglipse.models.layers import Encoder

STUDY = {"width": 16, "dim": 128}
"""The size of the studies on two cores."""


@dataclass(frozen=True)
class Size:
    """How large an encoder is.

    Args:
        parameters: weights that learn.
        flops: of one record forward, two a multiply-add; convolutions, matrix products and FFTs alone.
    """

    parameters: int
    flops: int


def size(net: Encoder, *, samples: int) -> Size:
    """Count the parameters of an encoder and its arithmetic for one record, by running it once.

    Args:
        net: the encoder, on the CPU; its BatchNorm statistics move.
        samples: length of the record.
    """
    parameters = sum(weight.numel() for weight in net.parameters())
    fft: dict[Any, Any] = {torch.ops.aten._fft_r2c: _fft_flops, torch.ops.aten._fft_c2r: _fft_flops}
    whole = sdpa_kernel(SDPBackend.MATH)  # the counter does not see into the fused attention of CPUs
    with torch.no_grad(), whole, FlopCounterMode(display=False, custom_mapping=fft) as counter:
        net(torch.zeros(1, net.leads, samples))
    return Size(parameters, counter.get_total_flops())


def table() -> str:
    """Give a table in Markdown of all encoders, at their own widths and at the studies' width."""
    rows = [
        "| `encoder.name` | norm | shortest | width, dim | parameters | GFLOP at 100 / 250 / 500 Hz "
        "| width 16, dim 128: parameters | GFLOP at 100 Hz |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, make in ENCODERS.items():
        net = make(generator=torch.Generator())
        norm = "batch" if any(isinstance(m, nn.BatchNorm2d) for m in net.modules()) else "layer"
        width = inspect.signature(make).parameters["width"].default
        own = [size(net, samples=samples) for samples in (1000, 2500, 5000)]
        small = size(encoder(name, leads=12, generator=torch.Generator(), **STUDY), samples=1000)
        flops = " / ".join(f"{found.flops / 1e9:.3f}" for found in own)
        rows.append(
            f"| `{name}` | {norm} | {net.shortest} | {width}, {net.dim} | {own[0].parameters:,} "
            f"| {flops} | {small.parameters:,} | {small.flops / 1e9:.4f} |"
        )
    return "\n".join(rows)


def _fft_flops(shape: Any, dims: Any, _: Any, last: Any, *, out_shape: Any = None, **__: Any) -> int:
    """5/2 n log2 n for each real transform of length n, either way (Frigo and Johnson 2005)."""
    real = shape if isinstance(last, bool) else out_shape
    n = int(real[dims[-1]])
    return int(math.prod(real)) // n * round(2.5 * n * math.log2(n))
