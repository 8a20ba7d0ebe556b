"""A study's last step: what the masks of its learned methods hide of waves, of all seeds, once."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ecglipse.commands import study
from ecglipse.commands._masks import masks
from ecglipse.config import Config, check
from ecglipse.errors import ConfigError
from ecglipse.report.study import read_study
from ecglipse.report.waves import read_waves


@pytest.fixture
def config(tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A study of two seeds with a step of waves, of few masks and shifts."""
    few = partial(masks, draws=2, shifts=19, records=24, pictures=0)
    monkeypatch.setattr("ecglipse.commands._wave_step.masks", few)

    def make(**more: Any) -> Config:
        learned = {"masks": "adversarial", "leads": "per-lead"}
        methods = {"simclr": {}, "learned": learned, "frozen": learned | {"network": "frozen"}}
        rule = {"tasks": ["sex"], "probes": ["linear"], "fractions": [1.0]}
        grid = {"seeds": [0, 1], "workers": 1, "waves": [tiny["store"]], "gallery": 1}
        content = tiny | {"methods": methods, "transfer": rule, "study": grid | more}
        return check(content | {"pretrain": {"epochs": 1, "batch": 32}}, where="t")

    return make


def test_masks_of_learned_methods_are_looked_at_once_for_every_seed(config: Any) -> None:
    rule = config(harm="rhythm")
    made = study(rule, progress=False)
    pages = sorted(made.folder.glob("runs/*/masks-simulated/masks.json"))
    runs = {path.parent.parent.name for path in pages}
    assert {name.rsplit("-", 1)[0] for name in runs} == {"learned-s0", "learned-s1"}
    for path in pages:
        found = json.loads(path.read_text())
        assert runs - {path.parent.parent.name} < {row["other"] for row in found["stability"]}
        assert {arm["name"] for arm in found["harm"]["arms"]} >= {"learned", "random"}
        assert {"AF", "SR"} < found["groups"].keys()
    _, methods = read_study(made.folder)
    looked = read_waves(made.folder, methods)
    assert {share.method for share in looked.shares} == {"learned"}
    assert not looked.faults
    times = [path.stat().st_mtime_ns for path in pages]
    assert study(rule, progress=False).added == 0
    assert [path.stat().st_mtime_ns for path in pages] == times
    (pages[0].parent / "masks.html").unlink()  # stopped before it was written
    study(rule, progress=False)
    assert (pages[0].parent / "masks.html").is_file()
    assert pages[1].stat().st_mtime_ns == times[1]


def test_stores_and_tasks_that_do_not_fit_are_refused_before_anything_runs(
    config: Any, tiny: dict[str, Any], tmp_path: Path
) -> None:
    from ecglipse.commands._demo import write_simulated_store

    write_simulated_store(tmp_path / "fast", 4, fs=200.0)
    with pytest.raises(ConfigError, match=r"study.waves: .*fast has 200 Hz"):
        study(config(waves=[str(tmp_path / "fast")]), progress=False)
    with pytest.raises(ConfigError, match=r"no store of `study.waves` has the task 'superclass'"):
        study(config(harm="superclass"), progress=False)
    assert not Path(tiny["out"]).exists()
