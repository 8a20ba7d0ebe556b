"""Encoders that saw tested recordings are called transductive in every table, and no other row is."""

import csv
import io
from typing import Any

import pytest
from dummy_study import METHODS, Make
from test_page import read

from ecglipse.report.page import write_report
from ecglipse.report.transductive import transductive

PRETRAINED = {"simclr", "random-per-lead", "3kg", "adversarial-per-lead", "frozen", "shuffled"}
OWN = "r7 is trained on, and is r9, which is tested"
AWAY = "more/b x1 is pretrained on, and is cinc y1, which is tested"
LABELS = "cinc y2 is trained on, and is cinc y3, which is tested"
VALIDATION = "r7 is trained on, and is r8, which is chosen by"


def facts(*leaks: str) -> dict[str, Any]:
    methods = [dict(entry) for entry in METHODS]
    methods[5]["set"] = {"pretrain.also": ["more/b/"]}
    return {"leaks": list(leaks), "methods": methods, "config": {"targets": {"cinc": {}}}}


@pytest.mark.parametrize(
    ("leaks", "names"),
    [((), set()), ((OWN,), PRETRAINED), ((AWAY,), {"random-per-lead"}), ((LABELS, VALIDATION), set())],
    ids=["none", "own", "another store", "labels alone"],
)
def test_whose_pretraining_saw_it(leaks: tuple[str, ...], names: set[str]) -> None:
    assert transductive(facts(*leaks)) == names


def test_the_word_stands_in_every_table(make: Make) -> None:
    written = write_report(make(seeds=(0,), draws=1, replicates=20, leaks=[OWN]))
    text = read(written).text
    assert "Rows called “transductive”" in text
    rows = list(csv.DictReader(io.StringIO(written.csv.read_text(encoding="utf-8"))))
    assert {r["method"] for r in rows if "(transductive)" in r["title"]} == PRETRAINED
    for table in (written.markdown, written.latex):
        assert "3KG (transductive)" in table.read_text(encoding="utf-8")


def test_where_it_cannot_be_the_page_says_so(make: Make) -> None:
    clean = read(write_report(make(seeds=(0,), draws=1, replicates=20, leaks=[]))).text
    assert "No row is transductive" in clean
    assert "(transductive)" not in clean
    unknown = read(write_report(make(seeds=(0,), draws=1, replicates=20))).text
    assert "is not known" in unknown
