"""Several processes that train one encoder: what they say to each other; alone, they say nothing.

Each rank sees its share of every batch. Projections are gathered, so that each rank computes the loss of the
whole batch; BatchNorm's statistics are joint; gradients are averaged once a step. So the number of ranks
changes the speed and not what is learned (`tests/laws/test_rank_laws.py`), but for three switches of the
published system that go by the batch of a process (docs/objectives.md). DistributedDataParallel is not
used: it hides gradients behind one forward, while two players share passes here, and the gradients of 4.1 M
parameters are 16 MB a step.
"""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


def ranks() -> int:
    """How many processes train together; 1: this one alone."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this process is, from 0."""
    return distributed.get_rank() if ranks() > 1 else 0


def gather(x: Tensor) -> Tensor:
    """Give the rows of all ranks, in their order; the gradient of a row is summed over the ranks' losses."""
    if ranks() == 1:
        return x
    whole: Tensor = _Gather.apply(x)  # type: ignore[no-untyped-call]
    return whole


def average_gradients(weights: Iterable[nn.Parameter]) -> None:
    """Put the mean over the ranks into each gradient.

    With projections gathered, each rank's gradient holds what its own records owe to the losses of all ranks,
    each of which is the whole loss: their mean is the gradient of the whole loss.
    """
    found = [weight.grad for weight in weights if weight.grad is not None]
    if ranks() == 1 or not found:
        return
    flat = torch.cat([gradient.flatten() for gradient in found])
    distributed.all_reduce(flat)
    flat /= ranks()
    start = 0
    for gradient in found:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()


def any_of(yes: bool) -> bool:
    """Whether any rank says yes, the same answer on all of them."""
    if ranks() == 1:
        return yes
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    said = torch.tensor(float(yes), device=device)
    distributed.all_reduce(said)
    return bool(said > 0)


def joint_statistics(module: nn.Module) -> nn.Module:
    """Give the module with BatchNorms whose statistics are over the batch of all ranks; weights are shared.

    Alone, the module is given back as it is.
    """
    if ranks() == 1:
        return module
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return _JointBatchNorm.like(module)
    for name, child in module.named_children():
        module.register_module(name, joint_statistics(child))
    return module


class _JointBatchNorm(_BatchNorm):
    """BatchNorm over the batch of all ranks, each of which must hold as many records; any backend.

    torch's SyncBatchNorm does the same on GPUs only.
    """

    @classmethod
    def like(cls, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> "_JointBatchNorm":
        """A norm with the same tensors and settings."""
        joint = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        joint._parameters, joint._buffers = norm._parameters, norm._buffers
        joint.training = norm.training
        return joint

    def _check_input_dim(self, input: Tensor) -> None:
        """Take any number of dimensions."""

    def forward(self, x: Float[Tensor, "batch channel *time"]) -> Float[Tensor, "batch channel *time"]:
        if not self.training:
            return super().forward(x)
        dims = [0, *range(2, x.ndim)]
        with torch.autocast(x.device.type, enabled=False):
            wide = x.to(torch.promote_types(x.dtype, torch.float32))
            mean: Tensor = _Sum.apply(wide.mean(dims)) / ranks()  # type: ignore[no-untyped-call]
            shape = (1, -1, *(1 for _ in dims[1:]))
            centred = wide - mean.view(shape)
            own = centred.square().mean(dims)
            variance: Tensor = _Sum.apply(own) / ranks()  # type: ignore[no-untyped-call]
            made = centred * torch.rsqrt(variance + self.eps).view(shape)
            if self.affine:
                made = made * self.weight.view(shape) + self.bias.view(shape)
        if self.track_running_stats:
            self._follow(mean, variance, x.numel() // x.shape[1] * ranks())
        normed: Tensor = made.to(x.dtype)
        return normed

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, n: int) -> None:
        """Move the running statistics, as BatchNorm does: the variance with n - 1 below."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        rate = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, rate)
        self.running_var.lerp_(variance * n / max(n - 1, 1), rate)


class _Gather(torch.autograd.Function):
    """Rows of all ranks forward; backward the sum over the ranks of the gradients of this rank's rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.start, ctx.length = distributed.get_rank() * x.shape[0], x.shape[0]
        parts = [torch.empty_like(x) for _ in range(ranks())]
        distributed.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return _summed(grads[0])[ctx.start : ctx.start + ctx.length]


class _Sum(torch.autograd.Function):
    """Sum over the ranks, in both directions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _summed(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return _summed(grads[0])


def _summed(x: Tensor) -> Tensor:
    """The sum over the ranks, as a new tensor."""
    total = x.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total
