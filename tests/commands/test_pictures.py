"""After a preparation: some of what was left out or flagged, drawn in a page beside the store."""

import stat
from pathlib import Path

import numpy as np
import pytest

from ecglipse.commands import prepare
from ecglipse.commands._pictures import MOST, page_beside
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import StoreError
from ecglipse.leads import LEADS
from ecglipse.records.reading import Reading

FULL = Reading(unit="mV", fs=100.0, leads=LEADS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty recordings in an array: ten flat in V1, a code, one in volts, arms exchanged; two bad files."""
    x = np.stack([np.asarray(record.signal) for record in simulate(20, seed=8)])
    x[:10, 6] = 0.2
    x[10, 0, [5, 50, 500]] = 32.767
    x[11] /= 1000
    x[12, [0, 3, 4]] *= -1
    made = tmp_path / "mine"
    made.mkdir()
    np.save(made / "a.npy", x)
    for name in ("x.csv", "y.csv"):
        (made / name).write_text("I,II\n1,x\n")
    return made


def test_some_of_each_reason_are_drawn_and_all_are_counted(folder: Path, tmp_path: Path) -> None:
    made = prepare(folder, tmp_path / "s", reading=FULL)
    assert made.rejects == {"amplitude": 1, "flat-lead": 10, "format": 2, "sentinel": 1}
    assert made.pictures == tmp_path / "s.rejects.html"
    text = made.pictures.read_text()
    assert text.count("<svg") <= MOST
    for name, reason in (("a-000000", "flat-lead"), ("a-000010", "sentinel"), ("a-000011", "amplitude")):
        assert f'<h2>{name}</h2>\n<p><span class="tag out">left out: {reason}</span>' in text
    assert "kept, flagged: " in text
    assert "<h2>a-000012</h2>" in text
    assert '<th scope="row">flat-lead</th><td>a lead without signal</td><td class="number">10</td>' in text
    assert "<h2>x</h2>" not in text, "what cannot be read cannot be drawn"
    assert stat.S_IMODE(made.pictures.stat().st_mode) == 0o600
    assert prepare(folder, tmp_path / "s", reading=FULL).pictures == made.pictures


def test_nothing_odd_no_page_and_an_older_one_goes(folder: Path, tmp_path: Path) -> None:
    prepare(folder, tmp_path / "s", reading=FULL)
    x = np.stack([np.asarray(record.signal) for record in simulate(2, seed=8, noise=0.2)])
    np.save(folder / "a.npy", x)
    for name in ("x.csv", "y.csv"):
        (folder / name).unlink()
    made = prepare(folder, tmp_path / "s", reading=FULL, replace=True)
    assert (made.rejects, made.pictures) == ({}, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "s"]


def test_where_all_is_left_out_the_page_says_why(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no record to store"):
        prepare(folder, tmp_path / "s", reading=Reading(unit="nV", fs=100.0, leads=LEADS))
    text = page_beside(tmp_path / "s").read_text()
    assert "left out: amplitude" in text
    assert text.count("<svg") == MOST
