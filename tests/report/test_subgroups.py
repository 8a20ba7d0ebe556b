"""Subgroups: gaps equal those by hand; a planted one is found; few records give none."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from dummy_study import CLASSES, STORE, Make, auroc
from test_page import read

from ecglipse.errors import LedgerError
from ecglipse.report.differences import Gap
from ecglipse.report.page import write_report
from ecglipse.report.subgroups import LEAST, read_subgroups
from ecglipse.report.summarise import summarise
from ecglipse.results import Ledger

METHOD = "adversarial-per-lead"


def with_groups(folder: Path, women: np.ndarray) -> Path:
    """Say which rows are women's; ages and sources all alike."""
    zeros = np.zeros(len(women), dtype=np.int16)
    (folder / "subgroups").mkdir()
    np.savez(
        folder / "subgroups" / f"{STORE[:16]}.npz",
        sex=np.where(women, 0, 1).astype(np.int16),
        sex_names=np.array(["women", "men"]),
        age=zeros,
        age_names=np.array(["any"]),
        source=zeros,
        source_names=np.array(["here"]),
    )
    return folder


def found(folder: Path, task: str) -> dict[str, Gap]:
    return {g.metric: g for g in summarise(folder).gaps if (g.group.task, g.method) == (task, METHOD)}


def test_gaps_equal_those_by_hand(make: Make) -> None:
    women = np.random.default_rng(0).random(400) < 0.5
    folder = with_groups(make(replicates=60), women)
    gaps = found(folder, "rhythm")
    assert {g.variable for g in summarise(folder).gaps} == {"sex"}, "all alike is no subgroup"
    ledger, areas, rates = Ledger(folder), [], []
    for line in ledger.lines():
        if (line["method"], line["task"], line["fraction"]) != (METHOD, "rhythm", 0.1):
            continue
        p = ledger.predictions(line)
        inside = women[p.rows]
        sides = []
        for part in (inside, ~inside):
            truth, scores = p.truth[part], p.scores[part]
            given = scores.argmax(axis=1)[:, None] == np.arange(3)
            area = np.mean([auroc(scores[:, k], truth[:, k]) for k in range(3)])
            fpr = np.mean([given[truth[:, k] == 0, k].mean() for k in range(3)])
            sides.append((area, fpr))
        areas.append(sides[0][0] - sides[1][0])
        rates.append(sides[0][1] - sides[1][1])
    assert len(CLASSES["rhythm"]) == 3
    assert gaps["AUROC"].gap == pytest.approx(np.mean(areas))
    assert gaps["FPR"].gap == pytest.approx(np.mean(rates))
    assert gaps["AUROC"].low < gaps["AUROC"].gap < gaps["AUROC"].high
    assert gaps["AUROC"].n + gaps["AUROC"].n_rest == int(p.truth.sum())


def test_a_class_needs_records_on_both_sides(make: Make) -> None:
    few = np.zeros(400, dtype=bool)
    few[: 2 * LEAST - 2] = True
    assert found(with_groups(make(replicates=20), few), "rhythm") == {}


def test_decisions_need_their_thresholds(make: Make) -> None:
    """A binary task whose ledger does not say at which thresholds it decides has no TPR gap."""
    women = np.random.default_rng(0).random(400) < 0.5
    assert set(found(with_groups(make(replicates=20), women), "sex")) == {"AUROC"}


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "subgroups").mkdir()
    (tmp_path / "subgroups" / "ffff.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(LedgerError, match="not a file of subgroups"):
        read_subgroups(tmp_path)


def test_what_cannot_be_compared_is_listed_with_its_reason(make: Make) -> None:
    folder = with_groups(make(replicates=20, seeds=(0,)), np.arange(400) < 4)  # too few women
    summary = summarise(folder)
    assert summary.gaps == ()
    why = {(u.task, u.variable, u.name): u for u in summary.uncompared}
    women = why["rhythm", "sex", "women"]
    assert (women.n, women.n + women.n_rest) == (
        4,
        len(Ledger(folder).predictions(Ledger(folder).lines()[0]).rows),
    )
    assert women.note == "no class has 10 positives and 10 negatives on both sides"
    assert why["sex", "age", "any"].note == "no test record has another value"
    written = write_report(folder)
    assert "sex: women rhythm 4" in read(written).text
    assert "n/a, no class has 10 positives" in written.csv.read_text(encoding="utf-8")


def test_the_csv_has_both_sides_of_a_gap(make: Make) -> None:
    folder = with_groups(make(replicates=20), np.random.default_rng(0).random(400) < 0.5)
    rows = csv.DictReader(io.StringIO(write_report(folder).csv.read_text(encoding="utf-8")))
    mine = [r for r in rows if r["kind"] == "subgroup" and r["value"]]
    assert mine
    for r in mine:
        assert float(r["own"]) - float(r["rest"]) == pytest.approx(float(r["value"]))
