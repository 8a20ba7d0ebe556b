"""Figures as files of their own: well-formed, with key and colours; no text of a study becomes an element."""

import re
from xml.etree import ElementTree

from dummy_study import METHODS, Make

from ecglipse.report.page import write_report
from ecglipse.report.standalone import standalone

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><script>alert(1)</script><g onload=x a="'


def test_two_figures_have_all_that_they_need(make: Make) -> None:
    written = write_report(make())
    assert [path.name for path in written.figures] == ["results-labels.svg", "results-differences.svg"]
    for path in written.figures:
        text = path.read_text()
        root = ElementTree.fromstring(text)
        assert root.tag == f"{SVG}svg"
        assert "@media" not in text
        ids = {node.get("id") for node in root.iter()}
        used = {str(node.get("href")).removeprefix("#") for node in root.iter(f"{SVG}use")}
        assert used
        assert used <= ids, "markers are in the file"
        named = set(re.findall(r"(--[\w-]+):", text))
        without = set(re.findall(r"var\((--[\w-]+)\)", text))
        assert without <= named, "no colour is left to the page"
        titles = {node.text for node in root.iter(f"{SVG}text")}
        assert {entry["title"] for entry in METHODS} <= titles


def test_a_hostile_title_stays_text(make: Make) -> None:
    clean = write_report(make())
    methods = tuple(entry | {"title": f"{HOSTILE}{n}"} for n, entry in enumerate(METHODS))
    hurt = write_report(make(methods=methods))
    for one, other in zip(clean.figures, hurt.figures, strict=True):
        root = ElementTree.fromstring(other.read_text())
        assert {node.tag for node in root.iter()} == {
            node.tag for node in ElementTree.fromstring(one.read_text()).iter()
        }
        assert not any(key.startswith("on") for node in root.iter() for key in node.attrib)


def test_a_study_of_numbers_too_has_both(make: Make) -> None:
    measured = write_report(make(methods=METHODS, rotations=2, probes=("linear", "knn")))
    assert len(measured.figures) == 2
    page = measured.html.read_text().replace("macro AUROC over label", "macro AUROC (R² for age) over label")
    assert list(standalone(page, {})) == ["labels", "differences"]
