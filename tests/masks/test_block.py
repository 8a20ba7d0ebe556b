"""One block a record: exact, whole, at every place equally often, and a record's own."""

import pytest
import torch

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.masks import BlockMask, Ramp, form_of


@pytest.mark.parametrize("form", ["shared", "per-lead", "electrodes"])
@pytest.mark.parametrize("coverage", [0.1, 0.333, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("time", [1000, 997])
def test_a_block_is_whole_and_covers_exactly(form: str, coverage: float, time: int) -> None:
    policy = BlockMask(form=form_of(form, LEADS), coverage=coverage)
    mask = policy(torch.zeros(8, 12, time), Draws.of(0, "test", rows=range(8)))
    assert torch.equal(mask.sum(-1), torch.full(mask.shape[:2], float(round(coverage * time))))
    edges = torch.nn.functional.pad(mask, (1, 1)).diff(dim=-1)
    assert ((edges == 1).sum(-1) == 1).all()


def test_every_place_is_as_likely() -> None:
    policy = BlockMask(form=form_of("shared", LEADS), coverage=0.9)
    mask = policy(torch.zeros(4000, 12, 100), Draws.of(0, "test", rows=range(4000)))
    counts = mask[:, 0].argmax(-1).bincount(minlength=11)
    assert len(counts) == 11
    assert ((counts - 4000 / 11).abs() < 5 * (4000 / 11) ** 0.5).all()


def test_groups_have_blocks_of_their_own_and_a_ramp_moves_their_length() -> None:
    policy = BlockMask(form=form_of("electrodes", LEADS), coverage=Ramp(0.2, 0.6))
    policy.at(0.5)
    mask = policy(torch.zeros(8, 12, 500), Draws.of(0, "test", rows=range(8)))
    assert (mask.sum(-1) == 200).all()
    assert (mask[:, :1] == mask[:, :6]).all()
    assert not (mask[:, :1] == mask[:, 6:]).all()


def test_groups_that_compete_are_refused() -> None:
    with pytest.raises(ValueError, match="must not let groups compete"):
        BlockMask(form=form_of("cells", LEADS), coverage=0.5)
