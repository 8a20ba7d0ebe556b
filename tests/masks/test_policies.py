"""Mask policies: same coverage and segments whoever decides; drawn masks follow the learned distribution."""

import pytest
import torch

from ecglipse.draws import Draws
from ecglipse.masks import Form, LearnedMask, MixedMask, NoMask, RandomMask
from ecglipse.masks.segments import count_segments
from ecglipse.models.masknet import MaskNet

FS = 100.0


def draws(seed: int = 0, n: int = 6) -> Draws:
    return Draws.of(seed, "test", rows=range(n))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def signals(n: int = 6) -> torch.Tensor:
    return torch.randn(n, 12, 1000, generator=rng(9))


def learned(groups: int = 12, choice: str = "drawn", coverage: float = 0.5, gain: float = 1.0) -> LearnedMask:
    net = MaskNet(groups=groups, width=8, fs=FS, generator=rng(3))
    with torch.no_grad():
        net.out.weight.mul_(gain)
    return LearnedMask(net, coverage=coverage, segment_s=0.25, fs=FS, choice=choice)


@pytest.mark.parametrize("coverage", [0.1, 0.33, 0.5, 0.9])
@pytest.mark.parametrize("groups", [1, 12])
@pytest.mark.parametrize("choice", ["drawn", "decided"])
def test_learned_masks_are_binary_and_cover_exactly(coverage: float, groups: int, choice: str) -> None:
    mask = learned(groups, choice, coverage)(signals(), draws()).detach()
    assert mask.shape == (6, groups, 1000)
    assert ((mask - mask.round()).abs() < 1e-6).all()
    assert (mask.mean(-1) - coverage).abs().max() < 0.01


def test_learned_and_random_masks_have_the_same_segments() -> None:
    for policy in (learned(), RandomMask(form=Form(12), coverage=0.5, segment_s=0.25, fs=FS)):
        mask = policy(signals(), draws()).detach().round()
        folded = mask.unflatten(-1, (40, 25))
        assert (folded == folded[..., :1]).all()


def test_drawn_masks_differ_between_draws_and_decided_ones_do_not() -> None:
    x = signals()
    assert not torch.equal(learned()(x, draws(1)), learned()(x, draws(2)))
    assert torch.equal(learned()(x, draws(1)), learned()(x, draws(1)))
    assert torch.equal(learned(choice="decided")(x, draws(1)), learned(choice="decided")(x, draws(2)))


def test_segments_of_higher_logit_are_hidden_more_often() -> None:
    policy, x = learned(gain=60.0), signals(2)
    logits = policy.logits(x).detach()
    with torch.no_grad():
        often = (
            torch.stack([policy(x, draws(draw, 2)) for draw in range(200)])
            .mean(0)
            .unflatten(-1, (40, 25))
            .mean(-1)
        )
    assert logits.std() > 0.3
    together = torch.corrcoef(torch.stack([logits.flatten(), often.flatten()]))[0, 1]
    assert together > 0.9


def test_logits_are_bounded_and_centred() -> None:
    policy = learned(gain=1e6)
    logits = policy.logits(signals())
    assert logits.mean(-1).abs().max() < 1e-5
    assert logits.abs().max() <= 2 * policy.bound


def test_gradient_reaches_the_network_only_through_where_and_not_how_much() -> None:
    policy = learned()
    mask = policy(signals(), draws())
    (total,) = torch.autograd.grad(mask.sum(), policy.net.out.weight, retain_graph=True)
    (first,) = torch.autograd.grad(mask[..., :500].sum(), policy.net.out.weight)
    assert first.abs().max() > 1e-3
    assert total.abs().max() < 1e-2 * first.abs().max()


def test_mask_of_a_record_does_not_depend_on_its_neighbours() -> None:
    policy, x = learned(gain=30.0), signals()
    others = x.clone()
    others[1:] *= -5
    assert torch.equal(policy(x, draws())[0].round(), policy(others, draws())[0].round())


def test_no_mask_hides_nothing() -> None:
    assert not NoMask()(signals(), draws()).any()


def test_mixture_takes_each_record_from_one_of_the_two() -> None:
    shared = RandomMask(form=Form(1), coverage=0.5, segment_s=0.25, fs=FS)
    mixed = MixedMask(learned(), shared, share=0.5)
    mask = mixed(signals(400), draws(n=400)).detach()
    alike = (mask == mask[:, :1]).all(-1).all(-1)
    assert 150 < alike.sum() < 250
    assert (mask.mean(-1) - 0.5).abs().max() < 0.01


@pytest.mark.parametrize(("time", "count"), [(1000, 40), (990, 40), (20, 2), (2500, 100)])
def test_number_of_segments(time: int, count: int) -> None:
    assert count_segments(time, segment_s=0.25, fs=FS) == count
