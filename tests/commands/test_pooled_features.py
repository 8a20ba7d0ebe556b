"""`encoder.features = "pooled"`: the same run, other features, other cells; the default is as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ecglipse
from ecglipse.commands import _assemble, _splits, pretrain, study
from ecglipse.commands._evaluate import Bench
from ecglipse.config import Config, check
from ecglipse.results import Ledger
from ecglipse.store import Store
from ecglipse.study.plan import Unit, cells


def config(tiny: dict[str, Any], features: str | None, /, **methods: Any) -> Config:
    given = {} if features is None else {"features": features}
    content = tiny | {"encoder": tiny["encoder"] | given, "study": {"workers": 1}}
    return check(content | {"methods": methods or {"simclr": {}}}, where="pooled")


def test_it_is_no_part_of_a_runs_identity(tiny: dict[str, Any], simulated: Path) -> None:
    store = Store.open(simulated)
    made = []
    for features in (None, "last", "pooled"):
        rule = config(tiny, features)
        split = _splits.splits(rule, store)[0]
        made.append(
            _assemble.pretraining_facts(rule, rule.methods["simclr"], store=store, split=split, seed=0)
        )
    assert made[0] == made[1] == made[2]
    assert "features" not in made[0]["encoder"]


@pytest.mark.parametrize("method", ["simclr", "random-init", "handcrafted"])
def test_cells_are_others_where_an_encoder_is_read(tiny: dict[str, Any], tmp_path: Path, method: str) -> None:
    methods = {"simclr": {}, "random-init": {"kind": "init"}, "handcrafted": {"kind": "handcrafted"}}
    run = tmp_path / "runs" / "simclr-s0-0123456789abcdef" if method == "simclr" else None
    found = []
    for features in (None, "last", "pooled"):
        rule = config(tiny, features, **methods)
        bench, unit = Bench(rule, rotation=0), Unit(method, 0, 0)
        found.append([bench.identity(unit, cell, run) for cell in cells(rule, unit)])
    assert found[0] == found[1]
    assert (found[1] == found[2]) is (method == "handcrafted")
    assert len(set(found[1]) & set(found[2])) in (0, len(found[1]))


def test_one_run_is_read_both_ways(tiny: dict[str, Any]) -> None:
    done = pretrain(config(tiny, "last"), progress=False)
    assert pretrain(config(tiny, "pooled"), progress=False).resumed_from == done.steps
    last, before = ecglipse.load(done.run), ecglipse.load(done.run, features="pooled")
    x = torch.randn(4, 12, 1000, generator=torch.Generator().manual_seed(0))
    assert before.net.dim == 64
    assert torch.equal(last.net.features(before.encode(x)), last.encode(x))


def test_a_study_reads_what_goes_into_the_last_layer(tiny: dict[str, Any]) -> None:
    both = {"last": {}, "pooled": {"set": {"encoder.features": "pooled"}}}
    tiny["pretrain"]["epochs"], tiny["transfer"]["tasks"] = 1, ["sex"]
    rule = config(tiny, None, **both, **{"random-init": {"kind": "init"}})
    study(rule, progress=False)
    lines = Ledger(Path(rule.out)).lines()
    probes = {(line["method"], line["probe"]) for line in lines}
    assert {("pooled", "linear"), ("pooled", "knn"), ("pooled", "finetune"), ("last", "linear")} <= probes
    scores = {
        line["method"]: line["metrics"]
        for line in lines
        if (line["task"], line["probe"], line["fraction"]) == ("sex", "linear", 1.0)
    }
    assert scores["last"] != scores["pooled"]
    assert all(np.isfinite(list(metrics.values())).any() for metrics in scores.values())
    assert study(rule, progress=False).added == 0
