"""The encoder against the reference's layer table, and its initial weights."""

import pytest
import torch
from torch import nn

from ecglipse.models.heads import Projection
from ecglipse.models.resnet import ResNet1d, resnet18

STAGES = (49_664, 181_504, 723_456, 2_888_704)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def reference() -> ResNet1d:
    return resnet18(leads=12, width=64, dim=512, generator=rng()).eval()


def test_has_the_references_parameters(reference: ResNet1d) -> None:
    assert count(reference) == 4_111_488
    assert count(reference.stem) == 5_376 + 128
    stages = [sum(count(block) for block in reference.stages[i : i + 2]) for i in (0, 2, 4, 6)]
    assert tuple(stages) == STAGES
    assert count(reference.features) == 262_656


@pytest.mark.parametrize(
    ("time", "lengths"), [(5000, (1250, 1250, 625, 313, 157)), (2500, (625, 625, 313, 157, 79))]
)
def test_has_the_references_lengths(reference: ResNet1d, time: int, lengths: tuple[int, ...]) -> None:
    with torch.no_grad():
        x = reference.stem(torch.zeros(1, 12, 1, time))
        found = [x.shape[-1]]
        for stage in (0, 2, 4, 6):
            x = reference.stages[stage + 1](reference.stages[stage](x))
            found.append(x.shape[-1])
    assert tuple(found) == lengths
    assert x.shape[1] == 512


def test_projection_has_the_references_parameters() -> None:
    assert count(Projection(512, 2048, 128, generator=rng())) == 1_312_896


def test_weights_come_from_the_generator_and_the_global_state_stays() -> None:
    before = torch.random.get_rng_state()
    one, same, other = (resnet18(width=8, dim=16, generator=rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    pairs = list(zip(one.parameters(), same.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, _, c in pairs)


@pytest.mark.parametrize("time", [64, 250, 1000, 1001])
def test_takes_any_length(time: int) -> None:
    net = resnet18(width=8, dim=16, generator=rng()).eval()
    features = net(torch.randn(3, 12, time, generator=rng()))
    assert features.shape == (3, net.dim)
    assert features.std() > 0


def test_features_do_not_depend_on_neighbours_in_evaluation_mode() -> None:
    net = resnet18(width=8, dim=16, generator=rng()).eval()
    x = torch.randn(4, 12, 500, generator=rng())
    others = x.clone()
    others[1:] = 100.0
    with torch.no_grad():
        torch.testing.assert_close(net(x)[0], net(others)[0], rtol=0, atol=1e-6)
        net.train()
        assert not torch.allclose(net(x)[0], net(others)[0])
