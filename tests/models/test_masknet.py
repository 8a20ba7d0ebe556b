"""The mask network: small, blind to neighbours, and drawn from its own generator."""

import pytest
import torch

from ecglipse.models.masknet import MaskNet


def net(seed: int = 0, **changes: object) -> MaskNet:
    settings = {"groups": 12, "width": 32, "fs": 100.0}
    return MaskNet(**{**settings, **changes}, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("width", "most"), [(32, 300_000), (16, 60_000), (8, 20_000)])
def test_is_small(width: int, most: int) -> None:
    assert sum(p.numel() for p in net(width=width).parameters()) <= most


@pytest.mark.parametrize("time", [250, 500, 997, 1000, 2500])
@pytest.mark.parametrize("segments", [2, 13, 40])
def test_scores_any_length_in_any_number_of_segments(time: int, segments: int) -> None:
    x = torch.randn(2, 12, time, generator=torch.Generator().manual_seed(1))
    scores = net(width=8)(x, segments)
    assert scores.shape == (2, 12, segments)
    assert torch.isfinite(scores).all()


def test_folded_frames_equal_adaptive_pooling() -> None:
    """The fast path for lengths that divide evenly, against the pools that serve every length."""
    model, x = net(width=8), torch.randn(2, 12, 1000, generator=torch.Generator().manual_seed(1))
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / centred.abs().mean((1, 2), keepdim=True)
    pool = torch.nn.functional.adaptive_max_pool1d
    mean = torch.nn.functional.adaptive_avg_pool1d(scaled, 250)
    by_hand = torch.cat([mean, pool(scaled, 250), -pool(-scaled, 250)], dim=1)
    torch.testing.assert_close(model._frames(x), by_hand)
    assert model._frames(x[..., :997]).shape == (2, 36, 250)


def test_score_of_a_record_does_not_depend_on_its_neighbours() -> None:
    model = net().train()
    x = torch.randn(4, 12, 500, generator=torch.Generator().manual_seed(1))
    others = x.clone()
    others[1:] = 100 * torch.randn(3, 12, 500, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(model(x, 20)[0], model(others, 20)[0], rtol=0, atol=1e-6)
    assert not torch.allclose(model(x, 20)[1], model(others, 20)[1])


def test_score_does_not_depend_on_the_size_of_the_signal() -> None:
    model, x = net(), torch.randn(2, 12, 500, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model(x, 20), model(1000 * x, 20), rtol=1e-4, atol=1e-5)


def test_first_scores_are_near_zero_so_that_first_masks_are_as_good_as_random() -> None:
    x = torch.randn(8, 12, 1000, generator=torch.Generator().manual_seed(1))
    scores = net()(x, 40)
    assert 0 < scores.std() < 0.3


def test_a_silent_record_gives_finite_scores() -> None:
    assert torch.isfinite(net()(torch.zeros(2, 12, 500), 20)).all()


def test_weights_come_from_the_generator_and_from_nowhere_else() -> None:
    before = torch.random.get_rng_state()
    one, same, other = net(1), net(1), net(2)
    # torch's own constructors draw from the global generator before ours overwrites what they drew
    torch.random.set_rng_state(before)
    for a, b in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(a, b)
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame_hz": 10.0}, "`frame_hz` must be in 25..50; got 10.0"),
        ({"fs": 20.0}, "`fs` must be at least `frame_hz`"),
        ({"width": 12}, "`width` must be a multiple of 8; got 12"),
    ],
)
def test_refuses_what_it_cannot_be(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        net(**changes)
