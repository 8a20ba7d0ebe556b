"""The small LaTeX tables: the summary's numbers, whole rows, floors above the rule, text that stays text."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from dummy_study import METHODS, write_study
from test_latex import EVIL

from ecglipse.report.latex_tables import latex_tables
from ecglipse.report.page import write_report
from ecglipse.report.summary import summarise
from ecglipse.report.tables import Disturbed, Gap, Group, Summary


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    folder = tmp_path_factory.mktemp("latex") / "study"
    methods = (*METHODS[:-1], {**METHODS[-1], "title": EVIL})
    found = summarise(write_study(folder, methods=methods, probes=("linear", "finetune"), replicates=20))
    where = Group(found.tasks[0], "linear", "matched", 0.1)
    method = METHODS[-1]["name"]
    gap = Gap(where, str(method), "sex", EVIL, "AUROC", 10, 20, 0.8, 0.7, 0.1, 0.05, 0.15)
    names = [f"noise {k} dB" for k in range(13)]
    disturbed = [Disturbed(where, str(method), name, 0.8, -0.01, -0.02, 0.0) for name in names]
    return replace(found, gaps=(gap,), disturbed=tuple(disturbed))


def test_every_table_is_there_and_whole(summary: Summary) -> None:
    made = latex_tables(summary)
    assert list(made) == ["floors", "labels", "classes", "calibration", "subgroups", "robustness"]
    for name, text in made.items():
        for table in text.split("\\begin{table}")[1:]:
            columns = len(re.search(r"begin\{tabular\}\{(lr+)\}", table)[1])
            body = table.split("\\toprule")[1].split("\\bottomrule")[0]
            rows = [line for line in body.splitlines() if line.endswith("\\\\")]
            assert len(rows) >= 2, name
            assert columns <= 10
            for row in rows:
                assert len(re.findall(r"(?<!\\)&", row)) == columns - 1, row


def test_numbers_are_those_of_the_summary(summary: Summary) -> None:
    made = latex_tables(summary)
    mine = [k for k in summary.classes if k.group.fraction == 0.1 and k.group.probe == "linear" and k.auroc]
    assert mine
    assert all(f"${k.auroc:.3f}$" in made["classes"] for k in mine)
    after = [r for r in summary.reliability if r.ece is not None]
    assert after
    assert all(f"${r.ece:.3f}$" in made["calibration"] for r in after)
    assert "$+0.100$ [$+0.050$, $+0.150$]" in made["subgroups"]
    assert made["robustness"].count("$-0.010$ [$-0.020$, $+0.000$]") == 13
    group = Group(summary.tasks[0], "linear", "matched", 0.1)
    assert f"${summary.floor(group, 'scratch').mean:.3f}$" in made["floors"]


def test_floors_stand_above_the_rule(summary: Summary) -> None:
    table = latex_tables(summary)["classes"].split("\\begin{table}")[1]
    above, below = table.split("\\midrule")[1:]
    assert "Hand-crafted" in above
    assert "Hand-crafted" not in below


def test_text_stays_text(summary: Summary) -> None:
    assert all("\\input{" not in text for text in latex_tables(summary).values())


def test_the_best_is_named_only_where_methods_may_be_ranked(summary: Summary) -> None:
    assert "best pretrained" in latex_tables(summary)["floors"]
    assert "best pretrained" not in latex_tables(replace(summary, ranked=False))["floors"]


def test_they_lie_beside_the_page(tmp_path: Path) -> None:
    written = write_report(write_study(tmp_path / "study", replicates=20), tmp_path / "out")
    assert {path.name for path in written.tables} == {
        path.name for path in (tmp_path / "out").glob("results-*.tex")
    }
    assert tmp_path / "out" / "results-classes.tex" in written.tables
