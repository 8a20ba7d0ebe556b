"""A study in numbers: what is reported equals what is computed by hand from the predictions."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dummy_study import METHODS, TEMPERATURE, Make, auroc
from sklearn.metrics import f1_score

from ecglipse.errors import LedgerError
from ecglipse.metrics import apply_temperature, ece
from ecglipse.report.differences import Comparison
from ecglipse.report.export import to_csv
from ecglipse.report.figures import forest_columns
from ecglipse.report.needed import ratio_text
from ecglipse.report.scores import Group
from ecglipse.report.summarise import summarise
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import verdict
from ecglipse.results import Ledger, Predictions
from ecglipse.statistics import contributions, permutation_test

ADVERSARY, TWIN = "adversarial-per-lead", "random-per-lead"


def compared(summary: Summary, method: str, baseline: str) -> list[Comparison]:
    return [c for c in summary.comparisons if (c.method, c.baseline) == (method, baseline)]


def by_hand(folder: Path, method: str, task: str, fraction: float) -> dict[tuple[int, int, int], float]:
    """Macro AUROC of each cell, (rotation, seed, draw), by counting pairs."""
    ledger, found = Ledger(folder), {}
    for line in ledger.lines():
        if (line["method"], line["task"], line["fraction"]) == (method, task, fraction):
            p = ledger.predictions(line)
            kept = [k for k, name in enumerate(line["classes"]) if name not in line["left_out"]]
            found[line["rotation"], line["seed"], line["draw"]] = float(
                np.mean([auroc(p.scores[:, k], p.truth[:, k]) for k in kept])
            )
    return found


def test_means_and_spreads_equal_those_by_hand(make: Make) -> None:
    folder = make(rotations=2, seeds=(0, 3, 5))
    summary = summarise(folder)
    for task in ("rhythm", "sex"):
        score = summary.score(Group(task, "linear", "matched", 0.1), ADVERSARY)
        cells = by_hand(folder, ADVERSARY, task, 0.1)
        table = np.array([[[cells[r, s, d] for d in (0, 1)] for s in (0, 3, 5)] for r in (0, 1)])
        assert score.mean == pytest.approx(table.mean(), abs=1e-12)
        assert score.sd_seeds == pytest.approx(table.mean(axis=(0, 2)).std(ddof=1), abs=1e-12)
        assert score.sd_draws == pytest.approx(table.mean(axis=(0, 1)).std(ddof=1), abs=1e-12)
        assert (score.n_seeds, score.n_draws, score.n_rotations, score.n_cells) == (3, 2, 2, 12)
        assert score.low is not None
        assert score.high is not None
        assert score.low < table.mean() < score.high


SIX = "abcdef"
"""Classes of a rare rhythm."""


def test_interval_has_the_width_that_the_data_have(make: Make) -> None:
    narrow = summarise(make(n_patients=400, seeds=(0,), draws=1)).scores[0]
    wide = summarise(make(n_patients=50, seeds=(0,), draws=1)).scores[0]
    assert 0 < narrow.high - narrow.low < 0.6 * (wide.high - wide.low)


def test_a_planted_difference_has_its_sign(make: Make) -> None:
    summary = summarise(make(skill={ADVERSARY: 1.4, TWIN: 0.5}, n_patients=200, seeds=(0, 1, 2), draws=3))
    for c in compared(summary, ADVERSARY, TWIN):
        assert c.twin
        assert c.low > 0
        assert c.superiority > 0.95
        assert c.p_value < 0.05
    for c in compared(summary, TWIN, "simclr"):
        assert c.high < 0


def test_a_method_and_its_copy_do_not_differ(make: Make) -> None:
    methods = tuple(m | ({"copy_of": TWIN} if m["name"] == ADVERSARY else {}) for m in METHODS)
    found = compared(summarise(make(methods=methods)), ADVERSARY, TWIN)
    assert len(found) == 4
    for c in found:
        assert (c.estimate, c.low, c.high, c.p_value, c.superiority) == (0, 0, 0, 1, 0.5)


def test_estimate_is_the_difference_of_the_means(make: Make) -> None:
    folder = make()
    summary = summarise(folder)
    for c in compared(summary, ADVERSARY, "3kg"):
        ours, theirs = (by_hand(folder, m, c.group.task, c.group.fraction) for m in (ADVERSARY, "3kg"))
        hand = np.mean(list(ours.values())) - np.mean(list(theirs.values()))
        assert c.estimate == pytest.approx(hand, abs=1e-12)
        assert c.n_pairs == len(ours)


def test_holm_is_over_the_tasks_of_one_comparison(make: Make) -> None:
    summary = summarise(make(skill={ADVERSARY: 1.0}))
    found = [c for c in compared(summary, ADVERSARY, "simclr") if c.group.fraction == 0.1]
    assert len(found) == 2
    low, high = sorted(c.p_value for c in found)
    adjusted = sorted(c.p_holm for c in found)
    assert adjusted == pytest.approx([min(1, 2 * low), max(min(1, 2 * low), high)])


def test_twin_hides_the_same_leads(make: Make) -> None:
    extra = {"name": "random-shared", "title": "Random, shared", "masks": "random"}
    summary = summarise(make(methods=(METHODS[0], extra, *METHODS[2:])))
    twins = {c.baseline for c in summary.comparisons if c.twin}
    assert twins == {TWIN}
    mixed = tuple(m | ({"mix_shared": 0.5} if m["name"] == ADVERSARY else {}) for m in METHODS)
    summary = summarise(make(methods=mixed))
    assert not [c for c in summary.comparisons if c.twin and c.method == ADVERSARY]
    assert any("No random twin" in text for text in summary.cautions)


def test_a_learned_mask_meets_its_frozen_and_its_shuffled_twin(make: Make) -> None:
    """Of the same form only, nearest first; by name in table, verdict, forest and CSV; absence is a limit."""
    learned = {"masks": "adversarial", "leads": "per-lead"}
    near = {"name": "cold", "title": "Frozen", "network": "frozen", **learned}
    far = {**near, "name": "far", "title": "Frozen, decided", "choice": "decided"}
    shared = {"name": "stirred", "title": "Shuffled, shared", "masks": "adversarial", "network": "shuffled"}
    skill = {ADVERSARY: 1.4, "cold": 0.5}
    plain = tuple(m for m in METHODS if "network" not in m)
    many = (*plain, far, near, shared)
    summary = summarise(make(methods=many, skill=skill, n_patients=200, seeds=(0, 1, 2), draws=3))
    roles = {c.baseline: c.control for c in summary.comparisons if c.method == ADVERSARY}
    assert roles == {TWIN: "", "cold": "frozen twin", "simclr": "", "3kg": ""}
    assert summary.opponents("cold")[TWIN] == "random twin"
    assert not summary.controls("cold")
    limits = " ".join(summary.cautions)
    assert "No shuffled twin (masks shuffled over the batch, same form) in this study for: Adver" in limits
    assert "No frozen twin" not in limits
    said = " ".join(verdict(replace(summary, ranked=True))[1])
    assert "beat its frozen twin “Frozen” on 2 of 2 tasks" in said
    columns = [title for title, _ in forest_columns(summary, probe="linear", validation="matched")]
    assert columns[:2] == ["minus its random twin", "minus its frozen twin"]
    rows = [row for row in csv.DictReader(io.StringIO(to_csv(summary))) if row["control"]]
    assert {(row["method"], row["baseline"]) for row in rows} == {(ADVERSARY, "cold")}
    assert {row["kind"] for row in rows} == {"difference", "labels needed"}


def test_missing_draws_give_no_number_but_a_reason(make: Make) -> None:
    def skip(line: dict[str, Any]) -> bool:
        return (line["method"], line["task"], line["draw"]) == (ADVERSARY, "sex", 1)

    summary = summarise(make(skip=skip, seeds=(0,)))
    score = summary.score(Group("sex", "linear", "matched", 0.1), ADVERSARY)
    assert (score.mean, score.note) == (None, "n/a, 1 of 2 draws done")
    whole = summary.score(Group("rhythm", "linear", "matched", 0.1), ADVERSARY)
    assert whole.mean is not None
    lost = [c for c in compared(summary, ADVERSARY, TWIN) if c.group == score.group]
    assert [c.note for c in lost] == ["Adversarial, per lead: 1 of 2 draws done"]


def test_a_missing_seed_is_told_by_the_plan(make: Make) -> None:
    summary = summarise(make(skip=lambda line: line["seed"] == 1))
    scores = [s for s in summary.scores if s.group.fraction == 0.1]
    floors = {s.note for s in scores if s.method in ("majority", "handcrafted")}
    others = {s.note for s in scores if s.method not in ("majority", "handcrafted")}
    assert others == {"n/a, 2 of 4 cells done"}
    assert floors == {""}, "nothing is drawn in them, so one seed is all"


def test_a_study_without_cells_has_no_numbers(make: Make) -> None:
    folder = make(skip=lambda line: True)
    (folder / "results.jsonl").unlink(missing_ok=True)
    summary = summarise(folder)
    assert (summary.scores, summary.comparisons, summary.tasks) == ((), (), ())


def test_lines_of_another_store_are_left_out_and_told(make: Make) -> None:
    folder = make()
    study = json.loads((folder / "study.json").read_text())
    study["store"]["digest"] = "e" * 64
    (folder / "study.json").write_text(json.dumps(study))
    summary = summarise(folder)
    assert summary.scores == ()
    assert any("older lines of the ledger" in text for text in summary.cautions)


def test_rare_classes_stay_out_of_the_macro_average(make: Make) -> None:
    folder = make(n_patients=14, classes={"rhythm": ("a", "b", "c", "d")}, rotations=1, draws=1, seeds=(0,))
    summary = summarise(folder)
    left = {k.label for k in summary.classes if not k.in_macro}
    assert left
    assert any("fewer than 10 test positives or negatives" in text for text in summary.cautions)
    for score in summary.scores:
        hand = by_hand(folder, score.method, "rhythm", score.group.fraction)
        if len(left) < 4:
            assert score.mean == pytest.approx(np.mean(list(hand.values())))
        else:
            assert score.note.startswith("n/a, no class has 10 test positives and 10 negatives")


def test_a_class_that_is_rare_in_one_rotation_is_in_the_macro_average_of_none(make: Make) -> None:
    """Counted together, with five in each: one class set, in every table and sentence."""
    folder = make(n_patients=9, classes={"rhythm": tuple(SIX)}, rotations=2, seeds=(0,), draws=1)
    out = rare(folder)
    assert 0 < len(out) < 6
    assert any(set(line["left_out"]) - out for line in Ledger(folder).lines()), "kept, but rare in a rotation"
    summary = summarise(folder)
    assert {k.label for k in summary.classes if not k.in_macro} == out
    (limit,) = [text for text in summary.cautions if text.startswith("rhythm: fewer than 10")]
    for name in SIX:
        counts = [p.truth[:, SIX.index(name)].sum() for p in one_of_each_rotation(folder)]
        assert (f"{name} ({', '.join(map(str, counts))})" in limit) == (name in out)
    kept = [k for k, name in enumerate(SIX) if name not in out]
    for score in summary.scores:
        areas = []
        for line in Ledger(folder).lines():
            if (line["method"], line["fraction"]) == (score.method, score.group.fraction):
                p = Ledger(folder).predictions(line)
                areas.append(np.mean([auroc(p.scores[:, k], p.truth[:, k]) for k in kept]))
        assert score.mean == pytest.approx(np.mean(areas), abs=1e-12)


def rare(folder: Path) -> set[str]:
    """Names of `SIX` with fewer than 10 positives in all rotations, or fewer than 5 in one."""
    counts = np.array([p.truth.sum(axis=0) for p in one_of_each_rotation(folder)])
    few = (counts.sum(axis=0) < 10) | (counts.min(axis=0) < 5)
    return {name for name, is_rare in zip(SIX, few, strict=True) if is_rare}


def one_of_each_rotation(folder: Path) -> list[Predictions]:
    ledger = Ledger(folder)
    first = {line["rotation"]: line for line in reversed(ledger.lines())}
    return [ledger.predictions(first[rotation]) for rotation in sorted(first)]


def test_other_macro_metrics_are_over_the_same_classes(make: Make) -> None:
    """Where a rotation's own set is another: from its predictions, with the temperature that it had."""
    classes = {"rhythm": tuple(SIX)}
    folder = make(n_patients=9, classes=classes, rotations=2, seeds=(0,), draws=1, fractions=(1.0,))
    path = folder / "results.jsonl"
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    for line in lines:
        line["metrics"] |= {"ece": 0.25, "macro_f1": 0.5, "accuracy": 0.75}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = rare(folder)
    keep = np.array([name not in out for name in SIX])
    wanted: dict[str, list[float]] = {"ece": [], "macro_f1": []}
    for line in lines:
        if line["method"] == ADVERSARY:
            p = Ledger(folder).predictions(line)
            if set(line["left_out"]) == out:
                wanted["ece"].append(0.25)
                wanted["macro_f1"].append(0.5)
                continue
            warm = apply_temperature(p.scores.astype(float), TEMPERATURE, "multiclass")[:, keep]
            wanted["ece"].append(ece(p.truth[:, keep], warm))
            decided = np.eye(6)[p.scores.argmax(axis=1)]
            f1 = [f1_score(p.truth[:, k], decided[:, k]) for k in np.flatnonzero(keep)]
            wanted["macro_f1"].append(np.mean(f1))
    assert any(set(line["left_out"]) != out for line in lines)
    found = {m.metric: m for m in summarise(folder).measures if m.method == ADVERSARY}
    for name, values in wanted.items():
        assert found[name].value == pytest.approx(np.mean(values), abs=1e-6), name


def test_the_same_records_tested_again_make_nothing_surer(make: Make) -> None:
    """Five rotations of one test set and one set of scores are one: in intervals, counts and p-values."""
    wishes = {"seeds": (0, 1, 2), "draws": 2, "fractions": (0.1, 1.0), "replicates": 300}
    once, again = summarise(make(**wishes)), summarise(make(rotations=5, overlap=True, **wishes))
    for a, b in zip(once.scores, again.scores, strict=True):
        assert (b.mean, b.n_test) == (pytest.approx(a.mean), a.n_test)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=1e-6)
    assert [k.positives for k in once.classes] == [k.positives for k in again.classes]
    for one, two in zip(once.comparisons, again.comparisons, strict=True):
        assert two.p_permuted == one.p_permuted
        assert (two.low, two.high) == pytest.approx((one.low, one.high), abs=1e-9)
    said = " ".join(again.cautions)
    assert "rhythm, sex: some patients are tested in several rotations" in said
    assert "are of different patients" not in said
    apart = " ".join(summarise(make(rotations=2, seeds=(0,), draws=1)).cautions)
    assert "Test sets of rotations are of different patients" in apart
    assert "tested in several rotations" not in apart


def test_the_permutation_test_stands_where_the_verdict_looks(make: Make) -> None:
    """By hand from the predictions of both rotations."""
    folder = make(rotations=2, n_patients=60, skill={ADVERSARY: 0.95}, replicates=50)
    summary = summarise(folder)
    for c in summary.comparisons:
        assert (c.p_permuted is None) == (c.group.fraction != 0.1 or c.method != ADVERSARY)
    (found,) = [c for c in compared(summary, ADVERSARY, TWIN) if c.group == at("rhythm")]
    ledger, parts, owners = Ledger(folder), [], []
    for rotation in (0, 1):
        stacks = []
        for name in (ADVERSARY, TWIN):
            mine = [
                line
                for line in ledger.lines()
                if (line["method"], line["task"], line["fraction"], line["rotation"])
                == (name, "rhythm", 0.1, rotation)
            ]
            mine.sort(key=lambda line: (line["seed"], line["draw"]))
            read = [ledger.predictions(line) for line in mine]
            shape = (2, 2, *read[0].truth.shape)
            stacks.append(np.stack([p.scores for p in read]).astype(float).reshape(shape))
        keep = np.ones(3, dtype=bool)
        parts.append(contributions(stacks[0], stacks[1], read[0].truth, keep=keep) / 2)
        owners.append(read[0].patients + 1000 * rotation)
    assert sum(map(np.sum, parts)) == pytest.approx(found.estimate, abs=1e-12)
    rng = np.random.default_rng(0)
    hand = permutation_test(np.concatenate(parts), np.concatenate(owners), permutations=4000, rng=rng)
    # Standard error of either p: 0.011 at most.
    assert found.p_permuted == pytest.approx(hand.p, abs=0.035)


def at(task: str) -> Group:
    return Group(task, "linear", "matched", 0.1)


def test_the_number_of_databases_is_that_of_the_study(make: Make) -> None:
    assert "One database (ptbxl): whether" in " ".join(summarise(make(seeds=(0,), draws=1)).cautions)
    classes = {"sex": ("male",), "cinc2021:sex": ("male",)}
    targets = {"cinc2021": {"digest": "f" * 64, "corpus": "cinc", "splits": []}}
    said = " ".join(summarise(make(seeds=(0,), draws=1, classes=classes, targets=targets)).cautions)
    assert "2 databases (ptbxl, cinc2021), each with its own labels and test sets" in said
    assert "One database" not in said


def test_labels_needed_for_ones_own_score_are_ones_own(make: Make) -> None:
    """A copy of the twin needs exactly the twin's labels; with the fewest, the ratio is open below."""
    copy = {**METHODS[-1], "copy_of": TWIN}
    found = summarise(make(methods=(*METHODS[:-1], copy), seeds=(0,)))
    mine = [n for n in found.needed if n.twin]
    assert {n.group.fraction for n in mine} == {0.1, 1.0}
    for n in mine:
        assert n.ratio is not None
        assert ratio_text(n.ratio.estimate, n) == {0.1: "< 1", 1.0: "1.00"}[n.group.fraction]
        assert n.ratio.high <= 1.0 + 1e-12


def test_missing_floors_are_named(make: Make) -> None:
    assert summarise(make(methods=METHODS[5:])).missing_floors == (
        "a constant prediction (majority)",
        "hand-crafted features",
        "a random-init frozen encoder",
        "an encoder trained from scratch",
        "contrast without masks (SimCLR)",
    )
    assert summarise(make(probes=("linear", "finetune"))).missing_floors == ()


def test_a_learned_mask_needs_its_own_twins_and_no_others(make: Make) -> None:
    """Random masks of another form are no twin, nor are frozen and shuffled masks."""
    others = ({**m, "leads": "shared"} if m.get("leads") else m for m in METHODS[:-1])
    found = summarise(make(methods=(*others, METHODS[-1]), probes=("linear", "finetune")))
    assert found.missing_floors == tuple(
        f"the {kind} twin of “Adversarial, per lead”" for kind in ("random", "frozen", "shuffled")
    )
    assert not found.ranked


def test_a_floor_counts_where_it_has_numbers_on_every_task_at_the_verdicts_budget(make: Make) -> None:
    def skip(line: dict[str, Any]) -> bool:
        lost = {"handcrafted": line["task"] == "sex", "frozen": True, "simclr": line["fraction"] == 1.0}
        return line["fraction"] == 0.1 and lost.get(line["method"], False)

    found = summarise(make(probes=("linear", "finetune"), skip=skip))
    assert found.missing_floors == (
        "hand-crafted features (on sex)",
        "the frozen twin of “Adversarial, per lead”",
    )


def test_another_objective_is_not_simclr(make: Make) -> None:
    methods = tuple(m | {"pairs": "segments"} if m["name"] == "simclr" else m for m in METHODS)
    found = summarise(make(methods=methods, probes=("linear", "finetune")))
    assert found.missing_floors == ("contrast without masks (SimCLR)",)


def test_probes_stand_in_order_with_the_headline_first(make: Make) -> None:
    summary = summarise(make(probes=("knn", "finetune", "linear"), seeds=(0,), draws=1, replicates=20))
    assert [probe for probe, _ in summary.settings] == ["linear", "finetune", "knn"]


def test_an_altered_prediction_is_refused(make: Make) -> None:
    folder = make()
    path = sorted((folder / "predictions").glob("*.npz"))[3]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(LedgerError, match="changed since it was written"):
        summarise(folder)


def test_other_test_records_are_refused(make: Make) -> None:
    folder = make(seeds=(0,), draws=1)
    ledger = Ledger(folder)
    line = next(one for one in ledger.lines() if one["fraction"] == 0.1)
    p = ledger.predictions(line)
    fake = line | {"cell": "0" * 16, "draw": 1}
    ledger.append(fake, rows=p.rows + 1, scores=p.scores, truth=p.truth, patients=p.patients)
    study = json.loads((folder / "study.json").read_text())
    study["config"] = None
    (folder / "study.json").write_text(json.dumps(study))
    with pytest.raises(LedgerError, match="has other test records or labels"):
        summarise(folder)


def test_two_cells_for_one_place_are_refused(make: Make) -> None:
    folder = make(seeds=(0,), draws=1)
    ledger = Ledger(folder)
    line = ledger.lines()[0]
    p = ledger.predictions(line)
    ledger.append(line | {"cell": "0" * 16}, rows=p.rows, scores=p.scores, truth=p.truth, patients=p.patients)
    with pytest.raises(LedgerError, match="are both method majority"):
        summarise(folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "study.json: no such file"),
        ("{", "not readable as JSON"),
        ("[]", "an object with a list `methods` expected"),
        ('{"methods": [{}]}', "each of `methods` needs a `name`"),
        ('{"methods": [{"name": "a"}, {"name": "a"}]}', "methods named twice: a"),
        ('{"methods": [{"name": "a"}], "baselines": ["b"]}', "methods that are not there: b"),
        ('{"methods": [{"name": "a", "baseline": "b"}]}', "methods that are not there: b"),
    ],
)
def test_a_damaged_study_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "study.json").write_text(content)
    with pytest.raises(LedgerError, match=words):
        summarise(tmp_path)


def test_readings_of_disturbed_recordings_are_counted_as_readings(make: Make) -> None:
    folder = make(seeds=(0,), draws=1)
    ledger = Ledger(folder)
    before, line = summarise(folder).hardware, ledger.lines()[0]
    p = ledger.predictions(line)
    again = {k: v for k, v in line.items() if not k.startswith("predictions")} | {"cell": "0" * 16}
    again |= {"disturbance": "I only"}
    ledger.append(again, rows=p.rows, scores=p.scores, truth=p.truth, patients=p.patients)
    after = summarise(folder).hardware
    assert after["cells"] == before["cells"] + 1
    assert after["reads"][line["task"]] == before["reads"][line["task"]] + 1


def test_seeds_beyond_the_plan_are_left_out_and_told(make: Make) -> None:
    folder = make(seeds=(0, 1, 2))
    study = json.loads((folder / "study.json").read_text())
    study["config"]["study"]["seeds"] = [0, 1]
    (folder / "study.json").write_text(json.dumps(study))
    shorter, planned = summarise(folder), summarise(make(seeds=(0, 1)))
    assert [s.mean for s in shorter.scores] == [s.mean for s in planned.scores]
    assert any("older lines of the ledger" in text for text in shorter.cautions)


def test_no_interval_of_a_score_leaves_what_a_score_can_be(make: Make) -> None:
    """Two seeds have one degree of freedom: 12.7 standard errors each way."""
    summary = summarise(make(n_patients=30, seeds=(0, 1), draws=2, skill={ADVERSARY: 2.0}))
    ends = [(s.low, s.high) for s in summary.scores if s.low is not None and s.high is not None]
    assert any(high == 1.0 for _, high in ends)
    assert all(0.0 <= low <= high <= 1.0 for low, high in ends)
