"""The protocol's tracks as configs: they load, fit each other, and run on small stand-ins by `--set`."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecglipse.commands import prepare, study
from ecglipse.commands._demo import write_simulated_store
from ecglipse.commands._places import places
from ecglipse.config import Config, check, load
from ecglipse.errors import ConfigError
from ecglipse.results import Ledger

CONFIGS = Path(__file__).parents[2] / "configs"
KEPT = ("majority", "cmsc", "adversarial-mixed")
SMALL = (
    *("encoder.width=8", "encoder.dim=16", "mask_network.width=8", "pretrain.epochs=1", "pretrain.batch=32"),
    *("transfer.draws=1", 'transfer.probes=["linear"]', "study.seeds=[0]", "study.workers=1"),
    *("study.gallery=1", "study.baselines=[]", 'study.leaks="mark"'),
)


def small(name: str, *overrides: str) -> Config:
    """A track's config with a few of its methods."""
    rule = load(CONFIGS / f"{name}.toml", overrides=(*SMALL, *overrides))
    return rule.model_copy(update={"methods": {key: rule.methods[key] for key in KEPT}})


def test_the_official_folds_have_the_packs_methods_and_tasks() -> None:
    pack, official = (load(CONFIGS / f"{name}.toml").model_dump() for name in ("pack", "official"))
    differ = {key for key in pack if pack[key] != official[key]}
    assert differ == {"name", "out", "split"}
    assert (official["split"]["train"], official["split"]["test"]) == (tuple(range(1, 9)), (10,))


@pytest.mark.parametrize("name", ["pack", "official", "track-a", "track-b"])
def test_every_learned_mask_stands_beside_its_three_twins_and_all_floors(name: str) -> None:
    methods = load(CONFIGS / f"{name}.toml").methods.values()
    assert {"majority", "handcrafted", "init", "scratch"} < {m.kind for m in methods}
    assert {"base", "3kg", "3kg-projection"} == {m.views for m in methods}
    assert any(m.pairs == "segments" for m in methods)
    for mine in (m for m in methods if m.masks == "adversarial" and m.network == "learning"):
        form = (mine.leads, mine.mix_shared)
        assert any((m.masks, m.leads, m.mix_shared) == ("random", *form) for m in methods)
        assert {
            m.network for m in methods if m.masks == "adversarial" and (m.leads, m.mix_shared) == form
        } == {*("learning", "frozen", "shuffled")}


def test_track_a_pretrains_on_all_of_one_database_and_is_read_on_another(
    simulated: Path, tmp_path: Path
) -> None:
    write_simulated_store(tmp_path / "other", 120, seed=5)
    where = (f"store={simulated}", f"targets.chapman.store={tmp_path / 'other'}", f"out={tmp_path / 'a'}")
    config = small("track-a", *where, "transfer.fractions=[0.1,1.0]", 'transfer.validation=["matched"]')
    made = study(config, progress=False)
    assert made.added == made.cells == len(KEPT) * 3 * 2
    lines = Ledger(tmp_path / "a").lines()
    assert {line["task"] for line in lines} == {"chapman:rhythm", "chapman:sex", "chapman:age"}
    assert len({line["split"] for line in lines}) == 1
    assert len(places(config, rotation=0)[""].split.train) == 160
    assert study(config, progress=False).added == 0
    assert study(config, plan=True).cost is not None


def test_a_study_that_pretrains_on_all_has_no_tasks_there(simulated: Path) -> None:
    content = {"name": "x", "store": str(simulated), "out": "o", "methods": {"simclr": {}}}
    for more in ({"transfer": {"tasks": ["sex"]}}, {"transfer": {"tasks": []}}):
        with pytest.raises(ConfigError, match=r"needs `targets`, and no `transfer.tasks`"):
            check({**content, "split": {"kind": "all"}, **more}, where="t")


@pytest.fixture(scope="module")
def some_ptbxl(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the first 240 of the real recordings."""
    return prepare(pack / "ptbxl", tmp_path_factory.mktemp("ptbxl") / "s", limit=240, progress=False).store


def test_track_b_reads_the_published_tasks_of_ptbxl(some_ptbxl: Path, tmp_path: Path) -> None:
    where = (f"store={some_ptbxl}", f"out={tmp_path / 'b'}", "transfer.fractions=[0.1,1.0]")
    config = small("track-b", *where, 'transfer.validation=["matched"]')
    made = study(config, progress=False)
    assert made.added == made.cells == len(KEPT) * 5 * 2
    found = pd.DataFrame(Ledger(tmp_path / "b").lines())
    classes = {task: len(some.iloc[0]["classes"]) for task, some in found.groupby("task")}
    assert classes["superclass"] == 5
    assert 5 < classes["subclass"] <= 22
    assert classes["rhythm-statements"] < classes["form"] < classes["all"] <= 68
    for task, some in found.groupby("task"):
        few, all_of_them = (some[some["fraction"] == f]["n_train"].max() for f in (0.1, 1.0))
        assert few <= np.ceil(0.1 * all_of_them) + 10, task
    for line in itertools.chain(Ledger(tmp_path / "b").lines()):
        values: dict[str, Any] = line["metrics"]
        assert all(v is None or np.isfinite(v) for v in values.values() if not isinstance(v, dict))
