"""Reliability: bins and intervals equal those by hand; what is too sure is seen to be, and mended."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from dummy_study import METHODS, TEMPERATURE, Make, write_study

from ecglipse.metrics import apply_temperature, ece
from ecglipse.report.bench import Bench
from ecglipse.report.export import to_csv
from ecglipse.report.page import write_report
from ecglipse.report.reliability import BINS, NO_TEMPERATURE
from ecglipse.report.scores import Reliability
from ecglipse.report.subgroups import REPLICATES
from ecglipse.report.summarise import summarise
from ecglipse.report.summary import Summary
from ecglipse.results import Ledger

METHOD = "adversarial-per-lead"


def of(summary: Summary, task: str, when: str, method: str = METHOD) -> Reliability:
    (one,) = [r for r in summary.reliability if (r.group.task, r.when, r.method) == (task, when, method)]
    return one


def found(folder: Path, task: str, when: str, method: str = METHOD) -> Reliability:
    return of(summarise(folder), task, when, method)


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """A study of two rotations, two seeds, two draws, and what it comes to."""
    folder = write_study(tmp_path_factory.mktemp("rotated") / "study", rotations=2, replicates=40)
    return folder, summarise(folder)


@pytest.mark.parametrize("task", ["sex", "rhythm"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_bins_and_their_intervals_equal_those_by_hand(
    rotated: tuple[Path, Summary], task: str, when: str
) -> None:
    """Two rotations, two seeds, two draws: predictions one by one, replicates one by one."""
    folder, summary = rotated
    ledger = Ledger(folder)
    bench = Bench(ledger, ledger.lines(), replicates=min(REPLICATES, 40))
    said: list[tuple[float, int, np.ndarray]] = []  # score, truth, the record's weight in each replicate
    errors = []
    for line in ledger.lines():
        if (line["method"], line["task"], line["fraction"]) != (METHOD, task, 0.1):
            continue
        p = ledger.predictions(line)
        scores = p.scores.astype(np.float64)
        if when == "after":
            scores = apply_temperature(scores, TEMPERATURE, line["task_kind"])
        weights = bench.test_set(line).resampling.weights
        errors.append(ece(p.truth, scores))
        for n in range(len(scores)):
            said += [(float(s), int(t), weights[:, n]) for s, t in zip(scores[n], p.truth[n], strict=True)]
    assert len(errors) == 8
    one = of(summary, task, when)
    assert one.ece == pytest.approx(np.mean(errors), abs=1e-12)
    assert sum(b.n for b in one.bins) == len(said)
    assert len(one.bins) == BINS
    values = np.array([s for s, _, _ in said])
    ranks = np.array([np.mean(np.flatnonzero(np.sort(values) == s)) + 0.5 for s in values])
    for number, b in enumerate(one.bins):
        mine = [said[i] for i in np.flatnonzero(np.floor(ranks * BINS / len(said)) == number)]
        assert b.n == len(mine)
        assert b.said == pytest.approx(np.mean([s for s, _, _ in mine]), abs=1e-12)
        assert b.observed == pytest.approx(np.mean([t for _, t, _ in mine]), abs=1e-12)
        shares = sum(t * w for _, t, w in mine) / sum(w for _, _, w in mine)
        low, high = np.quantile(shares, [0.025, 0.975])
        assert (b.low, b.high) == pytest.approx((low, high), abs=1e-12)


def test_bins_rise_and_hold_equal_mass(make: Make) -> None:
    bins = found(make(), "sex", "after").bins
    assert np.all(np.diff([b.said for b in bins]) > 0)
    assert max(b.n for b in bins) - min(b.n for b in bins) <= 1


def test_what_is_too_sure_is_seen_to_be_and_the_temperature_mends_it(make: Make) -> None:
    """Scores made three times too sure, by logits; the ledger's temperature is the three that undoes it."""
    folder = make(seeds=(0,), n_patients=400)
    ledger = Ledger(folder)
    rng = np.random.default_rng(0)
    lines = [json.loads(text) for text in (folder / "results.jsonl").read_text().splitlines()]
    (folder / "results.jsonl").write_text("")
    for line in lines:
        if line["task"] == "sex":
            old = Ledger(folder).predictions(line)
            u = rng.random(old.truth.shape)
            truth = (np.random.default_rng(1).random(u.shape) < 0.5).astype(np.uint8)
            honest = np.where(truth == 1, np.sqrt(u), 1 - np.sqrt(1 - u))  # P(y = 1 | p) = p, p uniform
            sure = apply_temperature(honest, 1 / 3, "binary")
            (folder / line["predictions"]).unlink()
            again = {k: v for k, v in line.items() if not k.startswith("predictions")} | {"temperature": 3.0}
            ledger.append(again, rows=old.rows, scores=sure, truth=truth, patients=old.patients)
    before, after = (found(folder, "sex", when) for when in ("before", "after"))
    assert before.ece is not None
    assert after.ece is not None
    assert before.ece > 1.5 * after.ece
    assert before.bins[-1].said > (before.bins[-1].high or 1.0), "above what happens: the bar is below it"
    assert before.bins[1].said < (before.bins[1].low or 0.0)


def test_equal_predictions_are_one_bin(make: Make) -> None:
    folder = make(seeds=(0,), draws=1)
    lines = [json.loads(text) for text in (folder / "results.jsonl").read_text().splitlines()]
    (folder / "results.jsonl").write_text("")
    for line in lines:
        old = Ledger(folder).predictions(line)
        (folder / line["predictions"]).unlink()
        keep = {k: v for k, v in line.items() if not k.startswith("predictions")}
        scores = (
            np.full_like(old.scores, 1 / old.scores.shape[1]) if line["method"] == "majority" else old.scores
        )
        Ledger(folder).append(keep, rows=old.rows, scores=scores, truth=old.truth, patients=old.patients)
    (only,) = found(folder, "rhythm", "before", "majority").bins
    assert only.said == pytest.approx(1 / 3)
    assert only.observed == pytest.approx(1 / 3)


def test_a_ledger_without_temperatures_says_so(make: Make) -> None:
    folder = make(seeds=(0,), draws=1)
    path = folder / "results.jsonl"
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    path.write_text(
        "".join(json.dumps({k: v for k, v in x.items() if k != "temperature"}) + "\n" for x in lines)
    )
    one = found(folder, "sex", "after")
    assert (one.ece, one.bins, one.note) == (None, (), NO_TEMPERATURE)
    assert found(folder, "sex", "before").bins
    assert NO_TEMPERATURE in write_report(folder).html.read_text(encoding="utf-8")


def test_every_method_has_a_panel_in_words_and_rows_in_the_csv(make: Make) -> None:
    folder = make(seeds=(0,), draws=1)
    page = write_report(folder).html.read_text(encoding="utf-8")
    label = next(x for x in page.split('aria-label="') if x.startswith("Reliability"))
    for method in METHODS:
        if method["name"] != "scratch":  # a study without fine-tuning has no cell of it
            assert f"{method['title']}: before temperature ECE" in label
    rows = [r for r in csv.DictReader(io.StringIO(to_csv(summarise(folder)))) if r["kind"] == "reliability"]
    mine = [r for r in rows if (r["method"], r["task"], r["metric"]) == (METHOD, "sex", "after")]
    bins = found(folder, "sex", "after").bins
    assert [float(r["value"]) for r in mine] == [b.observed for b in bins]
    assert [float(r["predicted"]) for r in mine] == [b.said for b in bins]
    assert sum(int(r["n_test"]) for r in mine) == sum(b.n for b in bins)
