"""Objectives as a config names them: identity of a run, what is transferred, a study that compares."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ecglipse.checkpoints import latest_checkpoint
from ecglipse.commands import _assemble, _splits, pretrain, transfer
from ecglipse.commands._evaluate import Bench
from ecglipse.commands._pretrain import pick_split
from ecglipse.config import check, digest
from ecglipse.errors import ConfigError
from ecglipse.store import Store
from ecglipse.study.plan import Unit


def identity(content: dict[str, Any], method: str = "m") -> str:
    """Digest of everything that determines a run."""
    config = check(content, where="c")
    store = Store.open(Path(config.store))
    split = pick_split(_splits.splits(config, store), 0)
    return digest(
        _assemble.pretraining_facts(config, config.methods[method], store=store, split=split, seed=0)
    )


def test_a_run_is_known_by_what_counts_for_it_and_by_nothing_else(tiny: dict[str, Any]) -> None:
    tiny["methods"] = {"m": {"masks": "adversarial"}}
    tiny["study"].pop("baselines")
    plain = identity(tiny)
    same = [
        {"methods": {"m": {"masks": "adversarial", "objective": "nt-xent", "title": "Ours"}}},
        {"objective": {"queue": 7, "covariance": 3.0, "momentum": 0.5}},
        {"pretrain": tiny["pretrain"] | {"compile": True, "checkpoint_every_s": 7.0}},
        {
            "pretrain": tiny["pretrain"] | {"objective": "byol"},
            "methods": {"m": {"masks": "adversarial", "objective": "nt-xent"}},
        },
    ]
    other = [
        {"methods": {"m": {"masks": "adversarial", "objective": "byol"}}},
        {"methods": {"m": {"masks": "adversarial", "pairs": "segments"}}},
        {"pretrain": tiny["pretrain"] | {"temperature": 0.2}},
        {"pretrain": tiny["pretrain"] | {"objective": "moco"}},
        {"pretrain": tiny["pretrain"] | {"ema": 0.9}},
    ]
    assert [identity(tiny | change) == plain for change in same] == [True] * len(same)
    ids = {identity(tiny | change) for change in other}
    assert len(ids) == len(other)
    assert plain not in ids


def test_a_queue_that_would_hold_a_records_own_keys_is_refused(tiny: dict[str, Any]) -> None:
    tiny["methods"] |= {"m": {"objective": "moco"}}
    with pytest.raises(ConfigError, match=r"objective\.queue: 1024, but there are \d+ training records"):
        pretrain(check(tiny, where="tiny"), method="m", progress=False)


def test_a_study_compares_objectives_and_transfers_the_average_of_what_asks(
    tiny: dict[str, Any],
) -> None:
    tiny["methods"] = {
        "cmsc": {"objective": "clocs", "pairs": "segments", "masks": "adversarial", "leads": "per-lead"},
        "moco": {"objective": "moco", "masks": "random", "set": {"pretrain.ema": 0.9}},
    }
    tiny["study"].pop("baselines")
    tiny["objective"] = {"queue": 32}
    tiny["pretrain"] |= {"epochs": 1}
    tiny["transfer"] |= {"tasks": ["sex"], "fractions": [1.0], "probes": ["linear"]}
    config = check(tiny, where="tiny")
    runs = {name: pretrain(config, method=name, progress=False) for name in config.methods}
    assert runs["cmsc"].unit == "nats"
    facts = json.loads((runs["cmsc"].run / "config.json").read_text())
    assert facts["objective"] == {
        "objective": "clocs",
        "pairs": "segments",
        "segments": 2,
    }
    found = latest_checkpoint(runs["moco"].run).tensors
    assert found["game.objective.queue"].norm() > 1
    encoder = Bench(config, rotation=0).encoder(Unit("moco", 0, 0), runs["moco"].run).state_dict()
    assert all(torch.equal(tensor, found[f"average.{name}"]) for name, tensor in encoder.items())
    assert not torch.equal(found["average.features.weight"], found["game.encoder.features.weight"])
    assert not any(name.startswith("average.") for name in latest_checkpoint(runs["cmsc"].run).tensors)
    (score,) = transfer(config, run=runs["cmsc"].run).scores
    assert 0 <= score["macro_auroc"] <= 1


def test_a_crop_that_the_encoder_or_the_records_cannot_give_is_refused(tiny: dict[str, Any]) -> None:
    tiny["study"].pop("baselines")
    for length in (0.5, 11.0):
        tiny |= {"methods": {"m": {"pairs": "crops"}}, "objective": {"crop_s": length}}
        with pytest.raises(ConfigError, match=rf"objective\.crop_s: must be in 0\.64\.\.10 s.*is {length:g}"):
            pretrain(check(tiny, where="tiny"), method="m", progress=False)
