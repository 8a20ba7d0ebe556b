"""What masks hid in all stands beside the twin's, and a twin that is not matched is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from dummy_study import Make
from test_page import read, with_runs

from ecglipse.report.page import write_report
from ecglipse.report.summarise import summarise

LEARNED, RANDOM = "adversarial-per-lead", "random-per-lead"
PLAIN: dict[str, Any] = {
    "records": 128,
    "draws": 4,
    "coverage": 0.5,
    "run_mean_s": 0.5,
    "run_s": [0.25, 0.5, 1.0],
}
PLAIN |= {"leads_at_once": 0.5}


def study(make: Make, **learned: Any) -> Path:
    """Two masked methods with a run each; the learned one's masks as they are wished."""
    folder = with_runs(make(seeds=(0,), draws=1, replicates=20))
    facts = json.loads((folder / "study.json").read_text())
    for entry in facts["methods"]:
        for run in entry["runs"].values():
            about = PLAIN | (learned if entry["name"] == LEARNED else {})
            (folder / "runs" / run / "applied.json").write_text(json.dumps(about))
    return folder


def unmatched(folder: Path) -> list[str]:
    return [text for text in summarise(folder).cautions if "are not matched" in text]


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        ({"coverage": 0.52}, ["it hides 52.0% of the signal, the twin 50.0%"]),
        ({"coverage": 0.508}, []),
        ({"run_mean_s": 0.56}, ["its hidden stretches last 0.56 s on average, the twin's 0.50 s"]),
        ({"run_mean_s": 0.54}, []),
        (
            {"coverage": 0.0, "run_mean_s": None, "run_s": [], "leads_at_once": None},
            ["last no time on average"],
        ),
    ],
)
def test_what_is_not_matched_is_told(make: Make, learned: dict[str, Any], words: list[str]) -> None:
    folder = study(make, **learned)
    said = unmatched(folder)
    assert len(said) == len(words)
    for text, wanted in zip(said, words, strict=True):
        assert wanted in text
    page = write_report(folder).html.read_text(encoding="utf-8")
    assert ('class="off"' in page) == bool(words)


def test_the_page_has_both_and_the_mean_over_runs(make: Make) -> None:
    folder = study(make)
    found = {m.method: m for m in summarise(folder).masks}
    assert {LEARNED, RANDOM} <= found.keys()
    assert (found[LEARNED].twin, found[RANDOM].twin) == (RANDOM, "")
    text = read(write_report(folder)).text
    assert "Adversarial, per lead Random masks, per lead 1 128 records, 4 draws 0.500 0.500 0.50 s" in text


def test_older_runs_are_measured_by_their_pictures(make: Make) -> None:
    folder = with_runs(make(seeds=(0,), draws=1, replicates=20))
    found = {m.method: m for m in summarise(folder).masks}
    assert (found[LEARNED].records, found[LEARNED].draws) == (2, 1)
    assert 0.4 < found[LEARNED].coverage < 0.6
    assert found[LEARNED].run_s[0] == pytest.approx(0.25)


def test_a_damaged_measure_is_told_and_costs_nothing_else(make: Make) -> None:
    folder = study(make)
    for path in folder.glob("runs/*/applied.json"):
        path.write_text("{")
    page = read(write_report(folder))
    assert "No measure of the masks of Adversarial, per lead" in page.text
    assert "How the game went" in page.text
