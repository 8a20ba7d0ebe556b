"""Every seed and test set is shown: the mean of the seeds is the score, and nothing is chosen among them."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from dummy_study import Make
from test_page import read

from ecglipse.report.page import write_report
from ecglipse.report.summarise import summarise
from ecglipse.results import Ledger


def test_seeds_and_test_sets_average_to_the_score(make: Make) -> None:
    found = summarise(make(rotations=2, seeds=(0, 1, 2), replicates=20))
    for score in found.scores:
        mine = [o for o in found.singles if (o.group, o.method) == (score.group, score.method)]
        seeds = [o.value for o in mine if o.rotation is None]
        tests = [o.value for o in mine if o.seed is None]
        both = [o.value for o in mine if None not in (o.seed, o.rotation)]
        assert (len(seeds), len(tests), len(both)) == (score.n_seeds, 2, 2 * score.n_seeds)
        for values in (seeds, tests, both):
            assert np.mean(values) == pytest.approx(score.mean, abs=1e-9)
        assert len(seeds) == 1 or np.std(seeds, ddof=1) == pytest.approx(score.sd_seeds)


def test_a_seed_is_the_mean_of_its_cells(make: Make) -> None:
    folder = make(seeds=(0, 1), replicates=20)
    (one,) = [
        o
        for o in summarise(folder).singles
        if (o.method, o.seed, o.group.task, o.group.fraction) == ("simclr", 1, "rhythm", 0.1)
    ]
    lines = [
        line["metrics"]["macro_auroc"]
        for line in Ledger(folder).lines()
        if (line["method"], line["seed"], line["task"], line["fraction"]) == ("simclr", 1, "rhythm", 0.1)
    ]
    assert one.value == pytest.approx(np.mean(lines))


def test_they_stand_on_the_page_and_in_the_csv_and_on_the_curves(make: Make, tmp_path: Path) -> None:
    written = write_report(make(rotations=2, seeds=(0, 1, 2), probes=("linear", "finetune"), replicates=20))
    page, summary = read(written), summarise(written.html.parent)
    for text in ("Every seed and every test set", "seed 0 seed 1 seed 2 rotation 0 rotation 1"):
        assert text in page.text
    for o in summary.singles:
        if o.group.fraction == 0.1 and o.group.probe == "linear" and None in (o.seed, o.rotation):
            assert f"{o.value:.3f}" in page.text
    rows = list(csv.DictReader(io.StringIO(written.csv.read_text(encoding="utf-8"))))
    kinds = [r["kind"] for r in rows]
    assert kinds.count("seed") + kinds.count("rotation") + kinds.count("seed and rotation") == len(
        summary.singles
    )
    dots = [v for tag, name, v in page.attributes if (tag, name) == ("path", "class") and v == "i"]
    assert dots
    one = write_report(make(seeds=(0,), replicates=20))
    assert 'class="i"' not in one.html.read_text(encoding="utf-8")


def test_a_class_kept_out_of_the_score_is_kept_out_of_its_seeds(make: Make) -> None:
    folder = make(classes={"rhythm": ("AFIB", "SBRAD", "STACH")}, n_patients=10, seeds=(0, 1), replicates=20)
    lines = [json.loads(text) for text in (folder / "results.jsonl").read_text().splitlines()]
    assert any(line["left_out"] for line in lines)
    found = summarise(folder)
    for score in found.scores:
        mine = [o.value for o in found.singles if (o.group, o.method) == (score.group, score.method)]
        assert (np.mean(mine) if mine else None) == (
            None if score.mean is None else pytest.approx(score.mean, abs=1e-9)
        )
