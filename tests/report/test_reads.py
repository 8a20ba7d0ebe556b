"""Readings of test sets are counted where they were made: in the ledger, and under masks."""

import json
from pathlib import Path

import pytest
from dummy_study import STORE, Make
from test_page import read

from ecglipse.errors import LedgerError
from ecglipse.report.page import write_report
from ecglipse.report.reads import FILE
from ecglipse.report.summarise import summarise


def test_the_ledger_is_counted_whatever_the_study_says(make: Make) -> None:
    folder = make(seeds=(0,), draws=1, replicates=20, test_reads={"rhythm": 1, "sex": 99})
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    n = sum(line["task"] == "rhythm" for line in lines)
    assert f"rhythm {n}; sex {len(lines) - n}" in read(write_report(folder)).text


def test_lines_of_earlier_settings_have_read_it_too(make: Make) -> None:
    folder = make(seeds=(0, 1), draws=1, replicates=20)
    facts = json.loads((folder / "study.json").read_text())
    before = summarise(folder).hardware
    facts["config"]["study"]["seeds"] = [0]
    (folder / "study.json").write_text(json.dumps(facts))
    after = summarise(folder).hardware
    assert after["cells"] < before["cells"]
    assert after["reads"] == before["reads"]


def counted(folder: Path, *lines: str) -> None:
    run = folder / "runs" / "one"
    run.mkdir(parents=True)
    (run / FILE).write_text("".join(line + "\n" for line in lines))


def test_readings_under_masks_are_added(make: Make) -> None:
    folder = make(seeds=(0,), draws=1, replicates=20, targets={"cinc": {"digest": "c" * 64}})
    before = summarise(folder).hardware["reads"]
    stores = ((STORE, 25), (STORE, 4), ("c" * 64, 7), ("d" * 64, 1))
    counted(folder, *(json.dumps({"task": "sex", "store": s, "reads": n}) for s, n in stores))
    after = summarise(folder).hardware["reads"]
    added = {task: n - before.get(task, 0) for task, n in after.items() if n != before.get(task, 0)}
    assert added == {"sex": 29, "cinc:sex": 7, "store dddddddd:sex": 1}


def test_a_damaged_count_is_refused(make: Make) -> None:
    folder = make(seeds=(0,), draws=1, replicates=20)
    counted(folder, '{"task": "sex"')
    with pytest.raises(LedgerError, match="not a count of test readings"):
        summarise(folder)
