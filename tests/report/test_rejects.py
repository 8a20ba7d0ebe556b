"""The page of what was left out: every spike is drawn, gaps stay open, text stays text."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from ecglipse.report.rejects import Counted, Picture, height_mv, render_rejects, strips
from ecglipse.seeding import numpy_rng


def picture(signal: np.ndarray, *, name: str = "a", message: str = "b", kept: bool = False) -> Picture:
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")[: len(signal)]
    return Picture(name, "flat-lead", message, kept, signal.astype(np.float32), 500.0, leads)


def traces(svg: str) -> list[str]:
    """The leads' paths."""
    return re.findall(r'<path d="([^"]*)"', svg)


def test_a_spike_of_one_sample_is_drawn_to_its_height() -> None:
    flat = np.zeros((2, 5000))
    spike = flat.copy()
    spike[1, 2345] = 0.4
    assert height_mv(spike) == 1.0
    still, moved = traces(strips(picture(flat)))[1], traces(strips(picture(spike)))[1]
    assert "V" not in still
    assert re.findall(r"V(\d+)", moved) == [str(22 - round(0.4 * 44)), "22"]


def test_gaps_are_open_and_what_is_beyond_is_cut_off() -> None:
    signal = np.zeros((3, 5000))
    signal[0, 1000:2000] = np.nan
    signal[1] = np.nan
    signal[2, 100] = 1e6
    paths = traces(strips(picture(signal)))
    assert [path.count("M") for path in paths] == [2, 0, 1]
    heights = [int(y) for path in paths for y in re.findall(r"[ V](\d+)", path)]
    assert min(heights) >= 0
    assert max(heights) <= 2 * 44


@pytest.mark.parametrize("n", [1, 2, 479, 481])
def test_recordings_of_any_length_and_number_of_leads_are_drawn(n: int) -> None:
    for leads in (1, 5, 12):
        signal = numpy_rng(n, "rejects").standard_normal((leads, n))
        assert len(traces(strips(picture(signal)))) == leads


def test_strips_fit_most_leads_and_not_the_worst() -> None:
    rng = numpy_rng(0, "rejects")
    signal = rng.uniform(-1, 1, (12, 5000))
    signal[3] *= 1000
    assert 5.8 < height_mv(signal) < 6.2


class Nodes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def nodes(name: str) -> list[tuple[str, tuple]]:
    parser = Nodes()
    signal = np.zeros((2, 500))
    counts = [Counted(name, name, 1, 0)]
    parser.feed(render_rejects(name, {name: name}, counts, [picture(signal, name=name, message=name)]))
    return parser.found


def test_no_text_becomes_markup() -> None:
    plain = nodes("plain")
    for payload in (
        "<script>alert(1)</script>",
        '"><img src=x onerror=y>',
        "</style><b>",
        "{{ 7*7 }}",
        "'&<svg>",
    ):
        assert nodes(payload) == plain


def test_the_page_needs_nothing_beside_it() -> None:
    text = render_rejects("s", {}, [], [picture(np.zeros((12, 5000)), kept=True)])
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)\s*=|url\(|@import", text)
    assert "kept, flagged: flat-lead" in text
