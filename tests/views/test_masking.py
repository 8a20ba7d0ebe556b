"""Masks: exact coverage, identity at zero, fills, and the relaxation's gradient."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglipse.draws import Draws
from ecglipse.views.masking import (
    baseline_fill,
    bridge_fill,
    exact_mask,
    hide,
    random_mask,
    relaxed_shares,
    segment_of_sample,
    spread,
    straight_through,
)


def draws(seed: int = 0, n: int = 3) -> Draws:
    return Draws.of(seed, "test", rows=range(n))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(
    time=st.integers(40, 1200),
    segments=st.integers(2, 40),
    coverage=st.floats(0, 1),
    groups=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
@settings(max_examples=200, deadline=None)
def test_coverage_is_met_to_half_a_sample(
    time: int, segments: int, coverage: float, groups: int, seed: int
) -> None:
    mask = random_mask(3, groups, time, draws(seed), coverage=coverage, n_segments=segments)
    share = mask.double().mean(-1)
    assert ((mask == 0) | (mask == 1)).all()
    assert (share - coverage).abs().max() <= 0.5 / time + 1e-9


@given(time=st.integers(40, 1200), segments=st.integers(2, 40))
@settings(max_examples=100, deadline=None)
def test_segments_differ_by_at_most_one_sample(time: int, segments: int) -> None:
    lengths = torch.bincount(segment_of_sample(segments, time), minlength=segments)
    assert lengths.sum() == time
    assert lengths.max() - lengths.min() <= 1


def test_highest_scores_are_hidden_and_the_last_segment_is_cut() -> None:
    scores = torch.tensor([[[0.0, 3.0, 1.0, 2.0]]])
    mask = exact_mask(scores, time=16, coverage=10 / 16)
    assert mask[0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1]


def test_masks_of_other_seeds_and_of_leads_differ() -> None:
    first = random_mask(2, 12, 200, draws(1, 2), coverage=0.5, n_segments=20)
    assert torch.equal(first, random_mask(2, 12, 200, draws(1, 2), coverage=0.5, n_segments=20))
    assert not torch.equal(first, random_mask(2, 12, 200, draws(2, 2), coverage=0.5, n_segments=20))
    assert not torch.equal(first[0, 0], first[0, 1])
    assert not torch.equal(first[0], first[1])


def test_mask_zero_is_identity_and_mask_one_is_fill_to_the_bit() -> None:
    x = torch.randn(4, 12, 300, generator=rng())
    for fill in (baseline_fill, bridge_fill):
        none, whole = torch.zeros(4, 1, 300), torch.ones(4, 12, 300)
        assert torch.equal(hide(x, none, fill(x, none)), x)
        assert torch.equal(hide(x, whole, fill(x, whole)), fill(x, whole).expand_as(x))


def test_hide_equals_its_equation() -> None:
    x, fill, mask = (torch.randn(2, 12, 50, generator=rng(i)) for i in range(3))
    mask = torch.sigmoid(mask)
    torch.testing.assert_close(hide(x, mask, fill), x * (1 - mask) + fill * mask)


def test_baseline_fill_is_the_leads_own_median() -> None:
    x = torch.zeros(1, 12, 101)
    x[0, 3] = 0.2
    x[0, 3, :20] = 5.0
    fill = baseline_fill(x, torch.zeros(1, 1, 101))
    assert fill[0, 3, 0] == pytest.approx(0.2)
    assert fill[0, 0, 0] == 0


def test_bridge_joins_its_visible_ends_by_a_straight_line() -> None:
    x = torch.arange(20.0).expand(1, 12, 20) * 0.1
    mask = torch.zeros(1, 1, 20)
    mask[..., 5:11] = 1
    spiked = x.clone()
    spiked[..., 5:11] = 9
    torch.testing.assert_close(hide(spiked, mask, bridge_fill(spiked, mask)), x)


def test_bridge_holds_the_nearest_sample_at_the_ends() -> None:
    x = torch.arange(10.0).expand(1, 12, 10)
    mask = torch.zeros(1, 1, 10)
    mask[..., :3] = 1
    mask[..., 8:] = 1
    hidden = hide(x, mask, bridge_fill(x, mask))
    assert hidden[0, 0].tolist() == [3, 3, 3, 3, 4, 5, 6, 7, 7, 7]


def test_relaxation_keeps_the_share_hidden_to_first_order() -> None:
    scores = torch.randn(2, 3, 20, generator=rng(), dtype=torch.float64, requires_grad=True)
    shares = relaxed_shares(scores, coverage=0.4, temperature=0.7)
    (slope,) = torch.autograd.grad(shares.sum(), scores, retain_graph=True)
    assert slope.abs().max() < 1e-9
    (single,) = torch.autograd.grad(shares[0, 0, 0], scores)
    assert single[0, 0, 0] > 0


def test_relaxation_approaches_the_exact_mask_as_it_cools() -> None:
    scores = torch.randn(2, 3, 20, generator=rng())
    hard = exact_mask(scores, time=200, coverage=0.4)
    shares = relaxed_shares(scores, coverage=0.4, temperature=1e-6)
    torch.testing.assert_close(spread(shares, time=200), hard)


@pytest.mark.parametrize("time", [200, 207])
def test_straight_through_equals_hard_plus_soft_minus_soft(time: int) -> None:
    scores = torch.randn(2, 3, 20, generator=rng(), requires_grad=True)
    hard, weight = exact_mask(scores, time=time, coverage=0.4), torch.randn(2, 3, time, generator=rng(1))
    soft = spread(relaxed_shares(scores, coverage=0.4, temperature=1.0), time=time)
    (wanted,) = torch.autograd.grad((weight * (hard + soft - soft.detach())).sum(), scores)
    mask = straight_through(hard, relaxed_shares(scores, coverage=0.4, temperature=1.0))
    (got,) = torch.autograd.grad((weight * mask).sum(), scores)
    assert torch.equal(mask, hard)
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: exact_mask(s, time=40, coverage=1.5), "`coverage` must be in 0..1; got 1.5"),
        (lambda s: exact_mask(s, time=4, coverage=0.5), "10 segments for 4 samples"),
        (lambda s: relaxed_shares(s, coverage=0.5, temperature=0.0), "`temperature` must be > 0"),
    ],
)
def test_programmers_mistakes_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("`", "`")):
        call(torch.zeros(1, 1, 10))


def test_chance_of_each_segment_is_equal_in_random_masks() -> None:
    """Share of 4,000 masks that hide each of 10 segments: 0.5 within 4.5 standard errors."""
    mask = random_mask(4000, 1, 100, draws(n=4000), coverage=0.5, n_segments=10)
    share = mask[:, 0].unflatten(-1, (10, 10)).mean((0, 2))
    assert (share - 0.5).abs().max() < 4.5 * 0.5 / math.sqrt(4000)
