"""What a pair is: two views of a whole record, of segments or crops of it, of different leads, or of both."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ecglipse.draws import Draws

Pairs = Callable[[Tensor, Tensor, Draws], tuple[Tensor, Tensor]]
"""(view a, view b, draws) to the two that are contrasted; both may become shorter."""


def records(
    view_a: Float[Tensor, "batch lead time"],
    view_b: Float[Tensor, "batch lead time"],
    draws: Draws,
) -> tuple[Float[Tensor, "batch lead time"], Float[Tensor, "batch lead time"]]:
    """Both views as they are: the whole record."""
    return view_a, view_b


def segments(
    view_a: Float[Tensor, "batch lead time"],
    view_b: Float[Tensor, "batch lead time"],
    draws: Draws,
    *,
    count: int = 2,
) -> tuple[Float[Tensor, "batch lead part"], Float[Tensor, "batch lead part"]]:
    """Of each record a segment of view a and the next segment of view b, drawn where there are more than two.

    Args:
        view_a: mV.
        view_b: mV.
        draws: choose which segment; not used when there are two.
        count: equal segments that a record is cut into, at least 2; a remainder at the end is left out.

    Raises:
        ValueError: if `count` is below 2 or above the samples.

    Source:
        Contrastive multi-segment coding (CMSC), Kiyasseh et al. 2021, arXiv:2005.13249. Departures: of more
        than two segments one neighbouring pair is drawn a step, where they take all pairs.
    """
    batch, _, time = view_a.shape
    if not 2 <= count <= time:
        raise ValueError(f"`count` must be in 2..{time}; got {count}")
    length = time // count
    if count == 2:
        return view_a[..., :length], view_b[..., length : 2 * length]
    first = draws.integers(count - 1, 1, 1)
    place = first.to(view_a.device) * length + torch.arange(length, device=view_a.device)
    place = place.expand(batch, view_a.shape[1], length)
    return view_a.gather(2, place), view_b.gather(2, place + length)


def crops(
    view_a: Float[Tensor, "batch lead time"],
    view_b: Float[Tensor, "batch lead time"],
    draws: Draws,
    *,
    length: int,
) -> tuple[Float[Tensor, "batch lead {length}"], Float[Tensor, "batch lead {length}"]]:
    """Of each record a stretch of view a and a stretch of view b, each from a place of its own.

    The two may overlap, as much as chance wants it.

    Args:
        view_a: mV.
        view_b: mV.
        draws: choose the places, record by record.
        length: of a stretch, samples.

    Raises:
        ValueError: if `length` is not in 1..time.

    Source:
        Random crops of both views, Chen et al. 2020, arXiv:2002.05709, appendix A, in time. Departures: the
        crop is not stretched: its length is time, and a heart's rate is told by it.
    """
    time = view_a.shape[2]
    if not 1 <= length <= time:
        raise ValueError(f"`length` must be in 1..{time}; got {length}")
    starts = draws.integers(time - length + 1, 2).to(view_a.device)
    within = torch.arange(length, device=view_a.device)

    def cut(view: Tensor, start: Tensor) -> Tensor:
        places = (start[:, None] + within)[:, None].expand(-1, view.shape[1], -1)
        return view.gather(2, places)

    return cut(view_a, starts[:, 0]), cut(view_b, starts[:, 1])


def leads(
    view_a: Float[Tensor, "batch lead time"],
    view_b: Float[Tensor, "batch lead time"],
    draws: Draws,
    *,
    kept: int | None = None,
) -> tuple[Float[Tensor, "batch lead time"], Float[Tensor, "batch lead time"]]:
    """Of each record some leads in view a and as many others in view b; what a view does not keep is zero.

    They are drawn among the leads that are there, not zero all along: those of a among a's, those of b among
    b's. Where fewer are there than asked for, each view keeps as many as both can have; where there are no
    two sets, such as with one lead, both views stay as they are.

    Args:
        view_a: mV.
        view_b: mV.
        draws: choose the leads, record by record.
        kept: leads that each view keeps; None: half of them.

    Raises:
        ValueError: if there are not enough leads for two views.

    Source:
        Contrastive multi-lead coding (CMLC), Kiyasseh et al. 2021, arXiv:2005.13249. Departures: their
        encoder sees one lead at a time, and all pairs of leads are contrasted; here the encoder is one for
        all leads, sees zeros for the others, and one pair of sets is drawn a step. `kept=1` is nearest to
        theirs.
    """
    total = view_a.shape[1]
    each = total // 2 if kept is None else kept
    if not 1 <= each <= total // 2:
        raise ValueError(f"`kept` must be in 1..{total // 2}, half of the {total} leads; got {each}")
    rank = draws.uniform(total, 1).argsort(1).argsort(1).to(view_a.device)
    in_a, in_b = ((view != 0).any(-1, keepdim=True) for view in (view_a, view_b))
    has_a, has_b, has = (some.sum(1, keepdim=True) for some in (in_a, in_b, in_a | in_b))
    count = torch.minimum(has_a, has_b).minimum(has // 2).clamp(max=each)
    for_a = _first(in_a & in_b, rank, has_b - count)
    a = _first(in_a & (for_a | ~in_b), rank, count)
    b = _first(in_b & ~a, rank, count)
    return view_a * (a | (count == 0)), view_b * (b | (count == 0))


def _first(
    leads: Bool[Tensor, "batch lead 1"], rank: Int[Tensor, "batch lead 1"], count: Int[Tensor, "batch 1 1"]
) -> Bool[Tensor, "batch lead 1"]:
    """Of these leads the first so many by rank."""
    place = (rank + leads.shape[1] * ~leads).argsort(1).argsort(1)
    return leads & (place < count)


def both(first: Pairs, second: Pairs) -> Pairs:
    """One after the other: of segments and leads, contrastive multi-segment multi-lead coding (CMSMLC)."""

    def cut(view_a: Tensor, view_b: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        return second(*first(view_a, view_b, draws), draws)

    return cut
