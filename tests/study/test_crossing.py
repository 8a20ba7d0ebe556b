"""A recording on both sides of a split: the study is refused, or marked, and always said in the plan."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from ecglipse.cli import main
from ecglipse.commands import report, study
from ecglipse.commands._crossing import crossing
from ecglipse.config import check
from ecglipse.corpora.simulator import VOCABULARY, simulate
from ecglipse.errors import TaskError
from ecglipse.splits import by_patient
from ecglipse.store import Store, StoreWriter


def write(path: Path, records: list[Any]) -> Store:
    with StoreWriter(
        path, corpus="simulator", fs=100.0, duration_s=10.0, vocabulary=VOCABULARY, processing=[]
    ) as writer:
        for record in records:
            writer.add(record)
        writer.commit()
    return Store.open(path)


@pytest.fixture
def leaky(tiny: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A study whose store has one tested recording again, louder, under a patient that is trained on."""
    records = list(simulate(160, seed=3, recordings_per_patient=2))
    plain = write(tmp_path / "plain", records)
    split = by_patient(plain.table, seed=0, validation=0.15, test=0.25)
    tested, trained = records[int(split.test[0])], records[int(split.train[0])]
    copy = dataclasses.replace(
        tested, signal=tested.signal * 1.5, record_id="copy", patient_id=trained.patient_id
    )
    again = by_patient(write(tmp_path / "leaky", [*records, copy]).table, seed=0, validation=0.15, test=0.25)
    assert 160 in again.train
    assert int(split.test[0]) in again.test
    return tiny | {
        "store": str(tmp_path / "leaky"),
        "methods": {"random-init": {"kind": "init"}},
        "study": tiny["study"] | {"baselines": []},
        "transfer": tiny["transfer"] | {"tasks": ["sex"], "probes": ["linear"]},
    }


def test_a_study_that_tests_what_it_trained_on_is_refused_before_anything_runs(
    leaky: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(
        TaskError, match=r"1 recording is on both sides of a split: copy is trained on, and is .* tested"
    ) as caught:
        study(check(leaky, where="t"), progress=False)
    assert "ecglipse leaks STORE" in str(caught.value)
    assert not (Path(leaky["out"]) / "study.json").exists()
    assert len(study(check(leaky, where="t"), plan=True).leaks) == 1


def test_a_recording_that_is_trained_on_and_chosen_by_is_refused_too(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    records = list(simulate(160, seed=3, recordings_per_patient=2))
    store = Store.open(Path(tiny["store"]))
    split = by_patient(store.table, seed=0, validation=0.15, test=0.25)
    chosen, trained = records[int(split.validation[0])], records[int(split.train[0])]
    copy = dataclasses.replace(chosen, record_id="copy", patient_id=trained.patient_id)
    write(tmp_path / "twice", [*records, copy])
    again = by_patient(Store.open(tmp_path / "twice").table, seed=0, validation=0.15, test=0.25)
    assert 160 in again.train
    assert int(split.validation[0]) in again.validation
    rule = tiny | {"store": str(tmp_path / "twice")}
    with pytest.raises(TaskError, match=r"copy is trained on, and is \S+, which is chosen by"):
        study(check(rule, where="t"), progress=False)
    marked = check(rule | {"study": tiny["study"] | {"leaks": "mark"}}, where="t")
    found = crossing(marked, rotations=[0])
    assert (len(found.tested), len(found.chosen)) == (0, 1)


def test_a_targets_choosing_records_are_looked_at_too(
    leaky: dict[str, Any], tiny: dict[str, Any], tmp_path: Path
) -> None:
    """All records of the study's store are in the target too, under other patients' splits or the same."""
    target = {"again": {"store": str(tmp_path / "leaky"), "tasks": ["sex"]}}
    found = crossing(check(tiny | {"targets": target}, where="t"), rotations=[0])
    own, other = (Store.open(Path(path)) for path in (tiny["store"], tmp_path / "leaky"))
    first, second = (by_patient(s.table, seed=0, validation=0.15, test=0.25) for s in (own, other))
    both = len(set(first.train) & set(second.validation))
    assert sum("is again " in sentence for sentence in found.chosen) == both


def test_marked_it_runs_and_the_report_says_so_first(leaky: dict[str, Any]) -> None:
    config = check(leaky | {"study": leaky["study"] | {"leaks": "mark"}}, where="t")
    made = study(config, progress=False)
    assert made.added == made.cells
    page = report(made.folder).html.read_text()
    assert "1 recordings were trained on and tested" in page


def test_without_the_copy_nothing_is_said(tiny: dict[str, Any]) -> None:
    assert study(check(tiny, where="t"), plan=True).leaks == ()


def test_the_plan_on_the_command_line_warns(
    leaky: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""name = "t"
store = "{leaky["store"]}"
out = "{leaky["out"]}"
[split]
kind = "patients"
[methods.random-init]
kind = "init"
[transfer]
tasks = ["sex"]
"""
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main(["study", str(tmp_path / "t.toml"), "--plan"])
    assert stopped.value.code == 0
    assert "leak: copy is trained on, and is" in capsys.readouterr().out
