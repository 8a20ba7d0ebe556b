"""Inline figures: labels keep apart, ids are unique, text is escaped text."""

import itertools
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from ecglipse.report.plot import spread
from ecglipse.report.svg import INK, to_svg


@given(st.lists(st.floats(0, 1), max_size=12))
def test_labels_keep_their_distance_and_order(wanted: list[float]) -> None:
    gap = 0.05
    places = spread(wanted, gap=gap, low=0.0, high=1.0)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    stepped = [places[i] for i in order]
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(stepped))


def test_labels_with_room_stay_where_they_want_to_be() -> None:
    assert spread([0.5, 0.1, 0.9], gap=0.05, low=0.0, high=1.0) == [0.5, 0.1, 0.9]


def test_two_equal_labels_part_evenly() -> None:
    assert spread([0.5, 0.5], gap=0.1, low=0.0, high=1.0) == pytest.approx([0.45, 0.55])


def draw() -> Figure:
    figure = Figure(figsize=(2, 2))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], marker="o")
    axes.set_title('<script>alert("1")</script> & $x_1$')
    return figure


def test_titles_are_text_and_nothing_runs() -> None:
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(tag)  # type: ignore[method-assign]
    parser.feed(to_svg(draw, name="a", label='"><b>'))
    assert "script" not in found
    assert "b" not in found
    assert "$x_1$" in to_svg(draw, name="a", label="")


def test_ids_of_two_figures_never_meet() -> None:
    one, two = (set(re.findall(r' id="([^"]*)"', to_svg(draw, name=name, label=""))) for name in "ab")
    assert one
    assert two
    assert not one & two


def test_every_reference_has_its_target() -> None:
    text = to_svg(draw, name="a", label="")
    ids = set(re.findall(r' id="([^"]*)"', text))
    assert set(re.findall(r'href="#([^"]*)"', text)) | set(re.findall(r"url\(#([^)]*)\)", text)) <= ids


def test_ink_follows_the_page() -> None:
    text = to_svg(draw, name="a", label="")
    assert INK not in text
    assert "var(--ink)" in text


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert to_svg(draw, name="a", label="") == to_svg(draw, name="a", label="")
