"""Splits as files: who trains, chooses and tests, and which draw holds whom; none is ever out of date."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecglipse.commands._places import Place, places
from ecglipse.commands._split_files import write_splits
from ecglipse.config import check


@pytest.fixture
def written(tiny: dict[str, Any], tmp_path: Path) -> Any:
    """Writes the files of a study with these values of transfer; gives new ones, and the place."""

    def write(**transfer: Any) -> tuple[list[Path], Place]:
        config = check(tiny | {"transfer": tiny["transfer"] | transfer}, where="t")
        before, place = set(tmp_path.glob("splits/*.csv")), places(config, rotation=0)[""]
        write_splits(tmp_path, "own-r0", place, config.transfer.tasks, config.transfer)
        return sorted(set(tmp_path.glob("splits/*.csv")) - before), place

    return write


def test_each_line_holds_the_part_and_the_smallest_budget_of_each_draw(written: Any, tmp_path: Path) -> None:
    (path,), place = written(tasks=["sex"], fractions=[0.25, 0.5], shots=[3], draws=2)
    table = pd.read_csv(path, index_col="row")
    parts = place.parts("sex")[1]
    assert table["part"].value_counts().to_dict() == {name: len(part.rows) for name, part in parts.items()}
    assert table.columns.tolist() == ["part", "share_0", "share_1", "shots_0", "shots_1"]
    for draw in (0, 1):
        some = parts["train"].subset(0.25, draw).rows
        column = table[f"share_{draw}"]
        assert set(table.index[(column == 0.25) & (table["part"] == "train")]) == set(some)
        assert column[table["part"] != "test"].notna().all()
    assert table[table["part"] == "test"].drop(columns="part").isna().all(axis=None)
    (line,) = (tmp_path / "splits" / "SHA256SUMS").read_text().splitlines()
    assert line == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"


@pytest.mark.parametrize("change", [{"draws": 3}, {"fractions": [0.1, 1.0]}, {"shots": [2]}])
def test_other_draws_shares_or_shots_are_another_file(written: Any, change: dict[str, Any]) -> None:
    first, _ = written(tasks=["sex"])
    assert len(first) == 1
    assert written(tasks=["sex"])[0] == []
    (other,), _ = written(tasks=["sex"], **change)
    assert other.read_text() != first[0].read_text()


def test_a_task_that_means_something_else_is_another_file(tiny: dict[str, Any], tmp_path: Path) -> None:
    found = []
    for codes in (["AF"], ["SB"]):
        own = {"mine": {"kind": "binary", "classes": {"yes": codes}}}
        config = check(tiny | {"tasks": own, "transfer": tiny["transfer"] | {"tasks": ["mine"]}}, where="t")
        place = places(config, rotation=0)[""]
        write_splits(tmp_path, "own-r0", place, ["mine"], config.transfer)
        found.append(int(np.sum(place.labels("mine").y)))
    assert found[0] > 0
    assert len(list(tmp_path.glob("splits/*.csv"))) == 2
