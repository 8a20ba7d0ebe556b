"""Views in time: a piece stretched to the whole, and a clock that runs unevenly. All leads move together."""

import math

import torch

from ecglipse.draws import Draws
from ecglipse.views.parts import Change, Planned, Shape
from ecglipse.views.waves import between_knots, knots_every, read_at


@Planned
def crop_resize(draws: Draws, shape: Shape, *, least: float) -> Change:
    """Cut a piece out of each record and stretch it to the record's length, by straight lines.

    Args:
        least: smallest share of the record that is kept, in 0..1; the share is uniform in least..1, and so is
            the start. Heart rate falls and intervals grow by up to 1 / least.

    Raises:
        ValueError: if `least` is not in 0..1 or is 0.
    """
    if not 0 < least <= 1:
        raise ValueError(f"`least` must be in 0..1 and not 0; got {least}")
    last = shape[-1] - 1
    share = least + (1 - least) * draws.uniform(1)
    start = last * (1 - share) * draws.uniform(1)
    return read_at(start + share * torch.arange(last + 1, device=draws.device))


@Planned
def time_warp(draws: Draws, shape: Shape, *, fastest: float, fs: float, knot_s: float = 1.0) -> Change | None:
    """Let time run faster here and slower there; the first and the last sample stay.

    The logarithm of the speed is a straight line between knots, uniform in +-log(fastest) at each; the way is
    its sum, scaled to end at the last sample.

    Args:
        fastest: largest speed at a knot before the way is scaled, >= 1; 1 gives x back. A record's own speed
            is within 1 / fastest^2..fastest^2.
        fs: Hz.
        knot_s: seconds between knots, at most.

    Raises:
        ValueError: if `fastest` is below 1, `knot_s` is not positive, or a knot is nearer than a sample.
    """
    if fastest < 1:
        raise ValueError(f"`fastest` must be >= 1; got {fastest}")
    if not knot_s > 0:
        raise ValueError(f"`knot_s` must be > 0; got {knot_s}")
    if fastest == 1:
        return None
    time = shape[-1]
    knots = draws.uniform(knots_every(knot_s, time, fs=fs)).double()
    speed = between_knots(math.log(fastest) * (2 * knots - 1), time).exp()
    way = speed.cumsum(-1) - speed[:, :1]
    return read_at(way * ((time - 1) / way[:, -1:]))
