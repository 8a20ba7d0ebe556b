"""A law of comparisons: methods of a seed and split begin with the same weights, others with others."""

from pathlib import Path

import torch
from torch import Tensor

from ecglipse.commands._evaluate import Bench
from ecglipse.config import Config, check
from ecglipse.study.plan import Unit


def config(store: Path) -> Config:
    return check(
        {
            "name": "draws",
            "store": str(store),
            "out": "-",
            "split": {"kind": "rotations"},
            "encoder": {"width": 8, "dim": 8},
            "methods": {"one": {"kind": "init"}, "other": {"kind": "scratch"}},
            "transfer": {"tasks": ["sex"]},
        },
        where="the test",
    )


def test_methods_of_a_seed_and_split_share_initial_weights_and_nobody_else_does(simulated: Path) -> None:
    def weights(method: str, seed: int, rotation: int) -> Tensor:
        bench = Bench(config(simulated), rotation=rotation)
        made = bench.encoder(Unit(method, seed, rotation), None)
        return torch.cat([p.detach().flatten() for p in made.parameters() if p.std() > 0])

    first = weights("one", 0, 0)
    assert torch.equal(first, weights("other", 0, 0))
    for other in (weights("one", 1, 0), weights("one", 0, 1), weights("one", 1, 1)):
        assert abs(torch.corrcoef(torch.stack([first, other]))[0, 1]) < 0.1
