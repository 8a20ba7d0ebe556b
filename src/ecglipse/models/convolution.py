"""A convolution whose weights get their gradient from one matrix product, where that is the faster way.

On processors with AVX2 and no AVX-512, as most laptops have, oneDNN's kernel for this gradient runs at half
the rate of a matrix product; on others it is as fast (docs/encoders.md). What is computed stays the same: the
sum over records and frames of (gradient of the output) x (samples that the kernel saw there).
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

FEWEST_WEIGHTS = 2**15
"""With fewer the product is too thin to be the faster way; four times as many where the kernel is 1."""

AVX2 = torch.backends.cpu.get_cpu_capability() == "AVX2"
"""Whether this processor is one of those."""

_AT_ONCE = 2**19
"""Values that are laid out at once for the product: 2 MiB, which stay in the cache."""


def convolved(
    x: Float[Tensor, "batch into 1 time"],
    weight: Float[Tensor, "out into kernel"],
    bias: Float[Tensor, " out"] | None,
    *,
    stride: int,
    padding: int,
) -> Float[Tensor, "batch out 1 frame"]:
    """Convolve over time; both ways give the same output, and the same gradients up to rounding."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    learns = weight.requires_grad and torch.is_grad_enabled()
    if learns and not traced and by_product(x, weight):
        made: Tensor = _ByProduct.apply(x, weight, bias, stride, padding)  # type: ignore[no-untyped-call]
        return made
    return _plain(x, weight, bias, stride, padding)


def by_product(x: Tensor, weight: Float[Tensor, "out into kernel"]) -> bool:
    """Whether the gradient of the weights is had by a matrix product."""
    if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    return AVX2 and weight.numel() >= FEWEST_WEIGHTS * (4 if weight.shape[2] == 1 else 1)


def _plain(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    return functional.conv2d(x, weight.unsqueeze(2), bias, stride=(1, stride), padding=(0, padding))


class _ByProduct(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        return _plain(x, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, weight, _, ctx.stride, ctx.padding = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        (grad,), (x, weight) = grads, ctx.saved_tensors
        of_x, of_weight, of_bias, *_ = ctx.needs_input_grad
        # where a gradient of the gradient is wanted, all is torch's own, which has one
        product = of_weight and not torch.is_grad_enabled()
        mask, dx, dw = (of_x, of_weight and not product, False), None, None
        if any(mask):
            dx, dw, _ = torch.ops.aten.convolution_backward(
                grad, x, weight.unsqueeze(2), None, (1, ctx.stride), (0, ctx.padding), (1, 1), False, (0, 0),
                1, mask,
            )  # fmt: skip
        if product:
            dw = weight_gradient(grad, x, weight.shape[2], ctx.stride, ctx.padding)
        elif dw is not None:
            dw = dw.squeeze(2)
        return dx, dw, grad.sum(dim=(0, 2, 3)) if of_bias else None, None, None


def weight_gradient(
    grad: Float[Tensor, "batch out 1 frame"],
    x: Float[Tensor, "batch into 1 time"],
    kernel: int,
    stride: int,
    padding: int,
) -> Float[Tensor, "out into {kernel}"]:
    """Give d sum(grad * convolved(x, weight)) / d weight; in memory (out, kernel, into), as weights are."""
    frames = grad.squeeze(2).transpose(1, 2)
    padded = x.squeeze(2).transpose(1, 2)
    if padding:
        padded = functional.pad(padded, (0, 0, padding, padding))
    records = max(_AT_ONCE // (frames.shape[1] * kernel * x.shape[1]), 1)
    found = grad.new_zeros(grad.shape[1], kernel * x.shape[1])
    for of_output, of_input in zip(frames.split(records), padded.split(records), strict=True):
        seen = of_input.unfold(1, kernel, stride).transpose(2, 3)
        # `out`, as torch's counter of FLOPs does not know `addmm_`
        torch.addmm(found, of_output.flatten(0, 1).t(), seen.flatten(2).flatten(0, 1), out=found)
    by_tap: Tensor = found.unflatten(1, (kernel, -1))
    return by_tap.transpose(1, 2)
