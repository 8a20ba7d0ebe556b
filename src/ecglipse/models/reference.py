"""What the published code does to an encoder's input and in its fine-tuning, as hooks on any encoder.

Kept to measure what each choice costs; see docs/differences.md. The weights and their names stay as they are.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.models.layers import Encoder
from ecglipse.models.patches import PatchTransformer, positions

Net = TypeVar("Net", bound=nn.Module)


def min_max(x: Float[Tensor, "batch lead time"], *, whole_batch: bool) -> Float[Tensor, "batch lead time"]:
    """Scale the lowest sample to 0 and the highest to 1; what is flat becomes 0.

        x' = (x - min x) / (max x - min x)

    Args:
        x: mV.
        whole_batch: one minimum and maximum for all records, which then influence each other; else each
            record has its own.

    Source:
        The code of Bo et al. 2022: by record in its data set, by batch after a mask is applied.
    """
    dims = (0, 1, 2) if whole_batch else (1, 2)
    low, high = x.amin(dims, keepdim=True), x.amax(dims, keepdim=True)
    return (x - low) / (high - low).clamp(min=torch.finfo(x.dtype).tiny)


def taking(net: Net, scaling: Callable[[Tensor], Tensor] | None) -> Net:
    """Give the module, which now scales the records that it is given; as it is where there is no scaling."""
    if scaling is not None:
        net.register_forward_pre_hook(lambda _, given: (scaling(given[0]), *given[1:]))
    return net


def under_no_grad(net: Net) -> Net:
    """Give the encoder, whose features now carry no gradient: training it moves no weight of it.

    Its BatchNorm statistics still move, as in the published fine-tuning.
    """
    net.register_forward_hook(_constant)
    return net


def attending_over_batch(net: Encoder) -> Encoder:
    """Give the transformer as published: attention and positions run over the records of a batch.

    The features of a record then depend on the others, and on its place among them.

    Raises:
        ValueError: if it is no patch transformer.

    Source:
        The code of Bo et al. 2022, whose layers are not batch-first.
    """
    if not isinstance(net, PatchTransformer):
        raise ValueError(f"`net` must be a patch transformer; got {type(net).__name__}")
    net.layers.register_forward_pre_hook(_across)
    net.layers.register_forward_hook(_along)
    return net


def _across(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor]:
    """Tokens by place in the record, then record; with the position of the record instead of the token's."""
    (tokens,) = given
    records, length, width = tokens.shape
    own, by_record = (positions(n, width, tokens.device).to(tokens.dtype) for n in (length, records))
    return ((tokens - own + by_record[:, None]).transpose(0, 1),)


def _along(_: nn.Module, given: tuple[Any, ...], made: Tensor) -> Tensor:
    return made.transpose(0, 1)


def _constant(_: nn.Module, given: tuple[Any, ...], made: Tensor) -> Tensor:
    return made.detach()
