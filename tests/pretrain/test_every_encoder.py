"""Every encoder plays the game from a config, is written to disk, and comes back by `ecglipse.load`."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ecglipse
from ecglipse.batches import Batches
from ecglipse.checkpoints import save_checkpoint, write_json
from ecglipse.commands import _assemble, _splits
from ecglipse.config import Config, check
from ecglipse.errors import CheckpointError, ConfigError, RecordError
from ecglipse.models import ENCODERS
from ecglipse.pretrain import Training
from ecglipse.store import Store

METHOD = "adversarial-per-lead"


def config_of(tiny: dict[str, Any], **encoder: Any) -> Config:
    return check(tiny | {"encoder": tiny["encoder"] | encoder}, where="tiny")


def training_of(config: Config, store: Store) -> Training:
    batches = Batches(store)
    return _assemble.training(
        config, config.methods[METHOD], batches=batches, rows=np.arange(len(store)), seed=1
    )


def write_run(run: Path, config: Config, training: Training) -> None:
    store = training.batches.store
    split = _splits.splits(config, store)[0]
    run.mkdir()
    facts = _assemble.pretraining_facts(config, config.methods[METHOD], store=store, split=split, seed=1)
    write_json(run / "config.json", facts)
    save_checkpoint(run, *training.state())


@pytest.mark.parametrize("name", list(ENCODERS))
def test_an_encoder_plays_three_steps_and_comes_back(
    name: str, simulated: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    store = Store.open(simulated)
    config = config_of(tiny, name=name, lead_drop=0.5)
    training = training_of(config, store)
    weights = [*training.encoder.weights, *training.masks.weights]
    before = [weight.detach().clone() for weight in weights]
    for _ in range(3):
        report = training.step()
        assert np.isfinite(report.loss)
        assert report.encoder_grad > 0
        assert report.mask_grad is not None
        assert report.mask_grad > 0
    reached = [w.grad is not None and bool(w.grad.any()) for w in weights]
    assert all(reached)
    assert not any(torch.equal(old, new) for old, new in zip(before, weights, strict=True))

    run = tmp_path / "run"
    write_run(run, config, training)
    pretrained = ecglipse.load(run)
    assert (pretrained.leads, pretrained.fs, pretrained.n_samples) == (store.leads, store.fs, store.n_samples)
    x = training.batches.millivolts(np.arange(4))
    with torch.no_grad():
        wanted = training.game.encoder.eval()(x)
        two = torch.zeros_like(x)
        two[:, :2] = x[:, :2]
        wanted_of_two = training.game.encoder(two)
    assert torch.equal(pretrained.encode(x), wanted)
    assert torch.equal(pretrained.encode(x.numpy(), leads=store.leads), wanted)
    broken = x.clone()
    broken[1, 0, 5] = math.nan
    with pytest.raises(RecordError, match=rf"1 of {len(x)} records .* number 1, counted from 0"):
        pretrained.encode(broken)
    assert torch.equal(pretrained.encode(x[:, [1, 0]], leads=("II", "I")), wanted_of_two)
    assert not torch.allclose(wanted, wanted_of_two)


def test_a_resumed_run_keeps_the_order_of_weights_and_moments_in_memory(
    simulated: Path, tiny: dict[str, Any]
) -> None:
    config = config_of(tiny)
    first, second = (training_of(config, Store.open(simulated)) for _ in range(2))
    first.step()
    second.load(*first.state())
    for a, b in zip(first.encoder.weights, second.encoder.weights, strict=True):
        moment = second.encoder.optimiser.state[b]["exp_avg"]
        assert a.stride() == b.stride() == moment.stride()
        assert torch.equal(moment, first.encoder.optimiser.state[a]["exp_avg"])


def test_another_encoders_checkpoint_is_refused(
    simulated: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    small, other = config_of(tiny), config_of(tiny, name="resnet34")
    training = training_of(small, Store.open(simulated))
    run = tmp_path / "run"
    write_run(run, other, training)
    with pytest.raises(CheckpointError, match="holds another encoder: "):
        ecglipse.load(run)
    write_run(tmp_path / "less", small, training_of(other, Store.open(simulated)))
    with pytest.raises(CheckpointError, match="holds another encoder: "):
        ecglipse.load(tmp_path / "less")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "does not describe an encoder"),
        ([], "does not describe an encoder"),
        ({"encoder": {"name": "vgg", "width": 8, "dim": 4}, "input": {"leads": ["I"]}}, "got 'vgg'"),
    ],
)
def test_a_folder_that_is_no_run_is_refused(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        ecglipse.load(tmp_path)
    write_json(tmp_path / "config.json", content)
    with pytest.raises(CheckpointError, match=words):
        ecglipse.load(tmp_path)


def test_what_an_encoder_cannot_be_is_said_before_anything_runs(
    simulated: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"encoder.name: input should be 'resnet18', .* got 'resnet19'"):
        config_of(tiny, name="resnet19")
    with pytest.raises(ConfigError, match="`width` of clocs-cnn must be a multiple of 8; is 12"):
        config_of(tiny, name="clocs-cnn", width=12)
    with pytest.raises(ConfigError, match=r"encoder.lead_drop: "):
        config_of(tiny, lead_drop=1.5)
    monkeypatch.setattr("ecglipse.models.resnet.ResNet1d.shortest", 5000)
    with pytest.raises(ConfigError, match="encoder resnet18 needs 5000 samples, the store has 1000"):
        training_of(config_of(tiny), Store.open(simulated))


def test_lead_drop_takes_leads_from_both_views_and_only_where_it_is_asked_for(
    simulated: Path, tiny: dict[str, Any]
) -> None:
    store = Store.open(simulated)
    rows = np.arange(32)
    for share in (0.0, 1.0):
        training = training_of(config_of(tiny, lead_drop=share), store)
        a, b, _ = training.views(rows)
        gone_a, gone_b = ((view == 0).all(dim=-1) for view in (a, b))
        assert bool(gone_a.any(dim=1).all()) == bool(gone_b.any(dim=1).all()) == (share == 1.0)
        assert torch.equal(gone_a, gone_b) == (share == 0.0)
