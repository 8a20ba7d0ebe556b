"""Masks over time: which samples are hidden, and what stands there instead.

A mask is (batch, 1 or lead, time) with 1 = occluded. Random and learned masks are made by the same two
functions, `exact_mask` and `hide`, from scores per segment; they differ only in where the scores come
from, so that a random mask is matched to a learned one in coverage and in segment lengths by construction.
"""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.draws import Draws


def segment_of_sample(
    n_segments: int, time: int, *, device: torch.device | None = None
) -> Int[Tensor, " time"]:
    """Number of the segment that each sample lies in; segments differ in length by at most one sample."""
    return torch.arange(time, device=device) * n_segments // time


def exact_mask(
    scores: Float[Tensor, "batch group segment"],
    *,
    time: int,
    coverage: float,
    joint: bool = False,
    order: Int[Tensor, "batch ..."] | None = None,
) -> Float[Tensor, "batch group {time}"]:
    """Hide the segments of highest score until exactly `round(coverage * time)` samples are hidden.

    The last segment taken is hidden only in its first samples where a whole one would be too much, so
    coverage is met to within half a sample in every record and group, whatever the scores.

    Args:
        scores: one per segment; a group is a lead, or all leads at once.
        time: samples.
        coverage: share of samples to hide, 0 to 1.
        joint: segments of all groups compete, and coverage is that of the record; else it is each group's.
        order: `ranked(scores)`, of the flattened scores where joint, if it is known.

    Returns:
        Zeros and ones. Carries no gradient.

    Raises:
        ValueError: if `coverage` is outside 0..1 or there are more segments than samples.
    """
    if not 0.0 <= coverage <= 1.0:
        raise ValueError(f"`coverage` must be in 0..1; got {coverage}")
    n_segments = scores.shape[-1]
    if n_segments > time:
        raise ValueError(f"`scores` has {n_segments} segments for {time} samples; at most one a sample")
    edges = -(torch.arange(n_segments + 1, device=scores.device) * -time // n_segments)  # ceil division
    flat, lengths, wanted = scores.detach(), edges.diff(), round(coverage * time)
    if joint:
        flat, lengths = flat.flatten(1), lengths.repeat(scores.shape[1])
        wanted = round(coverage * time * scores.shape[1])
    order = ranked(flat) if order is None else order.reshape(flat.shape)
    sorted_lengths = lengths[order]
    before = sorted_lengths.cumsum(-1) - sorted_lengths
    taken = (wanted - before).clamp(min=0).minimum(sorted_lengths)
    allotted = torch.empty_like(taken).scatter_(-1, order, taken).reshape(scores.shape)
    mask = scores.new_empty(*scores.shape[:2], time)
    if time % n_segments == 0:
        place = torch.arange(time // n_segments, device=scores.device)
        torch.lt(place, allotted.unsqueeze(-1), out=mask.view(*scores.shape, -1))
        return mask
    segment = segment_of_sample(n_segments, time, device=scores.device)
    place = torch.arange(time, device=scores.device) - edges[segment]
    torch.lt(place, allotted[..., segment], out=mask)
    return mask


def ranked(scores: Float[Tensor, "batch *group segment"]) -> Int[Tensor, "batch *group segment"]:
    """Numbers of the segments from the highest score to the lowest; of equal ones the first comes first."""
    return scores.detach().argsort(dim=-1, descending=True, stable=True)


def relaxed_shares(
    scores: Float[Tensor, "batch group segment"],
    *,
    coverage: float,
    temperature: float,
    order: Int[Tensor, "batch group segment"] | None = None,
) -> Float[Tensor, "batch group segment"]:
    """Soften the top segments: sigmoid((score - threshold) / temperature), threshold between kept and hidden.

    The threshold follows the scores so that, to first order, the share hidden does not change with them:
    with w the sigmoid's slope at each segment, d(threshold) = sum(w * d(score)) / sum(w). What is left in
    the gradient is which segments to hide, not how many.

    Args:
        scores: one per segment.
        coverage: share of samples hidden, inside 0..1.
        temperature: in the unit of the scores, > 0.
        order: `ranked(scores)`, if it is known.

    Returns:
        How much of each segment is hidden, 0 to 1.

    Raises:
        ValueError: if `temperature` is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"`temperature` must be > 0; got {temperature}")
    n_segments = scores.shape[-1]
    hidden = min(max(round(coverage * n_segments), 1), n_segments - 1) if n_segments > 1 else 1
    order = ranked(scores) if order is None else order
    edge = order[..., hidden - 1 : hidden + 1]
    threshold = scores.detach().gather(-1, edge).mean(-1, keepdim=True)
    share = torch.sigmoid((scores.detach() - threshold) / temperature)
    slope = share * (1 - share)
    weight = slope / slope.sum(-1, keepdim=True).clamp(min=1e-12)
    moved = (weight * (scores - scores.detach())).sum(-1, keepdim=True)
    return torch.sigmoid((scores - threshold - moved) / temperature)


def straight_through(
    hard: Float[Tensor, "batch group time"], shares: Float[Tensor, "batch group segment"]
) -> Float[Tensor, "batch group time"]:
    """Give the hard mask, with the gradient of the shares spread over their segments.

    The same as hard + soft - detach(soft) with soft = `spread(shares)`, without three tensors of the
    signal's size.

    Source:
        Bengio, Leonard and Courville 2013, arXiv:1308.3432.
    """
    mask: Tensor = _StraightThrough.apply(hard, shares)  # type: ignore[no-untyped-call]
    return mask


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hard: Tensor, shares: Tensor) -> Tensor:
        ctx.n_segments = shares.shape[-1]
        return hard.view_as(hard)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, summed(grads[0], ctx.n_segments)


def spread(shares: Float[Tensor, "batch group segment"], *, time: int) -> Float[Tensor, "batch group {time}"]:
    """Repeat each segment's value over its samples."""
    n_segments = shares.shape[-1]
    if time % n_segments == 0:
        return shares.unsqueeze(-1).expand(*shares.shape, time // n_segments).flatten(-2)
    return shares[..., segment_of_sample(n_segments, time, device=shares.device)]


def summed(
    values: Float[Tensor, "batch row time"], n_segments: int
) -> Float[Tensor, "batch row {n_segments}"]:
    """Sum over each segment's samples: the transpose of `spread`."""
    time = values.shape[-1]
    if time % n_segments == 0:
        folded: Tensor = values.unflatten(-1, (n_segments, -1))
        return folded.sum(-1)
    sums = values.new_zeros(*values.shape[:-1], n_segments)
    return sums.index_add_(-1, segment_of_sample(n_segments, time, device=values.device), values)


def random_mask(
    batch: int,
    groups: int,
    time: int,
    draws: Draws,
    *,
    coverage: float,
    n_segments: int,
    joint: bool = False,
) -> Float[Tensor, "{batch} {groups} {time}"]:
    """Hide uniformly random segments: the twin of a learned mask of the same coverage and segments."""
    scores = draws.uniform(groups, n_segments)
    return exact_mask(scores, time=time, coverage=coverage, joint=joint)


def hide(
    x: Float[Tensor, "batch lead time"],
    mask: Float[Tensor, "batch group time"],
    fill: Float[Tensor, "batch lead #time"],
) -> Float[Tensor, "batch lead time"]:
    """Put `fill` where the mask is 1: x * (1 - mask) + fill * mask; mask 0 gives x back bit by bit.

    Args:
        x: mV.
        mask: 1 = occluded; one group for all leads, or a group a lead.
        fill: what stands in hidden places, mV.
    """
    return torch.lerp(x, fill.expand_as(x), mask.expand_as(x))


def baseline_fill(
    x: Float[Tensor, "batch lead time"], mask: Float[Tensor, "batch group time"]
) -> Float[Tensor, "batch lead 1"]:
    """Isoelectric level: the median of each lead, which in an ECG lies on the TP and PQ segments.

    Taken over every n-th sample, n such that 250 to 500 are looked at. On a CPU by `numpy.partition`, whose
    vectorised selection takes a tenth of the time of `torch.median`; the value is the same.
    """
    some = x[..., :: max(x.shape[-1] // 250, 1)]
    if x.device.type != "cpu" or x.dtype != torch.float32 or x.requires_grad:
        return some.median(dim=-1, keepdim=True).values
    middle = (some.shape[-1] - 1) // 2
    return torch.from_numpy(np.partition(some.numpy(), middle, axis=-1)[..., middle, None].copy())


def bridge_fill(
    x: Float[Tensor, "batch lead time"], mask: Float[Tensor, "batch group time"]
) -> Float[Tensor, "batch lead time"]:
    """Straight line over each hidden stretch, from the last visible sample to the next one.

    At an end of the record the nearest visible sample is held; a lead hidden whole gets its median.
    """
    time = x.shape[-1]
    visible = mask.detach().expand_as(x) < 0.5
    index = torch.arange(time, device=x.device).expand_as(x)
    before = torch.where(visible, index, -1).cummax(-1).values
    after = torch.where(visible, index, time).flip(-1).cummin(-1).values.flip(-1)
    left = torch.where(before < 0, after, before).clamp(0, time - 1)
    right = torch.where(after >= time, before, after).clamp(0, time - 1)
    width = (right - left).clamp(min=1)
    share = ((index - left).to(x.dtype) / width).clamp(0, 1)
    line = torch.lerp(x.gather(-1, left), x.gather(-1, right), share)
    return torch.where(visible.any(-1, keepdim=True), line, baseline_fill(x, mask))


def tapered(mask: Float[Tensor, "batch group time"], samples: int) -> Float[Tensor, "batch group time"]:
    """Give hidden stretches edges that rise over `samples` samples within the stretch, as a raised cosine.

    Visible samples stay visible bit by bit; what is hidden at an edge is hidden in part. The gradient is
    that of the mask.
    """
    if samples < 1:
        return mask
    hard = mask.detach()
    edge = torch.ones_like(hard)
    for distance in range(1, samples + 1):
        left = torch.nn.functional.pad(hard, (distance, 0), value=1.0)[..., : hard.shape[-1]]
        right = torch.nn.functional.pad(hard, (0, distance), value=1.0)[..., distance:]
        level = 0.5 - 0.5 * math.cos(math.pi * distance / (samples + 1))
        near = (left < 0.5) | (right < 0.5)
        edge = torch.where(near, edge.clamp(max=level), edge)
    return mask * edge
