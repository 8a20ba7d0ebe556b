"""Inline plots: points lie where they belong to a tenth of a pixel, ticks are round, text is text."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecglipse.report.plot import Panel, letters, path, picture, ticks, words

NUMBERS = st.floats(-5000, 5000)


def walked(data: str) -> list[tuple[float, float]]:
    """Walk a path of relative steps, as a browser does."""
    x, y, places = 0.0, 0.0, []
    for kind, right, down in re.findall(r"([Ml])(-?[\d.]+) ?(-?[\d.]+)", data):
        x, y = (0.0, 0.0) if kind == "M" else (x, y)
        x, y = x + float(right), y + float(down)
        places.append((x, y))
    return places


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=200))
def test_no_point_of_a_line_is_off_by_more_than_a_twentieth_of_a_pixel(
    points: list[tuple[float, float]],
) -> None:
    found = walked(path(points))
    assert len(found) == len(points)
    for (x, y), (a, b) in zip(points, found, strict=True):
        assert abs(x - a) <= 0.0501  # half of the last digit; steps are from rounded places, so none add up
        assert abs(y - b) <= 0.0501


def test_values_lie_where_the_axes_say() -> None:
    panel = Panel(10.0, 20.0, 100.0, 50.0, x=(1.0, 100.0), y=(0.0, 2.0), log=True)
    assert panel.at(10.0, 0.5) == pytest.approx((60.0, 57.5))
    assert panel.at(1.0, 5.0) == pytest.approx((10.0, 20.0)), "what lies outside is on the edge"


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(3, 8))
def test_ticks_lie_inside_are_few_and_evenly_apart(low: float, width: float, most: int) -> None:
    found = ticks(low, low + width, most=most)
    assert 1 <= len(found) <= most
    assert all(low - 1e-6 <= v <= low + width + 1e-6 for v in found)
    steps = [b - a for a, b in pairwise(found)]
    assert all(step == pytest.approx(steps[0], rel=1e-6) for step in steps)


def test_text_and_label_are_text() -> None:
    text = picture([words('<b>"&', (0.0, 0.0))], width=10.0, height=10.0, label='"><script>')
    root = ElementTree.fromstring(text)
    assert [child.tag for child in root] == ["text"]
    assert root[0].text == '<b>"&'
    assert root.attrib["aria-label"] == '"><script>'


def test_letters_keep_apart() -> None:
    panel = Panel(0.0, 0.0, 100.0, 100.0, x=(0.0, 1.0), y=(0.0, 1.0))
    text = letters(panel, [((100.0, 50.0), letter, "k0") for letter in "ABC"])
    heights = sorted(float(y) for y in re.findall(r'<text x="114" y="([\d.]+)"', text))
    assert [b - a for a, b in pairwise(heights)] == pytest.approx([12, 12])
