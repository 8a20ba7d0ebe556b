"""What `ecglipse masks` wrote into a run's folder stands on the study's page; what is damaged is told."""

import csv
import io
import json
from pathlib import Path

from dummy_study import METHODS, Make, write_run
from test_occlusion_page import RATIOS, made
from test_page import read

from ecglipse.report.page import write_report, write_summary
from ecglipse.report.summarise import summarise

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
    place.mkdir(exist_ok=True)
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
    rows = [r for r in rows if not (r["lead"] or r["records"])]
    assert {r["class"]: float(r["value"]) for r in rows} == RATIOS
    assert {r["method"] for r in rows} == {LEARNED} <= {m["name"] for m in METHODS}


def test_without_them_the_page_says_how_to_get_them(make: Make) -> None:
    assert "n/a: not measured. ecglipse masks RUN STORE writes" in read(write_report(study(make))).text


def test_a_damaged_file_is_told_and_costs_nothing_else(make: Make) -> None:
    folder = study(make)
    for text in (
        "{",
        "{}",
        json.dumps({"store": {"corpus": "x"}, "marks": "", "records": 1, "enrichments": [3]}),
    ):
        found = summarise(measured(folder, text))
        assert found.waves == ()
        page = read(write_summary(found, folder, folder)).text
        assert "No waves of Adversarial, per lead: masks-ludb/masks.json" in page


def test_leads_classes_agreement_and_causality_stand_there_too(make: Make) -> None:
    folder = measured(study(make), json.dumps(made().plain()))
    summary, written = summarise(folder), write_report(folder)
    parts = {(w.group, w.lead, w.region): w for w in summary.wave_parts}
    assert {key[:2] for key in parts} == {("", "II"), ("", "V1"), ("AF", "")}
    assert parts["", "II", "P"].ratio == 0.246
    assert parts["AF", "", "P"].ratio is None
    text = read(written).text
    for words in (
        "By lead: Adversarial, per lead, ludb",
        "By class of records: Adversarial, per lead, ludb",
        "seed 1, of another record 9 0.100 0.050 to 0.150",
        "Rhythm, ludb probe 9 0.900 +0.080 (+0.060 to +0.100) p 0.001 0.820 0.860",
        "n/a not tried",
    ):
        assert words in text
    rows = list(csv.DictReader(io.StringIO(written.csv.read_text(encoding="utf-8"))))
    (lead,) = [r for r in rows if (r["kind"], r["lead"], r["class"]) == ("waves", "II", "P")]
    assert float(lead["value"]) == 0.246
    kinds = [r["kind"] for r in rows]
    assert (kinds.count("stability"), kinds.count("causality")) == (8, 5)


def test_runs_are_named_by_seed_and_test_set(make: Make) -> None:
    folder = study(make)
    facts = json.loads((folder / "study.json").read_text())
    (entry,) = [m for m in facts["methods"] if m["name"] == LEARNED]
    entry["runs"] = {"0/0": "run0", "1/0": "run1"}
    (folder / "study.json").write_text(json.dumps(facts))
    found = made().plain()
    found["stability"][1]["other"] = "run1"
    found["stability"][2]["other"] = "run1, of another record"
    measured(folder, json.dumps(found))
    others = [a.other for a in summarise(folder).agreements]
    assert others == ["the same run", "seed 1", "seed 1, of another record", "random"]
    assert "Adversarial, per lead seed 0 ludb" in read(write_report(folder)).text
