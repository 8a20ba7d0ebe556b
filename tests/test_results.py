"""The ledger loses nothing to a kill in mid-line or to four writers at once, and finds what was changed."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest

from ecglipse.errors import LedgerError
from ecglipse.results import REQUIRED, Ledger, cell_id

WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ecglipse.results import REQUIRED, Ledger, cell_id

def add(ledger, n, score):
    line = dict.fromkeys(REQUIRED) | {"cell": cell_id(n=n), "n_test": 2, "classes": ["A"]}
    line["method"] = str(score)
    ledger.append(
        line, rows=np.arange(2), patients=np.arange(2),
        scores=np.full((2, 1), score), truth=np.array([[0], [1]], dtype=np.uint8),
    )

ledger = Ledger(Path(sys.argv[1]))
"""


@pytest.fixture
def as_installed() -> Iterator[None]:
    """Switch the tests' own shape checks off: users meet the functions without them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def line_of(n: int, **changes: Any) -> dict[str, Any]:
    line = dict.fromkeys(REQUIRED) | {"cell": cell_id(n=n), "n_test": 3, "classes": ["A", "B"], "seed": n}
    return line | changes


def arrays(n: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    return {
        "rows": np.array([4, 9, 2]),
        "scores": rng.random((3, 2)),
        "truth": np.array([[0, 1], [1, 0], [1, 1]], dtype=np.uint8),
        "patients": np.array([0, 1, 1]),
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Three cells."""
    made = Ledger(tmp_path / "study")
    for n in range(3):
        made.append(line_of(n), **arrays(n))
    return made


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", WRITER + program, *arguments], check=False, timeout=60)


def test_what_was_added_is_read_again(ledger: Ledger) -> None:
    lines = Ledger(ledger.folder).lines()
    assert [line["seed"] for line in lines] == [0, 1, 2]
    for n, line in enumerate(lines):
        assert line["predictions"] == f"predictions/{line['cell']}.npz"
        found = ledger.predictions(line)
        given = arrays(n)
        np.testing.assert_array_equal(found.rows, given["rows"])
        np.testing.assert_array_equal(found.scores, given["scores"].astype(np.float32))
        np.testing.assert_array_equal(found.truth, given["truth"])
        np.testing.assert_array_equal(found.patients, given["patients"])
        assert (found.rows.dtype, found.scores.dtype) == (np.int64, np.float32)
        assert (found.truth.dtype, found.patients.dtype) == (np.uint8, np.int64)
        assert set(REQUIRED) | {"predictions", "predictions_sha256", "time"} == set(line)


def test_a_folder_without_a_ledger_has_no_lines_and_is_not_made(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "none")
    assert ledger.lines() == []
    assert not ledger.has(cell_id(n=0))
    assert not ledger.folder.exists()


def test_the_first_of_two_equal_cells_wins(ledger: Ledger) -> None:
    before = (ledger.folder / "results.jsonl").read_bytes()
    for writer in (ledger, Ledger(ledger.folder)):
        writer.append(line_of(0, seed=99), **arrays(7))
    assert (ledger.folder / "results.jsonl").read_bytes() == before
    np.testing.assert_array_equal(
        ledger.predictions(ledger.lines()[0]).scores, arrays(0)["scores"].astype(np.float32)
    )


def test_has_sees_what_others_added(ledger: Ledger) -> None:
    assert ledger.has(cell_id(n=0))
    assert not ledger.has(cell_id(n=9))
    Ledger(ledger.folder).append(line_of(9), **arrays())
    assert ledger.has(cell_id(n=9))


def test_not_a_number_is_written_as_null(ledger: Ledger) -> None:
    metrics = {"ece": float("nan"), "brier": np.float32("inf"), "accuracy": np.float64(0.5)}
    ledger.append(line_of(5, metrics=metrics, classes=("A", "B"), n_test=np.int64(3)), **arrays())
    text = (ledger.folder / "results.jsonl").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text
    assert ledger.lines()[-1]["metrics"] == {"ece": None, "brier": None, "accuracy": 0.5}


def test_a_torn_last_line_is_left_out_at_any_length_and_mended(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    path = ledger.folder / "results.jsonl"
    whole = path.read_bytes()
    two = whole[: whole.rindex(b"\n", 0, -1) + 1]
    for length in (len(two) + 1, len(two) + 40, len(whole) - 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        caplog.clear()
        fresh = Ledger(ledger.folder)
        assert len(fresh.lines()) == 2
        assert "results.jsonl:3: torn last line" in caplog.text
        assert not fresh.has(cell_id(n=2))
        fresh.append(line_of(2), **arrays(2))
        assert [line["seed"] for line in Ledger(ledger.folder).lines()] == [0, 1, 2]
        path.read_text(encoding="utf-8")
    caplog.clear()
    Ledger(ledger.folder).lines()
    assert caplog.text == ""


def test_a_writer_killed_in_the_middle_of_a_line_costs_its_own_cell_alone(tmp_path: Path) -> None:
    program = """
add(ledger, 0, 0.25)
write = os.write
def half(file, content):
    write(file, content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
os.write = half
add(ledger, 1, 0.5)
"""
    assert run(program, str(tmp_path)).returncode == -signal.SIGKILL
    path = tmp_path / "results.jsonl"
    assert not path.read_bytes().endswith(b"\n")
    ledger = Ledger(tmp_path)
    assert [line["cell"] for line in ledger.lines()] == [cell_id(n=0)]
    assert run("add(ledger, 1, 0.75)\nadd(ledger, 2, 0.5)", str(tmp_path)).returncode == 0
    lines = ledger.lines()
    assert [line["cell"] for line in lines] == [cell_id(n=n) for n in range(3)]
    assert [float(ledger.predictions(line).scores[0, 0]) for line in lines] == [0.25, 0.75, 0.5]
    assert [p for p in (tmp_path / "predictions").iterdir() if p.suffix != ".npz"] == []


def test_four_processes_at_once_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    program = """
score = float(sys.argv[2])
for n in range(20):
    add(ledger, n, score)
    add(ledger, 1000 * (1 + score) + n, score)
"""
    scores = (0.125, 0.25, 0.5, 0.75)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER + program, str(tmp_path), str(score)])
        for score in scores
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    ledger = Ledger(tmp_path)
    lines = ledger.lines()
    expected = {cell_id(n=n) for n in range(20)}
    expected |= {cell_id(n=1000 * (1 + score) + n) for score in scores for n in range(20)}
    assert {line["cell"] for line in lines} == expected
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 100
    for line in lines:
        assert ledger.predictions(line).scores[0, 0] == float(line["method"])


def test_a_damaged_line_is_named(ledger: Ledger) -> None:
    path = ledger.folder / "results.jsonl"
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:30] + b"\n" + third)
    with pytest.raises(
        LedgerError, match=r"results\.jsonl:2: damaged line: not JSON (?s:.)*hint: restore"
    ) as caught:
        Ledger(ledger.folder).lines()
    assert str(path) in caught.value.message
    with pytest.raises(LedgerError, match=r":2: damaged line"):
        Ledger(ledger.folder).append(line_of(7), **arrays())
    path.write_bytes(first + b'{"cell": "x"}\n' + third)
    with pytest.raises(LedgerError, match=r"results\.jsonl:2: damaged line: no cell of 16 hex digits in it"):
        ledger.lines()


def test_changed_predictions_are_found(ledger: Ledger) -> None:
    line = ledger.lines()[1]
    path = ledger.folder / line["predictions"]
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(LedgerError, match=r"\.npz: changed since it was written: SHA-256 [0-9a-f]{16}"):
        ledger.predictions(line)
    ledger.predictions(ledger.lines()[0])
    path.write_bytes(good)
    ledger.predictions(line)
    path.unlink()
    with pytest.raises(LedgerError, match=r"\.npz: cannot be read: No such file"):
        ledger.predictions(line)


def test_prediction_files_are_never_unpickled(ledger: Ledger) -> None:
    import hashlib

    line = ledger.lines()[0]
    path = ledger.folder / line["predictions"]
    for content in (b"not an archive", None):
        if content is None:
            np.savez(path, rows=np.array([{}], dtype=object))
            content = path.read_bytes()
        path.write_bytes(content)
        forged = line | {"predictions_sha256": hashlib.sha256(content).hexdigest()}
        with pytest.raises(LedgerError, match=r"not a prediction file"):
            ledger.predictions(forged)


def test_predictions_stay_inside_the_folder(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"cell '\.\./\.\./secret' is not 16 hex digits"):
        ledger.predictions({"cell": "../../secret", "predictions_sha256": ""})


def test_a_cell_that_stands_there_twice_is_read_once(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    path = ledger.folder / "results.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    assert [line["seed"] for line in Ledger(ledger.folder).lines()] == [0, 1, 2]
    assert "results.jsonl:4: cell" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_a_ledger_put_in_the_place_of_another_is_read_anew(ledger: Ledger) -> None:
    path = ledger.folder / "results.jsonl"
    assert ledger.has(cell_id(n=2))
    first, *_ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first)
    assert not ledger.has(cell_id(n=2))
    path.unlink()
    assert not ledger.has(cell_id(n=0))


def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (ledger.folder / "results.jsonl").read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:50]))
    with pytest.raises(LedgerError, match=r"cell [0-9a-f]{16} could not be written: 50 of \d+ bytes written"):
        ledger.append(line_of(8), **arrays())
    monkeypatch.undo()
    assert (ledger.folder / "results.jsonl").read_bytes() == before
    ledger.append(line_of(8), **arrays())
    assert len(ledger.lines()) == 4


@pytest.mark.usefixtures("as_installed")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cell": "../../etc/passwd"}, r"`cell` must be 16 hex digits \(see `cell_id`\); got '\.\./"),
        ({"n_test": 4}, r"of 4 records and 2 classes; got rows \(3,\), scores \(3, 2\)"),
        ({"classes": ["A"]}, r"of 3 records and 1 classes"),
        ({"scores": np.full((3, 2), np.nan)}, r"`scores` must hold numbers; 6 are NaN"),
        ({"patients": np.arange(2)}, r"patients \(2,\)"),
    ],
)
def test_append_refuses(tmp_path: Path, change: dict, words: str) -> None:
    ledger = Ledger(tmp_path / "study")
    given = arrays() | {key: value for key, value in change.items() if key in arrays()}
    line = line_of(0) | {key: value for key, value in change.items() if key not in arrays()}
    with pytest.raises(ValueError, match=words):
        ledger.append(line, **given)
    assert not ledger.folder.exists()


def test_append_names_the_keys_that_are_missing(tmp_path: Path) -> None:
    line = line_of(0)
    del line["split"], line["hardware"]
    with pytest.raises(ValueError, match=r"^`line` lacks split, hardware$"):
        Ledger(tmp_path).append(line, **arrays())


def test_required_keys_are_those_of_the_contract() -> None:
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = page.split("### Ledger line")[1].split("```")[1]
    for key in REQUIRED:
        assert key in block


def test_cell_id_depends_on_every_value_and_not_on_how_it_is_written() -> None:
    name = cell_id(method="a", fraction=1.0, seeds=(1, 2), at={"x": None})
    assert name == cell_id(at={"x": None}, seeds=[1, 2], fraction=np.float32(1), method="a")
    assert len(name) == 16
    assert int(name, 16) >= 0
    others = [cell_id(method="b", fraction=1.0, seeds=(1, 2), at={"x": None})]
    others += [cell_id(method="a", fraction=0.5, seeds=(1, 2), at={"x": None})]
    others += [cell_id(method="a", fraction=1.0, seeds=(2, 1), at={"x": None})]
    others += [cell_id(method="a", fraction=1.0, seeds=(1, 2), at={"x": 0})]
    assert len({name, *others}) == 5
    # printf '{"fraction":0.05,"method":"adversarial","seed":0}' | sha256sum | cut -c1-16
    assert cell_id(method="adversarial", seed=0, fraction=0.05) == "b8829512648ae6e2"
    with pytest.raises(ValueError, match=r"not JSON compliant"):
        cell_id(fraction=float("nan"))


def test_lines_are_json_one_each(ledger: Ledger) -> None:
    for raw in (ledger.folder / "results.jsonl").read_text(encoding="utf-8").splitlines():
        assert json.loads(raw)["n_test"] == 3
