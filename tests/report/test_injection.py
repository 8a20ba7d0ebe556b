"""A thousand hostile texts in every field of a study: the page has no element or handler more."""

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import visit
from dummy_study import METHODS, STORE, write_study
from matplotlib.figure import Figure
from payloads import PAYLOADS
from test_page import read, with_runs

from ecglipse.report.inline import short
from ecglipse.report.page import Written, write_report
from ecglipse.report.svg import to_svg

pytestmark = pytest.mark.timeout(900)
"""A browser on a busy machine takes its time."""

DRAWN = ("g", "path", "use", "text", "defs")
"""As many as a picture has ticks, which depends on the room that its titles leave."""


class Nodes(HTMLParser):
    """Counts elements, and names their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str]] = set()
        self.comments = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {(tag, name) for name, _ in attrs}

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def hostile_study(folder: Path, poison: str) -> Written:
    """A small study with a text in every field that people, corpora or machines write."""
    chosen = (METHODS[0], METHODS[2], METHODS[4], METHODS[5], METHODS[-1])
    methods = tuple(
        m | {"name": m["name"] + poison, "title": m["title"] + poison, "copy_of": m["name"]} for m in chosen
    )
    write_study(
        folder,
        methods=methods,
        classes={"rhythm" + poison: tuple(c + poison for c in ("AFIB", "SBRAD", "STACH"))},
        task_of=lambda name: name[: len("rhythm")],
        seeds=(0,),
        draws=1,
        replicates=20,
        n_patients=60,
        baselines=("simclr" + poison,),
        name="study" + poison,
        config_hash="c" + poison,
        provenance={
            "commit": "a" + poison,
            "versions": {"numpy" + poison: "1" + poison},
            "python": "3" + poison,
        },
        store={"digest": STORE, "corpus": "c" + poison, "n_records": 1, "n_patients": 1},
        test_reads={"rhythm" + poison: 1},
        leaks=["record" + poison],
        started="now" + poison,
        finished="then" + poison,
    )
    path = folder / "results.jsonl"
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").split("\n")[:-1]]
    for line in lines:
        line["undefined"] = {"fmax" + poison: "why" + poison}
        line["left_out"] = ["STACH" + poison]
        line["hardware"] = {"cpu" + poison: "fast" + poison}
        line["metrics"] |= {"ece": None, "brier": 0.2}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "subgroups").mkdir()
    groups: dict[str, Any] = {}
    for name in ("sex", "age", "source"):
        groups |= {name: np.arange(2000) % 2, f"{name}_names": np.array(["a" + poison, "b" + poison])}
    np.savez(folder / "subgroups" / f"{STORE[:16]}.npz", **groups)
    with_runs(folder, titles=("NORM" + poison.replace("\x00", ""), "AFIB"))
    return write_report(folder, without_floors=True)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    folder = tmp_path_factory.mktemp("hostile")
    poison = " ".join(PAYLOADS)
    return {"clean": hostile_study(folder / "a", ""), "hurt": hostile_study(folder / "b", poison)}


def same(clean: str, hurt: str) -> None:
    """Hold two pages against each other."""
    before, after = Nodes(clean), Nodes(hurt)
    assert set(after.tags) == set(before.tags)
    for tag in set(after.tags) - set(DRAWN):
        assert (tag, after.tags[tag]) == (tag, before.tags[tag])
    assert after.attributes == before.attributes
    assert not [name for _, name in after.attributes if name.startswith("on")]
    assert after.comments == before.comments


def test_the_payloads_are_a_thousand_and_would_do_harm_where_they_are_not_escaped() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 1000
    harmful = 0
    for payload in PAYLOADS:
        raw, attribute = Nodes(f"<p>{payload}</p>"), Nodes(f'<p title="{payload}"></p>')
        harmful += len(raw.tags) > 1 or raw.comments > 0 or len(attribute.attributes) > 1
    assert harmful > 800
    with pytest.raises(AssertionError):
        same("<p>x</p>", f"<p>{PAYLOADS[0]}</p>")


def test_a_thousand_payloads_in_every_text_make_no_element(pages: dict[str, Written]) -> None:
    clean, hurt = (pages[name].html.read_text(encoding="utf-8") for name in ("clean", "hurt"))
    same(clean, hurt)
    assert read(pages["hurt"]).open == []
    assert hurt.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 1000, "they are there, as text"
    for end in ("markdown", "latex"):
        text = getattr(pages["hurt"], end).read_text(encoding="utf-8")
        assert "<script" not in text
        if end == "markdown":
            assert "<img" not in text


def test_chromium_sees_no_more_elements_either(pages: dict[str, Written], tmp_path: Path) -> None:
    clean, hurt = (visit(pages[name].html, tmp_path) for name in ("clean", "hurt"))
    same(clean.dom, hurt.dom)
    assert (hurt.asked, hurt.console) == ((), ())


def test_a_thousand_payloads_in_pictures_make_no_element() -> None:
    def picture(texts: list[str]) -> Counter[str]:
        def draw() -> Figure:
            figure = Figure(figsize=(4, 4))
            axes = figure.subplots()
            for number, text in enumerate(texts):
                axes.text(0.0, number, short(text, 40) or "x")
            axes.set_ylim(0, len(texts))
            axes.set_yticks([])
            return figure

        root = ElementTree.fromstring(to_svg(draw, name="p", label=" ".join(texts)))
        return Counter(element.tag for element in root.iter())

    assert picture(list(PAYLOADS)) == picture(["harmless"] * len(PAYLOADS))
