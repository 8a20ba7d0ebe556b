"""The plan's cost: every part positive, parts that add up, and time that grows with the epochs."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from ecglipse.commands import _places, study
from ecglipse.commands._label_counts import label_counts
from ecglipse.commands._places import places
from ecglipse.commands._plan_words import doubtful, plan_lines
from ecglipse.commands._wave_step import delineation_s
from ecglipse.config import check
from ecglipse.splits import by_patient
from ecglipse.store import Store


def test_cost_has_all_parts_and_grows_with_epochs(tiny: dict[str, Any]) -> None:
    tiny["methods"] = {
        name: tiny["methods"][name] for name in ("random-init", "scratch", "adversarial-per-lead")
    } | {"handcrafted": {"kind": "handcrafted"}}
    tiny["study"]["baselines"] = []
    found = {}
    for epochs in (2, 400):
        tiny["pretrain"]["epochs"] = epochs
        made = study(check(tiny, where="tiny"), plan=True, progress=False)
        found[epochs] = {name: (n, s) for name, n, s in made.cost.parts}
        assert all(n > 0 and s > 0 for n, s in found[epochs].values())
        assert made.cost.seconds == pytest.approx(sum(s for _, s in found[epochs].values()))
        assert made.cost.memory_mib > 50
    assert {"pretraining steps", "features of records", "linear readings", "finetune readings"} <= set(
        found[2]
    )
    readings = sum(n for name, (n, _) in found[2].items() if name.endswith("readings"))
    assert readings == made.cells
    (few, few_s), (many, many_s) = (found[epochs]["pretraining steps"] for epochs in (2, 400))
    assert many == 200 * few
    assert many_s > 20 * few_s
    assert not Path(tiny["out"]).exists(), "a plan writes nothing"
    lines = "\n".join(plan_lines(made))
    assert all(words in lines for words in ("of one core", "GiB of memory"))
    assert "warning" not in lines


def test_labels_are_the_fewest_of_any_rotation_by_part_and_budget(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Store.open(Path(tiny["store"])).table
    monkeypatch.setattr(_places, "pick_split", lambda splits, rotation: by_patient(table, seed=rotation))
    tiny["targets"] = {"other": {"store": tiny["store"], "tasks": ["sex"]}}
    tiny["transfer"] |= {"tasks": ["rhythm", "age"], "shots": [2]}
    config = check(tiny, where="tiny")
    found = label_counts(config, rotations=range(3))
    assert [labels.task for labels in found] == ["rhythm", "age", "other:sex"]
    by_hand = []
    for rotation in range(3):
        place = places(config, rotation=rotation)["other"]
        y = place.parts("sex")[1]["train"].subset(0.25, 0).y
        by_hand.append((len(y), min(int(y.sum()), int(len(y) - y.sum()))))
    few = found[2].budgets["25 %"]
    assert (few.records, few.positives) == tuple(map(min, zip(*by_hand, strict=True)))
    assert few.rarest in ("female", "not female")
    assert found[0].budgets["2 a class"].positives >= 2
    assert found[1].parts["test"].rarest == ""
    assert re.fullmatch(
        r"rhythm: \d+ \(\w+ \d+\) train, \d+ \(\w+ \d+\) validation, \d+ \(\w+ \d+\) test; "
        r"at 25 %: \d+ \(\w+ \d+\), 2 a class: \d+ \(\w+ 2\)",
        str(found[0]),
    )


def test_views_that_may_change_what_labels_are_read_from_are_said(tiny: dict[str, Any]) -> None:
    tiny["methods"]["simclr"] = {"set": {"views.extra": [{"name": "time-warp"}, {"name": "powerline"}]}}
    assert list(doubtful(check(tiny, where="tiny"))) == [
        "the view time-warp (of simclr) may change rate, rhythm, by which rhythm is labelled"
    ]


def test_what_a_view_may_change_owes_to_its_parameters(tiny: dict[str, Any]) -> None:
    tiny["transfer"]["tasks"] = ["rhythm"]
    tiny["methods"] = {
        "one-lead": {"set": {"views.extra": [{"name": "block-mask"}, {"name": "block-mask"}]}},
        "none": {"set": {"views.extra": [{"name": "block-mask", "length_s": 0}]}},
        "all-leads": {"set": {"views.extra": [{"name": "block-mask", "leads": "all"}]}},
    }
    tiny["study"]["baselines"] = []
    assert list(doubtful(check(tiny, where="tiny"))) == [
        "the view block-mask (of one-lead) may change rhythm, by which rhythm is labelled",
        "the view block-mask (of all-leads) may change rate, rhythm, by which rhythm is labelled",
    ]


def test_a_batch_of_more_records_than_there_are_is_said_with_its_methods(tiny: dict[str, Any]) -> None:
    tiny["pretrain"]["batch"] = 97
    tiny["methods"]["simclr"] = {"set": {"pretrain.batch": 96}}
    assert list(doubtful(check(tiny, where="tiny"))) == [
        "batch of 97, but 96 records: each step takes them all "
        "(of random-per-lead, 3kg, adversarial-per-lead)"
    ]


def test_marks_that_are_to_be_made_and_masks_to_be_looked_at_cost_time(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny["methods"] = {"adversarial-per-lead": tiny["methods"]["adversarial-per-lead"]}
    tiny["study"] |= {"baselines": [], "waves": [tiny["store"]], "seeds": [0, 1]}
    tiny["transfer"] |= {"probes": ["linear"], "tasks": ["sex"]}
    plain = study(check(tiny, where="tiny"), plan=True, progress=False).cost
    assert plain is not None
    parts = {name: (n, s) for name, n, s in plain.parts}
    assert parts["records under masks"][0] == 2 * (160 - 96)
    assert parts["records under masks"][1] > 0
    assert "records delineated" not in parts
    monkeypatch.setattr("ecglipse.waves.delineator.load_library", lambda: None)
    monkeypatch.setattr("ecglipse.waves.delineator.delineate_rows", lambda *a: time.sleep(0.01))
    n, seconds = delineation_s([Store.open(Path(tiny["store"]))] * 2)
    assert n == 160
    assert seconds > 160 * 0.01 / 4
