"""Configs: what is accepted, and what a user reads when it is not."""

import re
from pathlib import Path
from typing import get_args

import pytest

from ecglipse.config import Objective, ObjectiveName, PairsName, check, digest, load
from ecglipse.errors import ConfigError

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.toml"))
SMALL = {"name": "x", "store": "s", "out": "o", "methods": {"simclr": {}}}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_of_the_project_loads(path: Path) -> None:
    assert load(path).methods


def test_there_are_configs() -> None:
    assert {"demo", "pack-quick", "pack"} <= {path.stem for path in CONFIGS}


def test_misspelt_keys_are_all_named_with_what_was_meant() -> None:
    content = {
        **SMALL,
        "pretrian": {},
        "masks": {"coverege": 0.5},
        "methods": {"a": {"mask": "random"}},
        "targets": {"b": {"store": "s", "tasks": [], "task": "sex"}},
    }
    with pytest.raises(ConfigError) as caught:
        check(content, where="my.toml")
    text = str(caught.value)
    assert text.startswith("my.toml: 4 faults")
    assert "pretrian: unknown key; did you mean `pretrain`?" in text
    assert "masks.coverege: unknown key; did you mean `coverage`?" in text
    assert "methods.a.mask: unknown key; did you mean `masks`?" in text
    assert "targets.b.task: unknown key; did you mean `tasks`?" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"masks": {"coverage": 1.5}}, "masks.coverage: input should be less than or equal to 1; got 1.5"),
        (
            {"methods": {"a": {"masks": "evil"}}},
            "methods.a.masks: input should be 'none', 'random', 'block', 'noise'",
        ),
        ({"methods": {"a": {"kind": "init", "masks": "random"}}}, "kind 'init' trains nothing"),
        ({"methods": {"a": {"kind": "scratch", "objective": "byol"}}}, "leave out `objective` and `pairs`"),
        ({"pretrain": {"objective": "simclr"}}, "pretrain.objective: input should be 'nt-xent', 'clocs'"),
        ({"objective": {"momentum": 1.0}}, "objective.momentum: input should be less than 1; got 1.0"),
        ({"methods": {}}, "methods: "),
        ({"study": {"baselines": ["b"]}}, "`study.baselines` names methods that are not there: b"),
        ({"methods": {"a": {"baseline": "b"}}}, "methods.a: `baseline` must be another method; is 'b'"),
        ({"methods": {"a": {"baseline": "a"}}}, "methods.a: `baseline` must be another method; is 'a'"),
        ({"pretrain": {"batch": "many"}}, "pretrain.batch: "),
        ({"pretrain": {"clip": float("inf")}}, "pretrain.clip: input should be a finite number; got inf"),
        ({"masks": {"band_hz": [0.5, float("inf")]}}, "masks.band_hz.1: input should be a finite number"),
        (
            {"methods": {"a": {"masks": "adversarial", "set": {"mask_network.strength": float("nan")}}}},
            "mask_network.strength: input should be a finite number; got nan",
        ),
        (
            {"views": {"extra": [{"name": "gaussian", "sigma_mv": float("inf")}]}},
            "sigma_mv: input should be a finite number",
        ),
        (
            {"methods": {"a": {"masks": "block", "leads": "cells"}}},
            "is one block a lead or group: `leads` may not compete",
        ),
    ],
)
def test_wrong_values_are_named(change: dict, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check({**SMALL, **change}, where="c")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"name": "gausian"}, "views.extra.0.name: unknown view `gausian`; did you mean `gaussian`?"),
        ({"name": "zzz"}, "views.extra.0.name: unknown view `zzz`; known names: gaussian, wander"),
        ({}, "views.extra.0.name: missing; known names: gaussian, wander"),
        (
            {"name": "gaussian", "sigma": 1},
            "views.extra.0.gaussian.sigma: unknown key; did you mean `sigma_mv`?",
        ),
        (
            {"name": "gaussian", "sigma_mv": -1},
            "sigma_mv: input should be greater than or equal to 0; got",
        ),
        ({"name": "gain", "sides": "left"}, "sides: input should be 'both', 'first' or 'second'; got 'left'"),
        ({"name": "lead-subset", "fewest": 5, "most": 2}, "`most` is below `fewest` = 5; got 2"),
        ({"name": "wander", "low_hz": 5.0, "high_hz": 0.5}, "`low_hz` must be at most `high_hz` = 0.5; is 5"),
        ({"name": "electrode-swap", "pairs": ["RA-V1"]}, "'RA-V1' is not two limbs or two chest electrodes"),
    ],
)
def test_wrong_views_are_named(extra: dict, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check({**SMALL, "views": {"extra": [extra]}}, where="c")
    assert words in str(caught.value)


def test_views_are_listed_in_order_for_all_or_for_one_method() -> None:
    listed = [{"name": "time-warp", "fastest": 1.2}, {"name": "gain", "probability": 0.5, "sides": "second"}]
    config = check({**SMALL, "views": {"extra": listed}}, where="c")
    assert [view.name for view in config.views.extra] == ["time-warp", "gain"]
    own = {"a": {"set": {"views.extra": listed}}, "b": {}}
    config = check({**SMALL, "methods": own}, where="c")
    assert [view.name for view in config.of("a").views.extra] == ["time-warp", "gain"]
    assert config.of("b").views.extra == ()


def test_missing_keys_are_named() -> None:
    with pytest.raises(ConfigError, match="store: missing"):
        check({k: v for k, v in SMALL.items() if k != "store"}, where="c")


def test_overrides_by_dotted_path(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('name = "x"\nstore = "s"\nout = "o"\n[methods.simclr]\n', encoding="utf-8")
    config = load(
        path,
        overrides=["pretrain.epochs=3", "study.seeds=[1, 2]", "methods.simclr.title=Plain", "store=a/b"],
    )
    assert (config.pretrain.epochs, config.study.seeds, config.store) == (3, (1, 2), "a/b")
    assert config.methods["simclr"].title == "Plain"
    for wrong in ("pretrain.epochs", "=3", "pretrain..epochs=3"):
        with pytest.raises(ConfigError, match="not of the form"):
            load(path, overrides=[wrong])
    with pytest.raises(ConfigError, match="`name` is a value, not a table"):
        load(path, overrides=["name.a=3"])


def test_missing_and_broken_files_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such config"):
        load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = ", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.toml: not TOML"):
        load(tmp_path / "bad.toml")


def test_digest_sees_values_and_not_their_order() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert check(SMALL, where="c").digest != check({**SMALL, "name": "y"}, where="c").digest


def test_a_method_has_its_own_values_and_shares_the_rest() -> None:
    content = {
        "name": "n",
        "store": "s",
        "out": "o",
        "methods": {"a": {}, "b": {"masks": "adversarial", "set": {"mask_network.bound": 0.5}}},
    }
    config = check(content, where="here")
    assert config.of("a") == config
    assert config.of("b").mask_network.bound == 0.5
    assert config.of("b").masks == config.masks
    assert config.of("b").of("b") == config.of("b")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"split.kind": "folds"}, "takes keys of encoder, views, masks, mask_network, published, pretrain"),
        ({"mask_network.bond": 0.5}, "mask_network.bond: unknown key; did you mean `bound`"),
        ({"masks.coverage": 3}, "methods.b.set: masks.coverage"),
    ],
)
def test_a_method_cannot_set_what_does_not_fit(own: dict[str, object], said: str) -> None:
    content = {"name": "n", "store": "s", "out": "o", "methods": {"b": {"masks": "random", "set": own}}}
    with pytest.raises(ConfigError, match=re.escape(said)):
        check(content, where="here")


def test_what_a_method_plays_for_is_its_own_or_the_configs_with_the_parameters_that_count() -> None:
    config = check(
        {
            **SMALL,
            "pretrain": {"objective": "vicreg", "pairs": "segments"},
            "objective": {"covariance": 2.0, "queue": 64, "segments": 3},
            "methods": {"a": {}, "b": {"objective": "moco", "pairs": "records"}},
        },
        where="c",
    )
    assert config.played_for(config.methods["a"]) == {
        "objective": "vicreg",
        "pairs": "segments",
        "invariance": 25.0,
        "variance": 25.0,
        "covariance": 2.0,
        "regularised": "first",
        "segments": 3,
    }
    assert config.played_for(config.methods["b"]) == {
        "objective": "moco",
        "pairs": "records",
        "momentum": 0.99,
        "queue": 64,
    }


def test_every_objective_and_pairing_says_which_parameters_it_looks_at() -> None:
    used = Objective().used
    names = {name for looked_at in used.values() for name in looked_at}
    assert names == set(Objective.model_fields)
    assert set(used) == {*get_args(ObjectiveName), *get_args(PairsName)}


def test_the_shortest_segment_over_frequency_is_a_frame_of_the_transform() -> None:
    from ecglipse.config import SHORTEST_SPECTRAL_S
    from ecglipse.masks.spectral import FRAME_S

    assert SHORTEST_SPECTRAL_S == FRAME_S
