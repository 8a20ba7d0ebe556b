"""All encoders by name, and how one is used on a record that has only some of its leads."""

import difflib
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.leads import LEADS, canonical
from ecglipse.models.clocs import clocs_cnn
from ecglipse.models.layers import Encoder
from ecglipse.models.patches import patch_transformer
from ecglipse.models.resnet import resnet18, resnet34, resnet50
from ecglipse.models.s4d import s4d
from ecglipse.models.xresnet import xresnet1d50

ENCODERS: dict[str, Callable[..., Encoder]] = {
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "xresnet1d50": xresnet1d50,
    "clocs-cnn": clocs_cnn,
    "patch-transformer": patch_transformer,
    "s4d": s4d,
}
"""Makers of encoders: each takes `leads`, `width`, `dim` and `generator`, with defaults but for the last."""


def encoder(name: str, *, leads: int, width: int, dim: int, generator: torch.Generator) -> Encoder:
    """Make an encoder.

    Args:
        name: one of `ENCODERS`.
        leads: leads of the input.
        width: of the network; what it counts is said by each.
        dim: size of the features.
        generator: draws every initial weight.

    Raises:
        ValueError: if there is no such encoder, or the width does not fit it.
    """
    if name not in ENCODERS:
        near = difflib.get_close_matches(name, ENCODERS, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"`name` must be one of {', '.join(ENCODERS)}; got {name!r}{meant}")
    return ENCODERS[name](leads=leads, width=width, dim=dim, generator=generator)


def encode(
    net: nn.Module,
    x: Float[Tensor, "batch present time"],
    *,
    leads: tuple[str, ...],
    trained_on: tuple[str, ...] = LEADS,
) -> Float[Tensor, "batch dim"]:
    """Give the features of records of which only some leads are there; zeros stand for the others.

    Good features of few leads need an encoder that was trained with `encoder.lead_drop`.

    Args:
        net: from (batch, lead, time) to (batch, dim).
        x: mV, in the order of `leads`.
        leads: names of the leads of `x`, in any order, each once.
        trained_on: names of the encoder's own leads, in their order.

    Raises:
        RecordError: if there is no lead of such a name.
        ValueError: if a lead is there twice, or the encoder does not have it.
    """
    return net(place(x, leads=leads, among=trained_on))  # type: ignore[no-any-return]


def pooled(net: Encoder) -> Encoder:
    """Take the last linear layer out of an encoder, for good: its features are then what went into it.

    That is the mean over time of the last activations (mean and highest in xresnet1d50, all of them in
    clocs-cnn), as many numbers as that layer had inputs.

    Raises:
        ValueError: if it has been taken out already.
    """
    if not isinstance(net.features, nn.Linear):
        raise ValueError("`net` must have its last layer; it has been taken out already")
    net.dim, net.features = net.features.in_features, nn.Identity()
    return net


def place(
    x: Float[Tensor, "batch present time"], *, leads: tuple[str, ...], among: tuple[str, ...] = LEADS
) -> Float[Tensor, "batch lead time"]:
    """Set leads by name among others, which are zeros; see `encode`."""
    names = [canonical(lead) for lead in leads]
    if len(names) != x.shape[1] or len(set(names)) != len(names):
        raise ValueError(f"`leads` must name each of the {x.shape[1]} leads of `x` once; got {leads}")
    strange = [name for name in names if name not in among]
    if strange:
        raise ValueError(f"the encoder has no lead {', '.join(strange)}: it has {', '.join(among)}")
    whole = x.new_zeros(x.shape[0], len(among), x.shape[2])
    whole[:, [among.index(name) for name in names]] = x
    return whole
