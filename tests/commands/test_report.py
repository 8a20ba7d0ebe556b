"""`report` writes the page and the tables of a study."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecglipse.commands._report import report
from ecglipse.errors import LedgerError
from ecglipse.results import Ledger, cell_id
from ecglipse.seeding import numpy_rng


def write_small_study(folder: Path) -> Path:
    """One task, a learned mask and its twin, one seed; the learned one is better."""
    ledger = Ledger(folder)
    truth = numpy_rng(0, "truth").integers(0, 2, size=(80, 1)).astype(np.uint8)
    for name, skill in (("random", 0.2), ("learned", 2.0)):
        noise = numpy_rng(0, name).standard_normal(truth.shape)
        scores = (1 / (1 + np.exp(-skill * (2.0 * truth - 1) - noise))).astype(np.float32)
        line = {"cell": cell_id(method=name), "study": "small", "method": name, "kind": "pretrained"}
        line |= {"seed": 0, "rotation": 0, "task": "sex", "task_kind": "binary", "classes": ["male"]}
        line |= {"probe": "linear", "fraction": 1.0, "draw": 0, "validation": "matched", "n_train": 9}
        line |= {"n_validation": 9, "n_test": 80, "positives_test": [int(truth.sum())], "split": "s"}
        line |= {"config": "c", "store": "d", "run": None, "chosen": {}, "metrics": {}, "left_out": []}
        line |= {"per_class": {"auroc": {"male": 0.5}, "auprc": {}}, "undefined": {}, "seconds": 1.0}
        line |= {"commit": "abc", "versions": {}, "hardware": {}}
        ledger.append(line, rows=np.arange(80), scores=scores, truth=truth, patients=np.arange(80))
    methods = [
        {"name": "random", "title": "Random masks", "masks": "random"},
        {"name": "learned", "title": "Learned masks", "masks": "adversarial"},
    ]
    (folder / "study.json").write_text(json.dumps({"name": "small", "methods": methods, "replicates": 200}))
    return folder


def test_report_writes_its_files_into_the_study(tmp_path: Path) -> None:
    folder = write_small_study(tmp_path / "study")
    written = report(folder, without_floors=True)
    assert {written.html, written.csv, written.markdown, written.latex} == {
        folder / "report.html",
        folder / "results.csv",
        folder / "results.md",
        folder / "results.tex",
    }
    page = written.html.read_text()
    assert "“Learned masks” beat its random twin “Random masks” on 1 of 1 task" in page
    assert "One pretraining seed" in page
    assert "No ranking: " in report(folder).html.read_text()


def test_report_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = write_small_study(tmp_path / "study")
    first, second = report(folder, out=tmp_path / "a"), report(folder, out=tmp_path / "b")
    for name in ("html", "csv", "markdown", "latex"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()


def test_report_of_no_study_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"study\.json: no such file") as caught:
        report(tmp_path)
    assert "the folder that `ecglipse study` wrote" in str(caught.value)


def test_report_loads_no_torch(tmp_path: Path) -> None:
    folder = write_small_study(tmp_path / "study")
    code = "import sys; from pathlib import Path; from ecglipse.commands._report import report; "
    code += (
        f"report(Path({str(folder)!r})); print('torch' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert done.stderr == ""
