"""The page in a headless Chromium: asks and complains of nothing, light and dark, on screen and paper."""

import re
from pathlib import Path

import numpy as np
import pytest
from browser import cut_off, printed, screenshot, visit
from dummy_study import write_study
from PIL import Image
from test_page import with_runs

from ecglipse.report.page import write_report

pytestmark = pytest.mark.timeout(900)
"""A browser on a busy machine takes its time."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four tasks, four budgets, long names: wider than any screen if it were one table."""
    folder = tmp_path_factory.mktemp("chromium") / "study"
    classes = dict.fromkeys(("rhythm", "form", "a task with a long name"), ("AFIB", "SBRAD", "STACH"))
    write_study(
        folder,
        classes=classes | {"sex": ("male",)},
        fractions=(0.01, 0.05, 0.1, 1.0),
        seeds=(0,),
        draws=1,
        replicates=20,
        n_patients=60,
        name="a-study-" + "with-a-long-name-" * 4,
        provenance={"commit": "a" * 40, "versions": {"numpy": "1" * 120}},
    )
    return write_report(with_runs(folder), without_floors=True).html


def test_page_asks_for_nothing_and_complains_of_nothing(page: Path, tmp_path: Path) -> None:
    seen = visit(page, tmp_path)
    assert (seen.asked, seen.console) == ((), ())
    assert "How many labels does it take?" in seen.dom


def test_a_page_that_asks_and_complains_is_seen_to(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<img src="http://127.0.0.1:9/x.png"><script>console.error("boom")</script>', encoding="utf-8"
    )
    seen = visit(bad, tmp_path)
    assert seen.asked == ("http://127.0.0.1:9/x.png",)
    assert any("boom" in line for line in seen.console)


@pytest.mark.parametrize(
    ("width", "printing"), [(688, True), (500, False), (1280, False)], ids=["paper", "narrow", "wide"]
)
def test_nothing_is_cut_off(page: Path, tmp_path: Path, width: int, printing: bool) -> None:
    """688 CSS pixels are a sheet of A4 within margins of 14 mm; what can be scrolled to is not cut off."""
    assert cut_off(page, tmp_path, width=width, printing=printing) == []


def test_what_is_cut_off_is_found(page: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.html"
    text = page.read_text(encoding="utf-8")
    wide.write_text(
        text.replace("<main>", '<main><p style="width: 2000px; max-width: none">too wide</p>'),
        encoding="utf-8",
    )
    assert any("too wide" in words for words in cut_off(wide, tmp_path, width=1280))


def test_light_and_dark_are_light_and_dark(page: Path, tmp_path: Path) -> None:
    def brightness(*, dark: bool) -> tuple[float, float]:
        out = screenshot(page, tmp_path / f"{dark}.png", width=1000, height=1400, dark=dark)
        with Image.open(out) as picture:
            grey = np.asarray(picture.convert("L"), dtype=np.float64)
        return float(np.median(grey)), float(np.abs(grey - np.median(grey)).max())

    (light, ink), (dark, chalk) = brightness(dark=False), brightness(dark=True)
    assert light > 240
    assert dark < 40
    assert min(ink, chalk) > 180, "text stands out from its page"


def test_prints_to_sheets_of_one_size(page: Path, tmp_path: Path) -> None:
    content = printed(page, tmp_path / "page.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    sheets = len(re.findall(rb"/Type\s*/Page\b(?!s)", content))
    assert 3 <= sheets <= 40
    assert len(set(re.findall(rb"/MediaBox\s*\[[^\]]*\]", content))) == 1
