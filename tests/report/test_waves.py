"""What `ecglipse masks` wrote into a run's folder stands on the study's page; what is damaged is told."""

import csv
import io
import json
from pathlib import Path

from dummy_study import METHODS, Make, write_run
from test_occlusion_page import RATIOS, made
from test_page import read

from ecglipse.report.page import write_report
from ecglipse.report.summary import summarise

LEARNED = "adversarial-per-lead"


def study(make: Make) -> Path:
    """One run of the learned masks."""
    folder = make(seeds=(0,), draws=1, replicates=20)
    write_run(folder, "run0")
    facts = json.loads((folder / "study.json").read_text())
    (entry,) = [m for m in facts["methods"] if m["name"] == LEARNED]
    entry["runs"] = {"0/0": "run0"}
    (folder / "study.json").write_text(json.dumps(facts))
    return folder


def measured(folder: Path, text: str) -> Path:
    place = folder / "runs" / "run0" / "masks-ludb"
    place.mkdir()
    (place / "masks.json").write_text(text)
    return folder


def test_waves_stand_on_the_page_and_in_the_csv(make: Make) -> None:
    folder = measured(study(make), json.dumps(made().plain()))
    found = summarise(folder).waves
    assert {w.region: w.ratio for w in found} == RATIOS
    assert {(w.method, w.run, w.corpus, w.records) for w in found} == {(LEARNED, "run0", "ludb", 9)}
    written = write_report(folder)
    page = read(written)
    assert "1.60 1.50–1.70" in page.text
    assert "n/a: not measured" not in page.text
    rows = [r for r in csv.DictReader(io.StringIO(written.csv.read_text())) if r["kind"] == "waves"]
    assert {r["class"]: float(r["value"]) for r in rows} == RATIOS
    assert {r["method"] for r in rows} == {LEARNED} <= {m["name"] for m in METHODS}


def test_without_them_the_page_says_how_to_get_them(make: Make) -> None:
    assert "n/a: not measured. ecglipse masks RUN STORE writes" in read(write_report(study(make))).text


def test_a_damaged_file_is_told_and_costs_nothing_else(make: Make) -> None:
    for text in (
        "{",
        "{}",
        json.dumps({"store": {"corpus": "x"}, "marks": "", "records": 1, "enrichments": [3]}),
    ):
        folder = measured(study(make), text)
        assert summarise(folder).waves == ()
        assert "No waves of Adversarial, per lead: masks-ludb/masks.json" in read(write_report(folder)).text
