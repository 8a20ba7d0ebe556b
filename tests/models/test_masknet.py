"""The mask network: small, blind to neighbours, and drawn from its own generator."""

import hashlib
import itertools
from pathlib import Path

import pytest
import torch

from ecglipse.models.masknet import MaskNet


def net(seed: int = 0, **changes: object) -> MaskNet:
    settings = {"groups": 12, "width": 32, "fs": 100.0}
    return MaskNet(**{**settings, **changes}, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("width", "most"), [(32, 300_000), (16, 60_000), (8, 20_000)])
def test_is_small(width: int, most: int) -> None:
    assert sum(p.numel() for p in net(width=width).parameters()) <= most


def parameters(*, leads: int, groups: int, width: int, depth: int, kernel: int, norm: str) -> int:
    """By hand: weights of the convolutions, gain and offset of the norms, the last one's bias."""
    widths = [width * (2 + level) // 2 for level in range(depth + 1)]
    blocks = [(3 * leads, width), *itertools.pairwise(widths), (widths[-1], widths[-1])]
    blocks += [(widths[k] + widths[k - 1], widths[k - 1]) for k in range(depth, 0, -1)]
    of_blocks = sum(kernel * a * b + (0 if norm == "none" else 2 * b) for a, b in blocks)
    return of_blocks + kernel * width * groups + groups


TABLE = {
    (16, 1, 2, 5, "group"): 24_049,
    (16, 12, 2, 5, "group"): 24_940,
    (32, 12, 2, 5, "group"): 91_468,
    (32, 12, 0, 5, "group"): 12_940,
    (32, 12, 1, 5, "group"): 40_012,
    (32, 12, 3, 5, "group"): 174_988,
    (32, 12, 2, 3, "group"): 55_116,
    (32, 12, 2, 9, "group"): 164_172,
    (32, 12, 2, 5, "none"): 90_892,
}
"""Width, groups, depth, kernel and norm, and the parameters that docs/method.md says."""


@pytest.mark.parametrize("row", TABLE)
def test_the_table_of_sizes(row: tuple[int, int, int, int, str]) -> None:
    names = dict(zip(("width", "groups", "depth", "kernel", "norm"), row, strict=True))
    count = sum(p.numel() for p in net(**names).parameters())
    assert count == parameters(leads=12, **names) == TABLE[row]
    said = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    assert f"{count:,}" in said


@pytest.mark.parametrize("depth", [0, 1, 2, 4])
@pytest.mark.parametrize("kernel", [1, 3, 9])
@pytest.mark.parametrize("norm", ["group", "layer", "instance", "none"])
def test_any_form_scores_any_length_and_each_record_by_itself(depth: int, kernel: int, norm: str) -> None:
    model = net(width=8, depth=depth, kernel=kernel, norm=norm, frame_hz=50.0).train()
    for time in (30, 997, 1000):
        x = torch.randn(3, 12, time, generator=torch.Generator().manual_seed(1))
        others = torch.cat([x[:1], 50 * x[1:].flip(0)])
        scores = model(x, 13)
        assert scores.shape == (3, 12, 13)
        assert torch.isfinite(scores).all()
        torch.testing.assert_close(scores[0], model(others, 13)[0], rtol=1e-4, atol=1e-6)
    scores.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_the_default_is_the_network_of_earlier_runs() -> None:
    """Names and initial weights, so that their checkpoints fit."""
    made = net(width=8).state_dict()
    blocks = ("enter", "down1", "down2", "bottom", "up1", "up2")
    assert list(made)[::3] == [*(f"{block}.0.weight" for block in blocks), "out.weight"]
    digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in made.values())).hexdigest()
    assert digest[:16] == "5c8338d5d1e46bce"


def test_deeper_networks_see_further() -> None:
    """The gradient of one score reaches as far as levels and kernels allow."""
    reach = []
    for depth, kernel in ((0, 3), (0, 9), (2, 3), (3, 3)):
        model = net(width=8, depth=depth, kernel=kernel, norm="none", groups=1)
        x = torch.randn(1, 12, 4000, generator=torch.Generator().manual_seed(1)).requires_grad_()
        frames = model._frames(x).detach().requires_grad_()
        model._frames = lambda _, kept=frames: kept
        model(x.detach(), 1000)[0, 0, 500].backward()
        seen = frames.grad[0].abs().sum(0).nonzero().flatten()
        reach.append(int(seen.max() - seen.min()))
    assert reach[0] == 3 * 2  # three convolutions of 3 frames
    assert reach[1] == 3 * 8
    assert reach[0] < reach[2] < reach[3]


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
        ({"frame_hz": 9.0}, "`frame_hz` must be at least 10; got 9.0"),
        ({"depth": -1}, "`depth` must be at least 0; got -1"),
        ({"kernel": 4}, "`kernel` must be odd; got 4"),
        ({"fs": 20.0}, "`fs` must be at least `frame_hz`"),
        ({"width": 12}, "`width` must be a multiple of 8; got 12"),
    ],
)
def test_refuses_what_it_cannot_be(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        net(**changes)
