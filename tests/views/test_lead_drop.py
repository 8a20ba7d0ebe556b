"""Lead drop: how many leads, from how many records, and nothing else."""

import pytest
import torch

from ecglipse.views.lead_drop import lead_drop


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dropped(x: torch.Tensor, share: float) -> torch.Tensor:
    view = lead_drop(x, rng(), share=share)
    gone = (view == 0).all(dim=-1)
    assert torch.equal(view[~gone], x[~gone])
    return gone


def test_numbers_and_leads_are_drawn_evenly() -> None:
    gone = dropped(torch.ones(22_000, 12, 3), 1.0)
    numbers = gone.sum(dim=1).bincount(minlength=13)
    assert numbers[0] == numbers[12] == 0
    assert ((numbers[1:12] - 2000).abs() < 5 * 2000**0.5).all()
    assert (gone.float().mean(dim=0) - 0.5).abs().max() < 0.02


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_share_of_records_that_lose_leads(share: float) -> None:
    gone = dropped(torch.ones(5000, 12, 2), share)
    assert gone.any(dim=1).float().mean() == pytest.approx(share, abs=0.03)


def test_one_lead_stays_as_it_is() -> None:
    x = torch.ones(4, 1, 5)
    assert torch.equal(lead_drop(x, rng(), share=1.0), x)


def test_the_same_generator_drops_the_same() -> None:
    x = torch.randn(50, 12, 4, generator=rng(9))
    assert torch.equal(lead_drop(x, rng(1), share=0.5), lead_drop(x, rng(1), share=0.5))
    assert not torch.equal(lead_drop(x, rng(1), share=0.5), lead_drop(x, rng(2), share=0.5))
