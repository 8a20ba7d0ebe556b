"""Pretraining on more stores than the study's own: which rows, which draws, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ecglipse.batches import Batches, Joined
from ecglipse.commands import _assemble, _splits, _stores, study
from ecglipse.commands._crossing import crossing
from ecglipse.commands._demo import write_simulated_store
from ecglipse.config import check
from ecglipse.errors import ConfigError, TaskError
from ecglipse.report.transductive import transductive
from ecglipse.store import Store


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("more") / "other"
    write_simulated_store(path, 48, seed=11)
    return path


def test_rows_are_counted_through_all_stores(simulated: Path, other: Path) -> None:
    first, second = Store.open(simulated), Store.open(other)
    joined = Joined([first, second])
    n = len(first)
    rows = np.array([n + 3, 0, n, 5, n + 47])
    alone = [Batches(first), Batches(second)]
    wanted = torch.cat([alone[int(row >= n)].millivolts(np.array([row % n])) for row in rows])
    assert torch.equal(joined.millivolts(rows), wanted)
    assert torch.equal(joined.millivolts(rows[[0, 2]]), wanted[[0, 2]])
    assert torch.equal(joined.millivolts(rows[[1, 3]]), wanted[[1, 3]])
    assert joined.millivolts(rows[:0]).shape == (0, 12, first.n_samples)


def test_training_sees_them_and_the_run_is_another(
    simulated: Path, other: Path, tiny: dict[str, Any]
) -> None:
    store = Store.open(simulated)
    names = []
    for also in ([], [str(other)]):
        config = check(tiny | {"pretrain": tiny["pretrain"] | {"also": also}}, where="tiny")
        split = _splits.splits(config, store)[0]
        method = config.methods["adversarial-per-lead"]
        made = _assemble.training(config, method, batches=Batches(store), rows=split.train, seed=0)
        assert len(made.rows) == len(split.train) + (48 if also else 0)
        assert np.isfinite(made.step().loss)
        names.append(_assemble.pretraining_facts(config, method, store=store, split=split, seed=0))
    assert names[1]["also"] == [Store.open(other).digest]
    assert names[0]["also"] == []
    numbers = _stores.patients([store, Store.open(other)])
    assert len(set(numbers[: len(store)]) & set(numbers[len(store) :])) == 0


def test_what_is_tested_elsewhere_is_refused(simulated: Path, other: Path, tiny: dict[str, Any]) -> None:
    own = check(tiny | {"pretrain": tiny["pretrain"] | {"also": [str(simulated)]}}, where="tiny")
    with pytest.raises(ConfigError, match="is the study's own store"):
        study(own, progress=False)
    target = {"elsewhere": {"store": str(other), "tasks": ["sex"]}}
    both = tiny | {"pretrain": tiny["pretrain"] | {"also": [str(other)]}, "targets": target}
    with pytest.raises(TaskError, match="is pretrained on, and is elsewhere, which is tested"):
        study(check(both, where="tiny"), progress=False)


def test_a_recording_of_the_test_set_in_another_store_is_refused(
    simulated: Path, tmp_path: Path, tiny: dict[str, Any]
) -> None:
    write_simulated_store(tmp_path / "copy", 12, seed=3)  # the first recordings of the study's own store
    config = check(tiny | {"pretrain": tiny["pretrain"] | {"also": [str(tmp_path / "copy")]}}, where="tiny")
    with pytest.raises(TaskError, match=r"is pretrained on, and is .*, which is tested"):
        study(config, progress=False)
    methods = [
        {"name": name, "kind": rule.kind, "set": dict(rule.set)} for name, rule in config.methods.items()
    ]
    facts = {
        "leaks": crossing(config, rotations=[0]).tested,
        "config": config.model_dump(),
        "methods": methods,
    }
    assert transductive(facts) == {entry["name"] for entry in methods if entry["kind"] == "pretrained"}
    assert not transductive(facts | {"config": {}})


def test_another_rate_is_refused(tmp_path: Path, tiny: dict[str, Any]) -> None:
    write_simulated_store(tmp_path / "fast", 8, seed=1, fs=200.0)
    config = check(tiny | {"pretrain": tiny["pretrain"] | {"also": [str(tmp_path / "fast")]}}, where="tiny")
    with pytest.raises(ConfigError, match=r"pretrain.also: .* has 200 Hz and 2000 samples"):
        study(config, progress=False)
