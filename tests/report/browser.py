"""A headless Chromium, if there is one: the page as it parses it, what it asks for, pictures and print."""

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"),
)


@dataclass(frozen=True)
class Seen:
    """What a visit to a page showed.

    Args:
        dom: the page as it stands after loading, as HTML.
        asked: addresses that the page asked for, over any network; not what the browser asks for itself.
        console: what was written to the console, errors and refusals of the page's policy included.
    """

    dom: str
    asked: tuple[str, ...]
    console: tuple[str, ...]


def chromium() -> str:
    """Give $ECGLIPSE_CHROMIUM, or the first of the usual names; skips the test if there is none."""
    found = os.environ.get("ECGLIPSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"no headless browser: none of {', '.join(NAMES)} is installed; set ECGLIPSE_CHROMIUM")
    return found


def _run(folder: Path, *arguments: str, page: Path) -> subprocess.CompletedProcess[str]:
    """Start the browser on a page, with a profile of its own that nothing was ever in."""
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [chromium(), *FLAGS, f"--user-data-dir={profile}", *arguments, page.resolve().as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)


def visit(page: Path, folder: Path) -> Seen:
    """Open a page.

    Args:
        page: a file.
        folder: for the browser's own files.
    """
    log = folder / "net.json"
    done = _run(folder, "--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom", page=page)
    console = re.findall(r"CONSOLE[^\]]*\]\s*(.*)", done.stderr)
    return Seen(done.stdout, _asked(log), tuple(console))


def _asked(log: Path) -> tuple[str, ...]:
    """Addresses of requests that a page began, in the browser's log of its network."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    facts = [event.get("params", {}) for event in events]
    begun = {about["url"] for about in facts if about.get("initiator", "not an origin") != "not an origin"}
    return tuple(sorted(begun))


def screenshot(page: Path, out: Path, *, width: int, height: int, dark: bool = False) -> Path:
    """Take a picture of a page, as wide and high as is said, in CSS pixels."""
    theme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    _run(out.parent, theme, f"--window-size={width},{height}", f"--screenshot={out}", page=page)
    return out


def printed(page: Path, out: Path) -> Path:
    """Print a page to PDF."""
    _run(out.parent, "--no-pdf-header-footer", f"--print-to-pdf={out}", page=page)
    return out


MEASURE = """<script>addEventListener("load", () => {
  const inside = (e) => e.closest(".scroll, figure.plot, .ecg, pre");
  const clipped = (e) => getComputedStyle(inside(e)).overflowX !== "visible";
  const out = [...document.querySelectorAll("main *")].filter((e) =>
    e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("svg svg, svg *") &&
    !(inside(e) && clipped(e)));
  document.title = JSON.stringify(out.map((e) => e.tagName + "." + e.className.toString() + ": " +
    e.textContent.trim().slice(0, 40)));
})</script>"""


def cut_off(page: Path, folder: Path, *, width: int, printing: bool = False) -> list[str]:
    """Name what reaches beyond the right edge and cannot be scrolled to; everything is opened.

    Args:
        page: a file of this project, whose policy allows no script: a copy without the policy is measured.
        folder: for the copy.
        width: of the window, CSS pixels; on A4 with the page's own margins 688.
        printing: whether the rules for print hold.
    """
    text = page.read_text(encoding="utf-8").replace("<details", "<details open")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text, count=1)
    if printing:
        text = text.replace("@media print", "@media all")
    copy = folder / "measured.html"
    copy.write_text(text.replace("</head>", MEASURE + "</head>", 1), encoding="utf-8")
    done = _run(folder, f"--window-size={width},2000", "--dump-dom", page=copy)
    title = re.search(r"<title>(.*?)</title>", done.stdout, flags=re.S)
    assert title, "the page was not measured"
    return list(json.loads(html.unescape(title[1])))
