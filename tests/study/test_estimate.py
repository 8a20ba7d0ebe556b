"""The plan's cost: every part positive, parts that add up, and time that grows with the epochs."""

from pathlib import Path
from typing import Any

import pytest

from ecglipse.commands import study
from ecglipse.commands._study import plan_lines
from ecglipse.config import check


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
    for task, _, n, counts in made.labels:
        assert 0 < n <= 160
        assert counts
        assert sum(counts.values()) <= n, task
    lines = " ".join(plan_lines(made))
    assert all(words in lines for words in ("sex, test: ", "of one core", "GiB of memory"))
