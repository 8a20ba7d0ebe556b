"""Runs whose masks are laid on marked waves: the store's marks, the delineator's, and what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ecglipse.batches import Batches
from ecglipse.commands import _assemble, _delineated, _splits, _stores, masks, pretrain
from ecglipse.commands._delineated import delineated, delineator, kept
from ecglipse.commands._mask_run import OnStore, open_run
from ecglipse.config import Config, check, digest
from ecglipse.errors import ConfigError, EcglipseError, StoreError
from ecglipse.store import Store


@pytest.fixture
def store(simulated: Path, tmp_path: Path) -> Store:
    return Store.open(Path(shutil.copytree(simulated, tmp_path / "store")))


def fake_rows(millivolts: Any, rows: range, fs: float) -> pd.DataFrame:
    """A beat a second, in every record but the fifth."""
    made = [
        (row, kind, None, at + start, at + start + 0.05, at + start + 0.1)
        for row in rows
        if row != 5
        for at in range(1, 9)
        for kind, start in (("P", -0.2), ("QRS", 0.0), ("T", 0.3))
    ]
    return pd.DataFrame(made, columns=["row", "kind", "lead", "onset_s", "peak_s", "offset_s"])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """A delineator that is installed and cheap, and what it was asked for."""
    asked: list[range] = []

    def rows_of(millivolts: Any, rows: range, fs: float) -> pd.DataFrame:
        asked.append(rows)
        return fake_rows(millivolts, rows, fs)

    monkeypatch.setattr(_delineated, "load_library", lambda: None)
    monkeypatch.setattr(_delineated, "_installed", lambda: "fake 1")
    monkeypatch.setattr(_delineated, "delineate_rows", rows_of)
    return asked


def config(tiny: dict[str, Any], store: Store, /, **method: Any) -> Config:
    content = tiny | {"store": str(store.path), "methods": {"m": {"masks": "qrs"} | method}, "study": {}}
    return check(content, where="marked")


def facts(rule: Config, store: Store) -> dict[str, Any]:
    split = _splits.splits(rule, store)[0]
    return _assemble.pretraining_facts(rule, rule.methods["m"], store=store, split=split, seed=0)


def test_a_store_is_delineated_once_and_goes_on_where_it_stopped(store: Store, calls: list[range]) -> None:
    assert kept(store) is None
    first = delineated(store)
    assert calls == [range(64), range(64, 128), range(128, 160)]
    wanted = fake_rows(None, range(160), 100.0)
    assert first["lead"].isna().all()
    pd.testing.assert_frame_equal(first.drop(columns="lead"), wanted.drop(columns="lead"), check_dtype=False)
    pd.testing.assert_frame_equal(delineated(Store.open(store.path)), first)
    assert len(calls) == 3
    folder = store.path.with_name("store.delineated")
    damaged = folder / "part-00001.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert kept(store) is None
    pd.testing.assert_frame_equal(delineated(store), first)
    assert calls[3:] == [range(64, 128)]
    (folder / "part-00002.parquet").unlink()
    delineated(store)
    assert calls[4:] == [range(128, 160)]
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {"store": "another"}))
    delineated(store)
    assert len(calls) == 8
    assert delineator(store) == "fake 1"


def test_kept_marks_need_no_library(
    store: Store, calls: list[range], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = delineated(store)

    def missing() -> None:
        raise EcglipseError("the delineator is not installed")

    monkeypatch.setattr(_delineated, "load_library", missing)
    monkeypatch.setattr(_delineated, "_installed", lambda: "fake 2")
    pd.testing.assert_frame_equal(delineated(store), first)
    assert delineator(store) == "fake 1"
    shutil.rmtree(store.path.with_name("store.delineated"))
    for ask in (delineated, delineator):
        with pytest.raises(EcglipseError, match="not installed"):
            ask(store)


def test_a_half_done_store_of_another_version_is_begun_again(
    store: Store, calls: list[range], monkeypatch: pytest.MonkeyPatch
) -> None:
    delineated(store)
    folder = store.path.with_name("store.delineated")
    index = json.loads((folder / "index.json").read_text())
    del index["parts"]["part-00002.parquet"]
    (folder / "index.json").write_text(json.dumps(index))
    monkeypatch.setattr(_delineated, "_installed", lambda: "fake 2")
    assert delineator(store) == "fake 2"
    delineated(store)
    assert calls[3:] == [range(64), range(64, 128), range(128, 160)]
    assert delineator(store) == "fake 2"


@pytest.mark.parametrize("marks", ["store", "delineator"])
@pytest.mark.parametrize("pairs", ["records", "crops", "segments"])
def test_it_plays_and_hides_what_is_marked(
    store: Store, tiny: dict[str, Any], calls: list[range], marks: str, pairs: str
) -> None:
    rule = config(tiny, store, marks=marks, pairs=pairs, set={"masks.segment_s": 0.1, "masks.coverage": 0.1})
    split = _splits.splits(rule, store)[0]
    rows = split.train if marks == "delineator" else split.train[np.isin(split.train, store.waves["row"])]
    own = rule.of("m")
    made = _assemble.training(own, own.methods["m"], batches=Batches(store), rows=rows, seed=0)
    reports = [made.step() for _ in range(3)]
    assert all(np.isfinite(report.loss) for report in reports)
    assert all(report.coverage == pytest.approx(0.1, abs=0.005) for report in reports)
    some = rows[:8]
    inside = made.looked_at(some)
    assert set(inside.unique().tolist()) == {0.0, 1.0}
    a, b, draws = made.views(some)
    played = made.game.encoder_loss(a, b, draws, marks=inside)
    if pairs == "records":
        assert (played.mask * inside.amax(1, keepdim=True)).sum() > 0.3 * played.mask.sum()


def test_a_run_ends_resumes_and_is_drawn(store: Store, tiny: dict[str, Any], calls: list[range]) -> None:
    done = pretrain(config(tiny, store, marks="delineator"), progress=False)
    assert done.coverage == pytest.approx(0.5, abs=0.01)
    assert pretrain(config(tiny, store, marks="delineator"), progress=False).resumed_from == done.steps
    assert len(calls) == 3
    with np.load(done.run / "masks.npz") as drawn:
        assert drawn["mask"].mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("aim", ["p", "qrs", "t"])
def test_masks_laid_on_marks_are_found_on_their_wave(
    store: Store, tiny: dict[str, Any], calls: list[range], tmp_path: Path, aim: str
) -> None:
    """The positive control of `ecglipse masks`: what is hidden is known, and nothing else is found."""
    rule = config(
        tiny, store, masks=aim, marks="delineator", set={"masks.segment_s": 0.04, "masks.coverage": 0.1}
    )
    rule = rule.model_copy(update={"pretrain": rule.pretrain.model_copy(update={"epochs": 1})})
    run = pretrain(rule, progress=False).run
    made = masks(
        run, store.path, marks="delineator", draws=2, shifts=199, records=16, pictures=1, out=tmp_path
    )
    said = json.loads(made.json.read_text())
    found = {row["region"]: row["ratio"] for row in said["enrichments"] if not row["lead"]}
    assert max(found, key=found.__getitem__) == {"p": "P", "qrs": "QRS", "t": "T"}[aim]
    assert "a delineator" in said["masks"]


def test_masks_laid_on_a_stores_marks_need_these(
    store: Store, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = config(tiny, store, marks="store")
    run = open_run(pretrain(rule, progress=False).run, store)
    bare = Store.open(store.path)
    bare.__dict__["waves"] = store.waves.iloc[:0]
    with pytest.raises(StoreError, match="has no wave marks, and the masks of m-"):
        OnStore(run, Batches(bare)).maps(np.arange(2), draws=1)


def test_who_marked_counts_in_a_runs_identity_where_marks_are_used(
    store: Store, tiny: dict[str, Any], calls: list[range], monkeypatch: pytest.MonkeyPatch
) -> None:
    guessed = facts(config(tiny, store), store)
    assert "marks" not in guessed["method"]
    assert "delineator" not in guessed
    own = facts(config(tiny, store, marks="store"), store)
    assert own == guessed | {"method": guessed["method"] | {"marks": "store"}}
    found = facts(config(tiny, store, marks="delineator"), store)
    assert found["delineator"] == ["fake 1"]
    monkeypatch.setattr(_delineated, "_installed", lambda: "fake 2")
    assert digest(facts(config(tiny, store, marks="delineator"), store)) != digest(found)


def test_a_store_without_marks_is_refused(store: Store, tiny: dict[str, Any]) -> None:
    bare = Store.open(store.path)
    bare.__dict__["waves"] = store.waves.iloc[:0]
    rule = config(tiny, store, marks="store")
    rows = np.arange(32)
    with pytest.raises(StoreError, match="32 of 32 records to train on have no wave marks") as raised:
        _stores.marks(rule.methods["m"], [bare], rows, device=torch.device("cpu"))
    assert 'marks = "delineator"' in (raised.value.hint or "")


def test_records_in_which_nothing_was_found_are_said(
    store: Store, tiny: dict[str, Any], calls: list[range], caplog: pytest.LogCaptureFixture
) -> None:
    rule = config(tiny, store, marks="delineator")
    _stores.marks(rule.methods["m"], [store], np.arange(32), device=torch.device("cpu"))
    assert "no wave was found in 1 of 32 records" in caplog.text


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({"masks": "random", "marks": "store"}, "`marks` needs `masks` p, qrs, r, t"),
        ({"masks": "p"}, 'needs `marks` "store" or "delineator"'),
        (
            {"marks": "store", "set": {"views.extra": [{"name": "time-warp"}]}},
            "does not go with views that move waves: time-warp",
        ),
        (
            {"marks": "store", "set": {"views.extra": [{"name": "electrode-swap"}]}},
            "does not go with views that move waves: electrode-swap",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    store: Store, tiny: dict[str, Any], method: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        config(tiny, store, **method)
