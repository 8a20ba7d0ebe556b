"""What a pair is: which samples and leads of a record stand in which view."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.objectives import pairs
from ecglipse.views.lead_drop import lead_drop


def numbered(batch: int = 5, leads: int = 12, time: int = 40) -> tuple[Tensor, Tensor]:
    """Views in which every sample says where it is from; of view b it is the negative."""
    x = 1 + torch.arange(batch * leads * time, dtype=torch.float64).reshape(batch, leads, time)
    return x, -x


def draws(records: int) -> Draws:
    return Draws.of(0, "pairs", rows=range(records))


def test_records_stay_whole() -> None:
    a, b = numbered()
    assert pairs.records(a, b, draws(len(a))) == (a, b)


def test_two_segments_are_the_halves() -> None:
    a, b = numbered(time=41)
    first, second = pairs.segments(a, b, draws(len(a)))
    assert torch.equal(first, a[..., :20])
    assert torch.equal(second, b[..., 20:40])


def test_of_more_segments_neighbours_are_drawn_for_each_record() -> None:
    a, b = numbered(batch=200, time=43)
    first, second = pairs.segments(a, b, draws(len(a)), count=4)
    starts = (first[:, 0, 0] - a[:, 0, 0]).long()
    assert set(starts.tolist()) == {0, 10, 20}
    for record, start in enumerate(starts.tolist()):
        assert torch.equal(first[record], a[record, :, start : start + 10])
        assert torch.equal(second[record], b[record, :, start + 10 : start + 20])


@pytest.mark.parametrize(("kept", "each"), [(None, 6), (1, 1), (3, 3)])
def test_leads_of_the_two_views_are_disjoint_and_differ_between_records(kept: int | None, each: int) -> None:
    a, b = numbered(batch=50)
    one, other = pairs.leads(a, b, draws(len(a)), kept=kept)
    in_a, in_b = one[..., 0] != 0, other[..., 0] != 0
    assert torch.equal(one, a * in_a[..., None])
    assert torch.equal(other, b * in_b[..., None])
    assert (in_a.sum(1) == each).all()
    assert (in_b.sum(1) == each).all()
    assert not (in_a & in_b).any()
    assert len({tuple(row) for row in in_a.tolist()}) > 5


def thinned(there: list[list[bool]]) -> tuple[Tensor, Tensor]:
    """Views of as many records as combinations of what a and b have of four leads."""
    a, b = numbered(batch=len(there), leads=4)
    has = torch.tensor(there)
    return a * has[:, :4, None], b * has[:, 4:, None]


@pytest.mark.parametrize("kept", [None, 1])
@pytest.mark.parametrize("seed", range(3))
def test_leads_are_drawn_among_those_that_are_there(kept: int | None, seed: int) -> None:
    """Of every way in which leads of the two views may be missing: sets apart, of leads that are there."""
    ways = [list(way) for way in itertools.product([False, True], repeat=8)]
    a, b = thinned(ways)
    one, other = pairs.leads(a, b, Draws.of(seed, "pairs", rows=range(len(a))), kept=kept)
    for way, x, y, first, second in zip(ways, a, b, one, other, strict=True):
        has_a, has_b = (set(np.flatnonzero(half)) for half in (way[:4], way[4:]))
        in_a, in_b = (set(np.flatnonzero((view != 0).all(-1))) for view in (first, second))
        if not has_a or not has_b or len(has_a | has_b) < 2:  # no two sets: the views as they are
            assert torch.equal(first, x)
            assert torch.equal(second, y)
            continue
        assert in_a <= has_a
        assert in_b <= has_b
        assert not in_a & in_b
        assert 1 <= len(in_a) == len(in_b) <= (kept or 2)
        assert torch.equal(first[sorted(in_a)], x[sorted(in_a)])
        assert torch.equal(second[sorted(in_b)], y[sorted(in_b)])
        if has_a == has_b and kept is None:
            assert len(in_a) == len(has_a) // 2


def test_leads_that_are_there_are_equally_likely() -> None:
    a, b = numbered(batch=4000)
    a[:, [2, 5]], b[:, [2, 5]] = 0, 0
    one, other = (view[..., 0] != 0 for view in pairs.leads(a, b, draws(4000), kept=2))
    for view in (one, other):  # 800 records of each of ten leads, with a deviation of 25
        assert (view.sum(0)[[2, 5]] == 0).all()
        assert (view.sum(0)[[0, 1, 3, 4, 6, 7, 8, 9, 10, 11]] - 800).abs().max() < 4.5 * 26


def test_where_all_leads_are_there_the_draws_are_as_ever() -> None:
    a, b = numbered(batch=50)
    for each in (1, 3, 6):
        rank = draws(50).uniform(12, 1).argsort(1).argsort(1)
        one, other = pairs.leads(a, b, draws(50), kept=each)
        assert torch.equal(one, a * (rank < each))
        assert torch.equal(other, b * ((rank >= each) & (rank < 2 * each)))


def test_lead_drop_gives_no_empty_view_beside_another() -> None:
    x = numbered(batch=2000)[0]
    a, b = (lead_drop(x, Draws.of(0, side, rows=range(2000)), share=0.5) for side in "ab")
    for view in pairs.leads(a, b, draws(2000)):
        assert (view != 0).flatten(1).any(1).all()


def test_both_cuts_time_and_leads() -> None:
    a, b = numbered()
    one, other = pairs.both(pairs.segments, pairs.leads)(a, b, draws(len(a)))
    assert one.shape == other.shape == (5, 12, 20)
    assert ((one != 0).all(-1).sum(1) == 6).all()
    kept = other != 0
    assert torch.equal(other[kept], b[..., 20:40][kept])


def test_crops_lie_anywhere_each_at_a_place_of_its_own() -> None:
    a, b = numbered(batch=2000, time=43)
    first, second = pairs.crops(a, b, draws(len(a)), length=10)
    places = [(crop[:, 0, 0].abs() - a[:, 0, 0]).long() for crop in (first, second)]
    for record in range(0, 2000, 97):
        one, other = (int(place[record]) for place in places)
        assert torch.equal(first[record], a[record, :, one : one + 10])
        assert torch.equal(second[record], b[record, :, other : other + 10])
    for place in places:  # 34 places of 59 records each; a place is missed by chance once in 1e25
        counts = torch.bincount(place, minlength=34)
        assert len(counts) == 34
        assert counts.min() > 25
    together = torch.corrcoef(torch.stack([place.double() for place in places]))[0, 1]
    assert abs(float(together)) < 0.1  # four standard errors


def test_a_crop_as_long_as_the_record_is_the_record() -> None:
    a, b = numbered()
    first, second = pairs.crops(a, b, draws(len(a)), length=40)
    assert torch.equal(first, a)
    assert torch.equal(second, b)


def test_refuses_what_cannot_be_cut() -> None:
    a, b = numbered()
    with pytest.raises(ValueError, match=r"`length` must be in 1\.\.40; got 41"):
        pairs.crops(a, b, draws(len(a)), length=41)
    with pytest.raises(ValueError, match=r"`count` must be in 2\.\.40; got 1"):
        pairs.segments(a, b, draws(len(a)), count=1)
    with pytest.raises(ValueError, match=r"`kept` must be in 1\.\.6, half of the 12 leads; got 7"):
        pairs.leads(a, b, draws(len(a)), kept=7)
