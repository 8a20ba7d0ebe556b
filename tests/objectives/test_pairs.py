"""What a pair is: which samples and leads of a record stand in which view."""

import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.objectives import pairs


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
