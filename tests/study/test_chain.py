"""The whole chain on simulated recordings: study, resuming, ledger, report."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ecglipse.commands import pretrain, report, study, transfer, verify
from ecglipse.config import check
from ecglipse.errors import CheckpointError, ConfigError, TaskError
from ecglipse.report.subgroups import read_subgroups
from ecglipse.results import Ledger
from ecglipse.splits import patient_rotations
from ecglipse.store import Store
from ecglipse.transfer.disturb import LADDER


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, simulated: Path) -> dict[str, Any]:
    """A finished tiny study, made once."""
    out = tmp_path_factory.mktemp("chain") / "study"
    content = {
        "name": "tiny",
        "store": str(simulated),
        "out": str(out),
        "split": {"kind": "patients"},
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "mask_network": {"width": 8},
        "pretrain": {"epochs": 2, "batch": 16},
        "methods": {
            "majority": {"kind": "majority"},
            "handcrafted": {"kind": "handcrafted"},
            "random-init": {"kind": "init"},
            "scratch": {"kind": "scratch"},
            "3kg": {"views": "3kg"},
            "adversarial-per-lead": {"masks": "adversarial", "leads": "per-lead", "title": "Learned <b>"},
        },
        "transfer": {
            "tasks": ["sex", "rhythm", "age"],
            "fractions": [0.25, 1.0],
            "draws": 2,
            "probes": ["linear", "finetune"],
            "finetune_draws": 1,
            "finetune_epochs": 1,
            "robustness": True,
            "shots": [3],
        },
        "study": {"workers": 1, "baselines": ["3kg"], "gallery": 2, "replicates": 50},
    }
    made = study(check(content, where="tiny"), progress=False)
    return {"content": content, "made": made, "out": out}


def test_every_cell_of_the_plan_is_in_the_ledger_once(done: dict[str, Any]) -> None:
    lines = Ledger(done["out"]).lines()
    assert done["made"].added == done["made"].cells == len(lines)
    assert len({line["cell"] for line in lines}) == len(lines)
    assert {line["method"] for line in lines} == set(done["content"]["methods"])


def test_a_constant_ranks_nothing_and_measurements_rank_rhythms(done: dict[str, Any]) -> None:
    """The floors, read by the same probes: chance is chance, and rhythms follow from rates."""
    lines = Ledger(done["out"]).lines()
    for line in lines:
        if line["method"] == "majority":
            scores = Ledger(done["out"]).predictions(line).scores
            assert (scores == scores[0]).all()
            metrics = line["metrics"]
            assert metrics["r2"] <= 0 if line["task"] == "age" else metrics["macro_auroc"] in (0.5, None)
    (measured,) = [
        line
        for line in lines
        if (line["method"], line["task"], line["fraction"]) == ("handcrafted", "rhythm", 1.0)
        and not line["disturbance"]
    ]
    assert measured["metrics"]["macro_auroc"] > 0.9
    assert {line["probe"] for line in lines if line["method"] == "handcrafted"} == {"linear"}
    assert len(list((done["out"] / "features").iterdir())) == 1


def test_age_is_predicted_in_years(done: dict[str, Any], simulated: Path) -> None:
    """Truth is the store's ages, no one of 90 or more; the report shows R2 and, lower being better, MAE."""
    age = Store.open(simulated).table["age"].to_numpy()
    lines = [line for line in Ledger(done["out"]).lines() if line["task"] == "age"]
    assert {line["probe"] for line in lines} == {"linear", "finetune"}
    for line in lines:
        kept = Ledger(done["out"]).predictions(line)
        assert kept.truth[:, 0] == pytest.approx(age[kept.rows], abs=1e-4)
        assert kept.truth.max() < 90
        assert 5 < kept.scores.mean() < 110, "years, not standard deviations"
        assert line["metrics"]["mae"] == pytest.approx(np.abs(kept.scores - kept.truth).mean(), abs=1e-4)
    page = report(done["out"]).html.read_text(encoding="utf-8")
    assert "macro AUROC (R² for age)" in page
    assert "MAE ↓" in page


def test_disturbed_records_are_read_by_the_probe_of_undisturbed_ones(done: dict[str, Any]) -> None:
    """Same test records, labels, training labels and choice; at the store's rate, the same scores."""
    ledger = Ledger(done["out"])
    lines = {
        line["disturbance"]: line
        for line in ledger.lines()
        if (line["method"], line["task"], line["probe"]) == ("3kg", "sex", "linear")
        and line["fraction"] == 1.0
    }
    assert set(lines) == {"", *LADDER}
    clean = ledger.predictions(lines[""])
    for name, line in lines.items():
        kept = ledger.predictions(line)
        assert np.array_equal(kept.rows, clean.rows)
        assert (line["n_train"], line["chosen"]) == (lines[""]["n_train"], lines[""]["chosen"])
        same = np.allclose(kept.scores, clean.scores, atol=1e-5)
        assert same == (name in ("", "recorded at 100 Hz")), name
    methods = {line["method"] for line in ledger.lines() if line["disturbance"]}
    assert methods == set(done["content"]["methods"]) - {"majority", "scratch"}
    page = report(done["out"]).html.read_text(encoding="utf-8")
    assert "Robustness: the same probe" in page
    assert "arms swapped" in page


def test_shots_are_a_budget_of_their_own(done: dict[str, Any]) -> None:
    lines = [
        line
        for line in Ledger(done["out"]).lines()
        if (line["method"], line["task"], line["probe"]) == ("3kg", "sex", "linear") and line["shots"]
    ]
    assert {(line["shots"], line["draw"]) for line in lines} == {(3, 0), (3, 1)}
    for line in lines:
        assert 6 <= line["n_train"] <= 12, "three of each sex; patients have two records"
        assert 0 < line["fraction"] < 0.25
    page = report(done["out"]).html.read_text(encoding="utf-8")
    assert "3 a class" in page


def test_splits_and_draws_lie_there_as_plain_files(done: dict[str, Any]) -> None:
    from ecglipse.commands._evaluate import Bench

    bench = Bench(check(done["content"], where="tiny"), rotation=0)
    folder = done["out"] / "splits"
    (path,) = folder.glob("own-r0-sex-*.csv")
    assert (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        in (folder / "SHA256SUMS").read_text().splitlines()
    )
    table = pd.read_csv(path)
    _, parts = bench.places[""].parts("sex")
    for name, part in parts.items():
        assert table.loc[table["part"] == name, "row"].tolist() == part.rows.tolist()
    train = table[table["part"] == "train"]
    assert train.loc[train["share_1"] <= 0.25, "row"].tolist() == parts["train"].subset(0.25, 1).rows.tolist()
    assert train.loc[train["shots_0"] <= 3, "row"].tolist() == parts["train"].subset(-3.0, 0).rows.tolist()


def test_subgroups_are_those_of_the_store(done: dict[str, Any], simulated: Path) -> None:
    table = Store.open(simulated).table
    (known,) = read_subgroups(done["out"]).values()
    assert np.array_equal(known["sex"].codes == 0, table["sex"] == "female")
    old = (table["age"] >= 75).to_numpy()
    assert np.array_equal(known["age"].codes == known["age"].names.index("75 and over"), old)


def test_a_second_call_adds_nothing(done: dict[str, Any]) -> None:
    before = (done["out"] / "results.jsonl").read_bytes()
    again = study(check(done["content"], where="tiny"), progress=False)
    assert again.added == 0
    assert (done["out"] / "results.jsonl").read_bytes() == before


def test_the_test_set_is_the_same_for_every_method_fraction_and_draw(done: dict[str, Any]) -> None:
    ledger = Ledger(done["out"])
    for task in ("sex", "rhythm"):
        rows = {tuple(ledger.predictions(line).rows) for line in ledger.lines() if line["task"] == task}
        assert len(rows) == 1


def test_no_patient_is_in_two_parts_and_no_test_record_in_pretraining(done: dict[str, Any]) -> None:
    from ecglipse.commands._evaluate import Bench

    bench = Bench(check(done["content"], where="tiny"), rotation=0)
    parts = [set(bench.store.table["patient_id"].iloc[rows]) for rows in _rows(bench.split)]
    assert not (parts[0] & parts[1]) | (parts[0] & parts[2]) | (parts[1] & parts[2])
    trained = bench.split.train
    tested = {
        int(row) for line in Ledger(done["out"]).lines() for row in Ledger(done["out"]).predictions(line).rows
    }
    assert not tested & set(trained.tolist())


def _rows(split: Any) -> list[Any]:
    return [split.train, split.validation, split.test]


def test_probing_is_repeatable_and_transfer_gives_the_studys_numbers(
    done: dict[str, Any], tmp_path: Path
) -> None:
    """The same run read by `transfer` into another ledger: the same scores, to the bit."""
    import shutil

    content = {**done["content"], "out": str(tmp_path / "again")}
    (run,) = (done["out"] / "runs").glob("adversarial-per-lead-*")
    shutil.copytree(run, tmp_path / "again" / "runs" / run.name)
    made = transfer(check(content, where="tiny"), run=tmp_path / "again" / "runs" / run.name)
    mine = {line["cell"]: line["metrics"] for line in Ledger(tmp_path / "again").lines()}
    theirs = {
        line["cell"]: line["metrics"] for line in Ledger(done["out"]).lines() if line["run"] == run.name
    }
    assert made.added == len(theirs)
    assert mine == theirs


def test_the_report_opens_from_disk_and_escapes_titles(done: dict[str, Any]) -> None:
    made = report(done["out"])
    page = made.html.read_text(encoding="utf-8")
    assert "Learned &lt;b&gt;" in page
    assert "Learned <b>" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert made.html.stat().st_size < 5_000_000


def test_runs_of_a_study_are_sound(done: dict[str, Any]) -> None:
    for run in (done["out"] / "runs").iterdir():
        assert verify(run).ok, verify(run).problems


def test_no_name_date_or_id_of_a_patient_in_what_a_study_writes(
    done: dict[str, Any], simulated: Path
) -> None:
    from ecglipse.store import Store

    table = Store.open(simulated).table
    secrets = [*table["patient_id"].head(20), *table["record_id"].head(20)]
    report(done["out"])
    for path in done["out"].rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if str(secret).encode() in content], path.name


def test_a_plan_runs_nothing(done: dict[str, Any], tmp_path: Path) -> None:
    content = {**done["content"], "out": str(tmp_path / "none")}
    made = study(check(content, where="tiny"), plan=True)
    assert made.cells == done["made"].cells
    assert not (tmp_path / "none").exists()


def test_two_processes_give_the_ledger_of_one(done: dict[str, Any], tmp_path: Path) -> None:
    """Up to order, times and hardware; the runs' weights to the bit (one thread each)."""
    threads = torch.get_num_threads()
    content = {**done["content"], "out": str(tmp_path / "two")}
    content["methods"] = {
        name: done["content"]["methods"][name] for name in ("random-init", "adversarial-per-lead")
    }
    content["study"] = {**content["study"], "workers": 2, "baselines": []}
    torch.set_num_threads(1)
    try:
        study(check(content, where="tiny"), progress=False)
        alone = study(check({**content, "out": str(tmp_path / "one"), "study": {"workers": 1}}, where="tiny"))
    finally:
        torch.set_num_threads(threads)
    assert alone.added > 0
    one, two = (
        {line["cell"]: line["metrics"] for line in Ledger(tmp_path / name).lines()} for name in ("one", "two")
    )
    assert one == two


def test_encoders_are_read_on_another_database(tiny: dict[str, Any], tmp_path: Path) -> None:
    """Trained on one store, read on another: rows of the other, none of its records in training."""
    from ecglipse.commands._demo import write_simulated_store
    from ecglipse.store import Store

    write_simulated_store(tmp_path / "other", 90, seed=8)
    tiny["methods"] = {"random-init": {"kind": "init"}, "random": {"masks": "random"}}
    tiny["transfer"] |= {"tasks": ["sex"], "probes": ["linear"], "fractions": [1.0]}
    tiny["pretrain"]["epochs"] = 1
    tiny["study"]["baselines"] = []
    tiny["targets"] = {"elsewhere": {"store": str(tmp_path / "other"), "tasks": ["rhythm"]}}
    made = study(check(tiny, where="tiny"), progress=False)
    lines = {(line["method"], line["task"]): line for line in Ledger(made.folder).lines()}
    assert set(lines) == {(m, t) for m in tiny["methods"] for t in ("sex", "elsewhere:rhythm")}
    other = Store.open(tmp_path / "other")
    line = lines["random", "elsewhere:rhythm"]
    assert line["store"] == other.digest
    rows = Ledger(made.folder).predictions(line).rows
    assert line["n_test"] == len(rows) < len(other)
    assert set(rows) <= set(patient_rotations(other.table, seed=0)[0].test), "the first of five folds"
    assert "elsewhere:rhythm" in report(made.folder).html.read_text(encoding="utf-8")
    write_simulated_store(tmp_path / "fast", 90, seed=8, fs=200.0)
    tiny["targets"]["elsewhere"]["store"] = str(tmp_path / "fast")
    with pytest.raises(ConfigError, match=r"targets\.elsewhere: 200 Hz and 2000 samples"):
        study(check(tiny, where="tiny"))


def test_a_study_that_goes_on_keeps_its_start_and_adds_up_its_time(done: dict[str, Any]) -> None:
    path = done["out"] / "study.json"
    before = json.loads(path.read_text(encoding="utf-8"))
    study(check(done["content"], where="tiny"), progress=False)
    after = json.loads(path.read_text(encoding="utf-8"))
    assert after["started"] == before["started"]
    assert after["seconds"] == before["seconds"] > 0


def test_mistakes_are_said_before_anything_is_run(tiny: dict[str, Any], tmp_path: Path) -> None:
    tiny["transfer"]["tasks"] = ["rythm"]
    with pytest.raises(TaskError, match="rythm"):
        study(check(tiny, where="tiny"))
    assert not Path(tiny["out"]).exists()
    tiny["transfer"]["tasks"] = ["rhythm"]
    with pytest.raises(ConfigError, match="has 100 Hz, the config asks for 250 Hz"):
        study(check({**tiny, "corpus_fs": 250.0}, where="tiny"))
    with pytest.raises(ConfigError, match="no method 'simclrr' that pretrains"):
        pretrain(check(tiny, where="tiny"), method="simclrr")
    with pytest.raises(ConfigError, match="has 4 methods that pretrain"):
        pretrain(check(tiny, where="tiny"))


def test_a_run_of_another_encoder_is_refused(tiny: dict[str, Any]) -> None:
    tiny["pretrain"]["epochs"] = 1
    made = pretrain(check(tiny, where="tiny"), method="simclr")
    wider = {**tiny, "encoder": {**tiny["encoder"], "width": 16}}
    with pytest.raises(CheckpointError, match="no method of this config would make this run"):
        transfer(check(wider, where="tiny"), run=made.run)
    steps = [json.loads(line) for line in (made.run / "steps.jsonl").read_text().splitlines()]
    assert steps[-1]["step"] == made.steps


def test_a_task_of_ones_own_is_read_as_its_codes_say(tiny: dict[str, Any]) -> None:
    content = tiny | {
        "tasks": {
            "fast": {"kind": "binary", "classes": {"fast": ["ST", "AF"]}, "title": "Fast"},
            "slow or fast": {"kind": "multiclass", "classes": {"slow": ["SB"], "fast": ["ST"]}},
        },
        "methods": {"random-init": {"kind": "init"}},
        "study": tiny["study"] | {"baselines": []},
        "transfer": tiny["transfer"] | {"tasks": ["fast", "slow or fast"], "probes": ["linear"]},
    }
    made = study(check(content, where="t"), progress=False)
    lines = Ledger(made.folder).lines()
    assert {(line["task"], line["task_kind"], tuple(line["classes"])) for line in lines} == {
        ("fast", "binary", ("fast",)),
        ("slow or fast", "multiclass", ("slow", "fast")),
    }
    store = Store.open(Path(tiny["store"]))
    for line in lines:
        kept = Ledger(made.folder).predictions(line)
        held = [set(store.table["codes"][row]) for row in kept.rows]
        if line["task"] == "fast":
            assert kept.truth[:, 0].astype(bool).tolist() == [bool(codes & {"ST", "AF"}) for codes in held]
        else:
            assert kept.truth[:, 1].astype(bool).tolist() == ["ST" in codes for codes in held]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"kind": "binary", "classes": {"a": ["x"], "b": ["y"]}}, "a binary task has one class"),
        ({"kind": "multiclass", "classes": {"a": ["x"]}}, "two classes at least"),
        ({"classes": {"a": []}}, "a class without codes"),
        ({"clases": {"a": ["x"]}}, "did you mean `classes`"),
    ],
)
def test_a_task_that_is_none_is_said(tiny: dict[str, Any], task: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(tiny | {"tasks": {"mine": task}}, where="t")


def test_a_task_whose_codes_the_store_has_not_is_said_before_anything_runs(tiny: dict[str, Any]) -> None:
    content = tiny | {"tasks": {"mine": {"classes": {"a": ["XYZ"]}}}}
    content["transfer"] = tiny["transfer"] | {"tasks": ["mine"]}
    with pytest.raises(TaskError, match="task 'mine': no record of class a in the store"):
        study(check(content, where="t"), progress=False)
