"""ECG paper: true proportions, a readable grid, and masks where they are."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image

from ecglipse.leads import LEADS
from ecglipse.report.paper import draw_ecg, draw_mask_probability, stretches, to_png
from ecglipse.report.sheet import MAJOR, MINOR
from ecglipse.seeding import numpy_rng

FS = 100.0


def signal(seconds: float = 10.0, leads: int = 12, size: float = 0.4) -> np.ndarray:
    return (size * numpy_rng(0, "ecg").standard_normal((leads, round(seconds * FS)))).astype(np.float32)


def box_mm(figure: Figure, artist: Rectangle | Line2D) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of an artist on paper, mm; by matplotlib's own transforms."""
    to_pixel = figure.axes[0].transData
    if isinstance(artist, Rectangle):
        corners = to_pixel.transform([artist.get_xy(), (artist.get_x() + artist.get_width(), artist.get_y())])
        top = to_pixel.transform((artist.get_x(), artist.get_y() + artist.get_height()))
        points = np.vstack([corners, top])
    else:
        points = to_pixel.transform(np.column_stack(artist.get_data()))
    mm = points / figure.dpi * 25.4
    low, high = np.nanmin(mm, axis=0), np.nanmax(mm, axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def by_gid(figure: Figure, gid: str) -> list:
    return [a for a in (*figure.axes[0].lines, *figure.axes[0].patches) if a.get_gid() == gid]


@pytest.mark.parametrize(("speed", "gain"), [(25.0, 10.0), (50.0, 20.0)])
def test_calibration_is_one_millivolt_for_a_fifth_of_a_second(speed: float, gain: float) -> None:
    figure = draw_ecg(signal(), FS, speed_mm_s=speed, gain_mm_mv=gain)
    pulse = by_gid(figure, "calibration")[0]
    x, y = pulse.get_data()
    line = Line2D(x[1:5], y[1:5])
    _, _, wide, high = box_mm(figure, line)
    assert wide == pytest.approx(0.2 * speed)
    assert high == pytest.approx(gain)


def test_a_known_wave_has_its_true_size() -> None:
    trace = np.zeros((12, 1000), np.float32)
    trace[3, 200:300] = 1.0
    figure = draw_ecg(trace, FS)
    line = by_gid(figure, "aVR")[0]
    _, _, wide, high = box_mm(figure, line)
    assert wide == pytest.approx(25.0 * 9.99)
    assert high == pytest.approx(10.0)


def test_squares_are_one_and_five_millimetres() -> None:
    figure = draw_ecg(signal(), FS)
    grids = {}
    for collection in figure.axes[0].collections:
        assert isinstance(collection, LineCollection)
        x = sorted({round(float(s[0, 0]), 6) for s in collection.get_segments() if s[0, 0] == s[1, 0]})
        grids[tuple(collection.get_colors()[0][:3])] = np.diff(x)
    assert np.allclose(grids[to_rgb(MINOR)], 1.0)
    assert np.allclose(grids[to_rgb(MAJOR)], 5.0)
    width, height = figure.get_size_inches() * 25.4
    assert (figure.axes[0].get_xlim(), figure.axes[0].get_ylim()) == ((0, width), (0, height))


@pytest.mark.parametrize("layout", ["12x1", "6x2", "3x4+rhythm"])
def test_zero_lines_lie_on_thick_grid_lines(layout: str) -> None:
    figure = draw_ecg(signal(), FS, layout=layout)
    for pulse in by_gid(figure, "calibration"):
        assert pulse.get_ydata()[0] % 5 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("layout", "n_strips", "seconds"), [("12x1", 12, 10.0), ("6x2", 12, 5.0), ("3x4+rhythm", 13, 2.5)]
)
def test_layouts_show_every_lead_for_their_time(layout: str, n_strips: int, seconds: float) -> None:
    figure = draw_ecg(signal(), FS, layout=layout)
    traces = [line for line in figure.axes[0].lines if line.get_gid() in LEADS]
    assert len(traces) == n_strips
    assert {line.get_gid() for line in traces} == set(LEADS)
    lasts = sorted(len(line.get_xdata()) / FS for line in traces)
    assert lasts[0] == seconds
    assert lasts[-1] == (10.0 if layout == "3x4+rhythm" else seconds)


def test_hidden_stretches_are_shaded_where_they_are() -> None:
    mask = np.zeros((12, 1000), np.float32)
    mask[1, 100:150] = 1.0
    mask[1, 900:1000] = 0.5
    mask[4, 0:25] = 0.49
    figure = draw_ecg(signal(), FS, mask=mask)
    shades, bars = by_gid(figure, "hidden"), by_gid(figure, "bar")
    assert len(shades) == len(bars) == 2
    start = by_gid(figure, "II")[0].get_xdata()[0]
    zero = by_gid(figure, "calibration")[-2].get_ydata()[0]
    for shade, (first, last) in zip(shades, ((100, 150), (900, 1000)), strict=True):
        left, bottom, wide, high = box_mm(figure, shade)
        assert left == pytest.approx(start + first / FS * 25)
        assert wide == pytest.approx((last - first) / FS * 25)
        assert bottom < zero < bottom + high


def test_shading_darkens_the_paper_and_nothing_else() -> None:
    mask = np.zeros((12, 1000), np.float32)
    mask[0, 400:600] = 1.0
    flat = np.zeros((12, 1000), np.float32)
    with_mask, without = (
        np.asarray(Image.open(io.BytesIO(to_png(draw_ecg(flat, FS, mask=m), dpi=100.0))).convert("L"), float)
        for m in (mask, 0 * mask)
    )
    x = round((15 + 5 * 25) / 25.4 * 100)
    row = slice(round(13 / 25.4 * 100), round(18 / 25.4 * 100))
    assert with_mask[row, x - 20 : x + 20].mean() < without[row, x - 20 : x + 20].mean() - 10
    left = round((15 + 3 * 25) / 25.4 * 100)
    assert with_mask[row, left - 20 : left + 20].mean() == pytest.approx(
        without[row, left - 20 : left + 20].mean(), abs=3
    )


def test_probability_strip_shows_each_sample_under_its_lead() -> None:
    probability = numpy_rng(1, "p").random((12, 1000)).astype(np.float32)
    figure = draw_mask_probability(signal(), FS, probability, layout="12x1")
    strips = [image for image in figure.axes[0].images if image.get_array().shape == (1, 1000)]
    assert len(strips) == 12
    for lead, strip in enumerate(strips):
        assert np.allclose(strip.get_array()[0], probability[lead])
        left, right, bottom, top = strip.get_extent()
        trace = by_gid(figure, LEADS[lead])[0]
        assert left == pytest.approx(trace.get_xdata()[0])
        assert right - left == pytest.approx(250.0)
        assert top < np.min(trace.get_ydata()) + 12
        assert 0 < bottom < top


def test_a_lead_without_signal_is_named_so() -> None:
    trace = signal()
    trace[5] = np.nan
    texts = [text.get_text() for text in draw_ecg(trace, FS).axes[0].texts]
    assert "aVF (no signal)" in texts
    assert "aVL" in texts


def test_dollar_signs_in_titles_are_text() -> None:
    assert len(to_png(draw_ecg(signal(1.0), FS, title=r"$\frac{ 50 $ a_b^"), dpi=50.0)) > 1000


def test_a_large_signal_grows_its_own_row_only() -> None:
    trace = signal(size=0.05)
    small = draw_ecg(trace, FS).get_figheight()
    trace[7, 500] = 3.0
    assert 20 < (draw_ecg(trace, FS).get_figheight() - small) * 25.4 < 31


def test_png_is_small_enough_to_embed(pack: Path) -> None:
    first = sorted((pack / "ptbxl").rglob("*_lr.dat"))[0]
    trace = (np.fromfile(first, "<i2").reshape(-1, 12).T / 1000).astype(np.float32)
    mask = (numpy_rng(0, "m").random((12, 40)) < 0.5).repeat(25, axis=1).astype(np.float32)
    png = to_png(draw_mask_probability(trace, FS, mask * 0.5, mask=mask))
    assert len(png) < 350_000
    assert Image.open(io.BytesIO(png)).size[0] == pytest.approx(270 / 25.4 * 110, abs=1)


def test_refuses_what_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match=re.escape("`leads` must name each of the signal's 12 leads; got 2")):
        draw_ecg(signal(), FS, leads=("I", "II"))
    with pytest.raises(ValueError, match="must last longer than 0 s; got 0 samples"):
        draw_ecg(np.zeros((12, 0), np.float32), FS)


def test_stretches_are_the_runs_of_true() -> None:
    hidden = np.array([True, False, True, True, False, True])
    assert stretches(hidden) == [(0, 1), (2, 4), (5, 6)]
    assert stretches(np.zeros(4, bool)) == []
