"""The page, the CSV and the Markdown: the same numbers, nothing that runs, nothing from elsewhere."""

import csv
import io
import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dummy_study import METHODS, Make, write_run

from ecglipse.errors import EcglipseError
from ecglipse.report.page import Written, write_report
from ecglipse.report.scores import Group
from ecglipse.report.summarise import summarise

VOID = {"meta", "img", "br", "hr", "input", "link", "path", "circle", "rect", "use"}
PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(2)</script></svg></style><b id="owned">=1+1|`$x$'


class Reader(HTMLParser):
    """Collects elements, attributes and text, and minds that what opens closes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def read(written: Written) -> Reader:
    return Reader(written.html.read_text(encoding="utf-8"))


def with_runs(folder: Path, **wishes: Any) -> Path:
    """Give every masked method a run, and name it in `study.json`."""
    study = json.loads((folder / "study.json").read_text())
    for number, entry in enumerate(study["methods"]):
        if entry["masks"] != "none":
            name = f"run{number}"
            write_run(folder, name, seed=number, **wishes)
            entry["runs"] = {"0/0": name}
    (folder / "study.json").write_text(json.dumps(study))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """A whole study with runs, written once."""
    from dummy_study import write_study

    skill = {"adversarial-per-lead": 1.4, "random-per-lead": 0.5}
    folder = write_study(
        tmp_path_factory.mktemp("page") / "study",
        skill=skill,
        probes=("linear", "finetune"),
        seeds=(0, 1, 2),
        draws=3,
    )
    with_runs(folder)
    began = time.process_time()
    written = write_report(folder)
    assert time.process_time() - began < 20
    return folder, written


def test_page_is_well_formed_and_asks_for_nothing(whole: tuple[Path, Written]) -> None:
    page = read(whole[1])
    assert page.open == []
    assert page.tags["main"] == page.tags["h1"] == 1
    assert "script" not in page.tags
    assert "link" not in page.tags
    policy = [v for tag, name, v in page.attributes if tag == "meta" and name == "content"]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in policy
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("data:image/png;base64,", "#"))
    text = whole[1].html.read_text()
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_page_is_small(whole: tuple[Path, Written]) -> None:
    assert whole[1].html.stat().st_size < 3_000_000


def test_every_picture_has_words(whole: tuple[Path, Written]) -> None:
    page = read(whole[1])
    assert "img" not in page.tags
    labelled = [v for tag, name, v in page.attributes if (tag, name) == ("svg", "aria-label")]
    decoration = [v for tag, name, v in page.attributes if (tag, name) == ("svg", "aria-hidden")]
    assert len(labelled) + len(decoration) == page.tags["svg"]
    assert all(labelled)
    assert sum("hidden in this draw" in v for v in labelled) == 4
    assert {v for tag, name, v in page.attributes if tag == "use"} >= {"#ecg0", "#ecg1"}


def test_everything_that_is_used_is_there_once(whole: tuple[Path, Written]) -> None:
    attributes = read(whole[1]).attributes
    ids = {v for _, name, v in attributes if name == "id"}
    assert {v.removeprefix("#") for tag, name, v in attributes if (tag, name) == ("use", "href")} <= ids


def test_ids_are_unique(whole: tuple[Path, Written]) -> None:
    ids = [value for _, name, value in read(whole[1]).attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_page_shows_the_numbers_of_the_summary(whole: tuple[Path, Written]) -> None:
    folder, written = whole
    text = read(written).text
    for score in summarise(folder).scores:
        assert f"{score.mean:.3f} {score.low:.3f}–{score.high:.3f}" in text


def test_csv_holds_the_numbers_to_the_last_digit(whole: tuple[Path, Written]) -> None:
    folder, written = whole
    summary = summarise(folder)
    rows = list(csv.DictReader(io.StringIO(written.csv.read_text())))
    scores = {
        (r["task"], r["probe"], float(r["fraction"]), r["method"]): float(r["value"])
        for r in rows
        if r["kind"] == "score"
    }
    assert scores == {
        (s.group.task, s.group.probe, s.group.fraction, s.method): s.mean for s in summary.scores
    }
    differences = [r for r in rows if r["kind"] == "difference"]
    assert len(differences) == len(summary.comparisons)
    twin = next(r for r in differences if r["method"] == "adversarial-per-lead" and r["twin"] == "True")
    assert twin["baseline"] == "random-per-lead"
    assert float(twin["value"]) > 0
    assert len([r for r in rows if r["kind"] == "class"]) == 3 * len(summary.classes)


def test_markdown_holds_the_numbers(whole: tuple[Path, Written]) -> None:
    folder, written = whole
    text = written.markdown.read_text()
    for score in summarise(folder).scores:
        assert f"{score.mean:.3f} ({score.low:.3f} to {score.high:.3f})" in text
    widths = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert all(width >= 3 for width in widths)


def test_verdict_opens_the_page(whole: tuple[Path, Written]) -> None:
    text = read(whole[1]).text
    sentence = "“Adversarial, per lead” beat its random twin “Random masks, per lead” on 2 of 2 tasks"
    assert sentence in text
    assert text.index(sentence) < text.index("How many labels does it take?")
    assert "At 10 % of the labels, linear probe" in text


def test_floors_stand_in_every_table(whole: tuple[Path, Written]) -> None:
    page = whole[1].html.read_text()
    tables = re.findall(r'aria-label="Scores, Linear probe".*?</table>', page, flags=re.S)
    assert len(tables) == 1
    assert "Random-init, frozen" in tables[0]
    assert "From scratch" in tables[0]
    assert "floor, fine-tuned" in tables[0]


def test_what_was_read_and_made_is_told(whole: tuple[Path, Written]) -> None:
    text = read(whole[1]).text
    for words in ("config hash 0123456789abcdef", "times each test set was read", "abc1234", "f" * 64):
        assert words in text


def test_banners_are_there_when_needed_and_only_then(make: Make, whole: tuple[Path, Written]) -> None:
    bare = read(write_report(make(methods=(*METHODS[:2], *METHODS[4:]), synthetic=True))).text
    assert "Floors missing: a random-init frozen encoder, an encoder trained from scratch." in bare
    assert "Synthetic data" in bare
    full = read(whole[1]).text
    assert "Floors missing" not in full
    assert "Synthetic data" not in full


def test_labels_needed_stand_on_the_page_and_in_the_csv(whole: tuple[Path, Written]) -> None:
    assert "Labels needed for the same score, as ratios" in read(whole[1]).text
    rows = list(csv.DictReader(io.StringIO(whole[1].csv.read_text(encoding="utf-8"))))
    needed = [row for row in rows if row["kind"] == "labels needed"]
    assert {row["method"] for row in needed} == {"adversarial-per-lead"}
    assert {row["baseline"] for row in needed} == {"random-per-lead", "frozen", "shuffled", "simclr", "3kg"}
    for row in needed:
        assert row["note"][:1] in "<>" or float(row["value"]) == pytest.approx(float(row["note"]), abs=0.006)


def test_no_ranking_without_floors_unless_it_is_asked_for(make: Make) -> None:
    folder = make(methods=METHODS[1:], probes=("linear", "finetune"))
    refused = write_report(folder)
    text = read(refused).text
    assert "No ranking: a constant prediction (majority) not in this study" in text
    assert "beat its random twin" not in text + refused.markdown.read_text(encoding="utf-8")
    assert 'class="edge best"' not in refused.html.read_text(encoding="utf-8")
    asked = read(write_report(folder, without_floors=True)).text
    assert "its random twin" in asked
    assert "The methods are ranked all the same, as was asked for." in asked


@pytest.mark.parametrize("start", ["=", "+", "\t=", " ="])
def test_spreadsheets_see_text_and_no_formula(make: Make, start: str) -> None:
    methods = tuple(m | {"title": f"{start}HYPERLINK(1)"} for m in METHODS)
    written = write_report(make(methods=methods, seeds=(0,), draws=1, replicates=20))
    rows = list(csv.DictReader(io.StringIO(written.csv.read_text())))
    assert {row["title"] for row in rows} == {f"'{start}HYPERLINK(1)"}
    assert all(re.fullmatch(r"-?[\d.e-]*", row["value"]) for row in rows)


def test_missing_cells_read_as_such(make: Make) -> None:
    def skip(line: dict[str, Any]) -> bool:
        return line["method"] == "3kg" and line["draw"] == 1

    written = write_report(make(skip=skip, seeds=(0,)))
    assert "1 of 2 draws done" in read(written).text
    assert "n/a, 1 of 2 draws done" in written.markdown.read_text()
    assert "n/a, 1 of 2 draws done" in written.csv.read_text()


def test_an_empty_study_has_a_page(make: Make) -> None:
    written = write_report(make(skip=lambda line: True))
    assert "No cell has been computed yet" in read(written).text


def test_a_study_without_learned_masks_says_so(make: Make) -> None:
    written = write_report(make(methods=METHODS[:5], baselines=()), without_floors=True)
    assert "masks cannot be judged by it" in read(written).text


def test_a_damaged_gallery_is_told_and_costs_nothing_else(make: Make) -> None:
    folder = with_runs(make())
    for path in folder.glob("runs/*/masks.npz"):
        path.write_bytes(b"PK\x03\x04 broken")
    page = read(write_report(folder))
    assert "img" not in page.tags
    assert "No picture of Adversarial, per lead" in page.text
    assert "How the game went" in page.text


def test_out_names_a_folder_or_the_page(make: Make, tmp_path: Path) -> None:
    folder = make(seeds=(0,), draws=1, replicates=20)
    into = write_report(folder, tmp_path / "a" / "b")
    assert (into.html, into.csv) == (tmp_path / "a/b/report.html", tmp_path / "a/b/results.csv")
    named = write_report(folder, tmp_path / "c" / "mine.html")
    assert named.html.name == "mine.html"
    assert named.html.read_text() == into.html.read_text()
    assert not list(tmp_path.glob("*/.*"))
    (tmp_path / "file").write_text("")
    with pytest.raises(EcglipseError, match="cannot be written"):
        write_report(folder, tmp_path / "file")


def test_groups_are_values(make: Make) -> None:
    assert Group("a", "b", "c", 0.1) == Group("a", "b", "c", 0.1) != Group("a", "b", "c", 0.2)


def test_reasons_are_read_without_a_mouse(make: Make) -> None:
    """A reason that is hover text is lost on paper and on a telephone."""
    folder = make(seeds=(0,), draws=1, replicates=20)
    path = folder / "results.jsonl"
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["metrics"] |= {"macro_f1": 0.5, "ece": None}
        line["undefined"] = {"ece": "no class to calibrate"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    page = read(write_report(folder))
    assert not [value for _, name, value in page.attributes if name == "title"]
    assert re.search(r"n/a: [^.]*\bno class to calibrate\b", page.text)
    assert re.search(r"n/a [ab] ", page.text)


def test_what_is_folded_away_is_printed(whole: tuple[Path, Written]) -> None:
    text = whole[1].html.read_text(encoding="utf-8")
    paper = text[text.index("@media print") :]
    assert "details::details-content { content-visibility: visible" in paper
    assert "bulk" not in text


def test_few_draws_of_fine_tuning_are_told(make: Make) -> None:
    text = read(write_report(make(probes=("linear", "finetune"), draws=2, replicates=20))).text
    assert "2 label draws when fine-tuning at 10 %; the protocol asks for five." in text
    assert "2 label draws at 10 %; the protocol asks for five." in text


def test_the_footer_does_not_promise_what_is_not_there(whole: tuple[Path, Written]) -> None:
    text = read(whole[1]).text
    assert "the same numbers are in" not in text
    assert "not every table of this page is in them" in text
