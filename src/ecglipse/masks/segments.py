"""From scores of segments to masks of exact coverage, drawn or decided, with a gradient.

Learned, predicted and guided masks are made by the one function `draw_segments`, and those by chance by the
`exact_mask` within it, so that two of the same form, coverage and segments differ in *where* they hide and in
nothing else.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.views.masking import exact_mask, ranked, relaxed_shares, spread, straight_through

Choice = Literal["drawn", "decided", "soft"]


def draw_segments(
    scores: Float[Tensor, "batch group segment"],
    draws: Draws,
    *,
    time: int,
    form: Form,
    choice: Choice,
    coverage: float,
    temperature: float,
) -> Float[Tensor, "batch some {time}"]:
    """Turn scores into masks of exact coverage, with the gradient of the relaxed choice.

    Args:
        scores: of the segments; higher is hidden first.
        draws: of the Gumbel noise.
        time: samples.
        form: which leads a group is.
        choice: as in `LearnedMask`.
        coverage: share hidden.
        temperature: of the relaxation.
    """
    if choice == "drawn":
        scores = scores + gumbel(scores, draws)
    rows = scores.flatten(1).unsqueeze(1) if form.joint else scores
    order = ranked(rows)
    shares = relaxed_shares(rows, coverage=coverage, temperature=temperature, order=order)
    shares = shares.reshape(scores.shape)
    if choice == "soft":
        return form.over_leads(spread(shares, time=time))
    hard = exact_mask(scores, time=time, coverage=coverage, joint=form.joint, order=order)
    return form.over_leads(straight_through(hard, shares))


def count_segments(time: int, *, segment_s: float, fs: float, form: Form | None = None) -> int:
    """How many segments of about `segment_s` seconds a record of `time` samples is cut into.

    At least 2, or 1 where segments of several leads compete (then whole leads are hidden).
    """
    least = 1 if form is not None and form.joint else 2
    return min(max(round(time / (segment_s * fs)), least), time)


def gumbel(like: Float[Tensor, "batch ..."], draws: Draws) -> Tensor:
    """Standard Gumbel noise of the shape of `like`."""
    uniform = draws.uniform(*like.shape[1:]).to(like.device)
    return -torch.log(-torch.log(uniform.clamp(1e-7, 1 - 1e-7)))
