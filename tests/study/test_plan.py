"""The grid: what is in it, and what is left out on purpose."""

import pytest

from ecglipse.config import check
from ecglipse.errors import ConfigError
from ecglipse.study import Unit, cells, units

CONTENT = {
    "name": "x",
    "store": "s",
    "out": "o",
    "methods": {"init": {"kind": "init"}, "scratch": {"kind": "scratch"}, "simclr": {}},
    "transfer": {
        "tasks": ["sex"],
        "fractions": [1.0, 0.1],
        "draws": 5,
        "probes": ["linear", "finetune"],
        "finetune_draws": 2,
        "validation": ["matched", "full"],
    },
    "study": {"seeds": [0, 1]},
}
CONFIG = check(CONTENT, where="test")


def test_units_are_methods_times_seeds_times_rotations() -> None:
    grid = units(CONFIG, rotations=range(5))
    assert len(grid) == len(set(grid)) == 3 * 2 * 5
    assert grid[0].method == "simclr"


def test_floors_in_which_nothing_is_drawn_have_one_seed_and_are_never_fine_tuned() -> None:
    floors = {"handcrafted": {"kind": "handcrafted"}, "majority": {"kind": "majority"}}
    config = check({**CONTENT, "methods": floors | CONTENT["methods"]}, where="test")
    grid = units(config, rotations=range(5))
    assert sum(unit.method in floors for unit in grid) == 2 * 5
    for name in floors:
        assert {c.probe for c in cells(config, Unit(name, 0, 0))} == {"linear"}


def test_cells_of_a_pretrained_encoder() -> None:
    found = cells(CONFIG, Unit("simclr", 0, 0))
    assert len(found) == len(set(found))
    linear = [(c.fraction, c.draw, c.validation) for c in found if c.probe == "linear"]
    tenth = [(0.1, draw, validation) for draw in range(5) for validation in ("matched", "full")]
    assert linear == [*tenth, (1.0, 0, "matched")]
    assert [(c.fraction, c.draw) for c in found if c.probe == "finetune"] == [(0.1, 0), (0.1, 1), (1.0, 0)]


def test_fine_tuning_may_have_fewer_budgets() -> None:
    transfer = {**CONTENT["transfer"], "shots": [5], "finetune_fractions": [0.1]}  # type: ignore[dict-item]
    found = cells(check({**CONTENT, "transfer": transfer}, where="test"), Unit("simclr", 0, 0))
    assert {c.fraction for c in found if c.probe == "finetune"} == {0.1}
    assert {c.fraction for c in found if c.probe == "linear"} == {0.1, 1.0, -5.0}
    with pytest.raises(ConfigError, match="finetune_fractions"):
        check({**CONTENT, "transfer": {**transfer, "finetune_fractions": [0.2]}}, where="test")


def test_a_random_encoder_is_probed_as_init_and_fine_tuned_as_scratch() -> None:
    assert {c.probe for c in cells(CONFIG, Unit("init", 0, 0))} == {"linear"}
    assert {c.probe for c in cells(CONFIG, Unit("scratch", 0, 0))} == {"finetune"}
