"""ECG paper as inline SVG: the trace at its place in millimetres, spikes kept, what is hidden shaded."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ecglipse.leads import LEADS
from ecglipse.report.paper_svg import (
    GAIN_MM_MV,
    LEVELS,
    SPEED_MM_S,
    UNIT,
    recording,
    runs,
    sheet_of,
    under_mask,
)
from ecglipse.seeding import numpy_rng


def traces(text: str) -> list[np.ndarray]:
    """Walk each lead's path: millimetres from the sheet's lower left corner."""
    found = []
    for data in re.findall(r'class="et" d="([^"]*)"', text):
        steps = [(k, int(x), int(y)) for k, x, y in re.findall(r"([Ml])(-?\d+) ?(-?\d+)", data)]
        places = []
        for kind, x, y in steps:
            places.append((x, y) if kind == "M" else (places[-1][0] + x, places[-1][1] + y))
        found.append(UNIT * np.array(places).reshape(-1, 2))
    return found


@pytest.mark.parametrize("fs", [100.0, 500.0])
def test_traces_lie_where_the_paper_says(fs: float) -> None:
    signal = (0.3 * numpy_rng(0, "ecg").standard_normal((12, round(2 * fs)))).astype(np.float32)
    sheet = sheet_of(signal, fs)
    found = traces(recording(signal, fs, sheet, leads=LEADS, name="a"))
    assert len(found) == 12
    for strip, places in zip(sheet.strips, found, strict=True):
        sample = np.rint((places[:, 0] - strip.x_mm) * fs / SPEED_MM_S).astype(int)
        height = strip.zero_mm + signal[strip.lead, sample.clip(0, signal.shape[1] - 1)] * GAIN_MM_MV
        apart = np.abs(places[:, 1] - height)
        if fs == 100:  # every sample is drawn, to half a unit
            assert len(places) == signal.shape[1]
            assert apart.max() <= UNIT / 2 + 1e-4


def test_a_spike_of_one_sample_is_drawn() -> None:
    signal = np.zeros((12, 5000), dtype=np.float32)
    signal[3, 2501] = 1.5
    sheet = sheet_of(signal, 500.0)
    found = traces(recording(signal, 500.0, sheet, leads=LEADS, name="a"))
    assert found[3][:, 1].max() == pytest.approx(sheet.strips[3].zero_mm + 15, abs=UNIT)
    assert max(map(len, found)) <= 4 * 1001, "no more strokes than a screen shows"


def test_undefined_samples_leave_a_gap() -> None:
    signal = np.zeros((12, 100), dtype=np.float32)
    signal[0, 40:60] = np.nan
    signal[1] = np.nan
    text = recording(signal, 100.0, sheet_of(signal, 100.0), leads=LEADS, name="a")
    first, second = re.findall(r'class="et" d="([^"]*)"', text)[:2]
    assert first.count("M") == 2
    assert second == ""
    assert "II (no signal)" in text


def test_what_is_hidden_is_shaded_barred_and_counted() -> None:
    signal = np.zeros((12, 100), dtype=np.float32)
    hidden = np.zeros((12, 100), dtype=bool)
    hidden[:, 20:45] = True
    probability = np.where(hidden, 1.0, 0.0)
    sheet = sheet_of(signal, 100.0)
    text = under_mask("a", sheet, 100.0, hidden, probability, title="<t>", label="<l>")
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"] == "<l>"
    assert {use.attrib["href"] for use in root.iter("use")} == {"#a", "#ag"}
    (bar,) = [p.attrib["d"] for p in root if p.attrib.get("class") == "eb"][:1]
    assert bar.count("M") == 12
    assert all(float(wide) == 6.25 for wide in re.findall(r"h([\d.]+)", bar)), "0.25 s at 25 mm/s"
    strips: dict[str, int] = {}
    for one in root.iter("path"):  # the key's, at the foot, come after
        if "eh" in one.attrib["class"]:
            strips.setdefault(one.attrib["class"], one.attrib["d"].count("M"))
    assert strips["eh e0"] == 24
    assert strips[f"eh e{LEVELS}"] == 12


def test_runs_are_the_stretches_of_equal_values() -> None:
    assert runs(np.array([1, 1, 0, 2, 2, 2])) == [(0, 2, 1), (2, 3, 0), (3, 6, 2)]
    assert runs(np.array([], dtype=np.int64)) == []
