"""Projections: layers and norms as asked for, and the default as it always was."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ecglipse.commands import _assemble, _encoders, _splits
from ecglipse.config import Config, check
from ecglipse.errors import ConfigError
from ecglipse.models.heads import Projection
from ecglipse.store import Store

L, B, N, R = nn.Linear, nn.BatchNorm1d, nn.LayerNorm, nn.ReLU


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize(
    ("layers", "norm", "wanted"),
    [
        (1, "batch", [L]),
        (2, "none", [L, R, L]),
        (2, "batch", [L, B, R, L]),
        (2, "layer", [L, N, R, L]),
        (3, "none", [L, R, L, R, L]),
        (3, "batch", [L, B, R, L, B, R, L]),
    ],
)
def test_has_the_layers_that_are_asked_for(layers: int, norm: Any, wanted: list[type]) -> None:
    head = Projection(5, 7, 3, generator=rng(), layers=layers, norm=norm)
    assert [type(module) for module in head] == wanted
    linear = [m for m in head if isinstance(m, nn.Linear)]
    sizes = [5, *[7] * (layers - 1), 3]
    assert [(m.in_features, m.out_features) for m in linear] == list(pairwise(sizes))
    assert head(torch.randn(4, 5, generator=rng())).shape == (4, 3)


def test_no_layers_give_the_features_and_ask_for_their_size() -> None:
    x = torch.randn(4, 5, generator=rng())
    assert torch.equal(Projection(5, 7, 5, generator=rng(), layers=0)(x), x)
    with pytest.raises(ValueError, match="`layers` must be > 0 between sizes 5 and 3; got 0"):
        Projection(5, 7, 3, generator=rng(), layers=0)


def test_the_default_has_the_weights_that_it_always_had() -> None:
    """Uniform in +-1 / sqrt(inputs), weight then bias, first layer first, from one generator."""
    head, drawn = Projection(5, 7, 3, generator=rng()), rng()
    for place, (into, out) in ((0, (5, 7)), (2, (7, 3))):
        bound = 1 / math.sqrt(into)
        assert torch.equal(
            head[place].weight, torch.empty(out, into).uniform_(-bound, bound, generator=drawn)
        )
        assert torch.equal(head[place].bias, torch.empty(out).uniform_(-bound, bound, generator=drawn))


def config(tiny: dict[str, Any], **encoder: Any) -> Config:
    return check(tiny | {"encoder": tiny["encoder"] | encoder}, where="here")


def test_a_config_asks_for_them_and_a_run_is_another_only_where_it_does(
    tiny: dict[str, Any], simulated: Path
) -> None:
    plain = config(tiny)
    simclr = plain.methods["simclr"]
    for objective, norm in (("nt-xent", None), ("vicreg", B), ("byol", B), ("moco", None)):
        method = simclr.model_copy(update={"objective": objective})
        kinds = {type(m) for m in _encoders.projection(plain, method, seed=0)}
        assert kinds == {L, R} | ({norm} if norm else set())
    three = config(tiny, projection_layers=3, projection_norm="layer")
    assert [type(m) for m in _encoders.projection(three, simclr, seed=0)] == [L, N, R, L, N, R, L]
    assert {"projection_layers", "projection_norm"} <= three.encoder.of_pretraining().keys()
    assert not {"projection_layers", "projection_norm"} & plain.encoder.of_pretraining().keys()
    with pytest.raises(ConfigError, match="`projection_dim` must be `dim`"):
        config(tiny, projection_layers=0, projection_dim=5)


def test_auto_precision_is_named_by_what_it_is_here(
    tiny: dict[str, Any], simulated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in bf16 is not the run in fp32; on a machine without it, ids are as they were."""
    rule, store = config(tiny), Store.open(simulated)
    split = _splits.splits(rule, store)[0]

    def named(rule: Config) -> Any:
        facts: Any = _assemble.pretraining_facts(
            rule, rule.methods["simclr"], store=store, split=split, seed=0
        )
        return facts["pretrain"]["precision"]

    assert named(rule) == "auto"
    monkeypatch.setattr(_assemble, "precision", lambda config, device: "bf16")
    assert named(rule) == "bf16"
    asked = check(tiny | {"pretrain": tiny["pretrain"] | {"precision": "fp32"}}, where="here")
    assert named(asked) == "fp32"


def test_a_run_made_in_bf16_is_found_where_there_is_none(tiny: dict[str, Any], tmp_path: Path) -> None:
    from ecglipse.checkpoints import write_json
    from ecglipse.commands._transfer import _as_made

    write_json(tmp_path / "config.json", {"pretrain": {"precision": "bf16"}})
    rule = config(tiny)
    assert _as_made(rule, tmp_path).pretrain.precision == "bf16"
    write_json(tmp_path / "config.json", {"pretrain": {"precision": "auto"}})
    assert _as_made(rule, tmp_path) is rule
