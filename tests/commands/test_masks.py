"""`masks` from a run to a page: what it says, which records it looks at, and what it refuses."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.batches import Batches
from ecglipse.commands._mask_run import OnStore, mask_maps, open_run, unseen
from ecglipse.commands._masks import masks
from ecglipse.commands._pretrain import pretrain
from ecglipse.config import check
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import CheckpointError, ConfigError, StoreError
from ecglipse.masks import LearnedMask
from ecglipse.models.masknet import MaskNet
from ecglipse.occlusion import Tally, enrichments
from ecglipse.store import Store, StoreWriter
from ecglipse.waves import region_maps

METHODS: dict[str, dict[str, Any]] = {
    "simclr": {},
    "random": {"masks": "random", "leads": "per-lead"},
    "adversarial": {"masks": "adversarial", "leads": "per-lead", "mix_shared": 0.5},
    "electrodes": {"masks": "predicted", "leads": "electrodes"},
    "cells": {"masks": "adversarial", "leads": "cells", "network": "shuffled"},
    "published": {"masks": "published"},
    "chance-bands": {"masks": "random", "domain": "spectral", "set": {"masks.bands": 4}},
    "saliency": {"masks": "saliency", "leads": "per-lead"},
    "qrs": {"masks": "qrs", "set": {"masks.segment_s": 0.1, "masks.coverage": 0.2, "masks.fill": "token"}},
}


@pytest.fixture(scope="module")
def pretrained(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Gives a short run of a method on the simulated store."""
    content: dict[str, Any] = {
        "name": "masks",
        "store": str(simulated),
        "out": str(tmp_path_factory.mktemp("masks")),
        "split": {"kind": "patients"},
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "mask_network": {"width": 8, "learning_rate": 0.05},
        "pretrain": {"epochs": 1, "batch": 16},
        "methods": METHODS,
        "study": {"gallery": 1},
    }
    config = check(content, where="test")

    def make(name: str, seed: int = 0) -> Path:
        return pretrain(config, method=name, seed=seed, progress=False).run

    return make


@pytest.fixture(scope="module")
def runs(pretrained: Callable[..., Path]) -> dict[str, Path]:
    """Runs that hide nothing, by chance, and by an adversary under two seeds."""
    made = {name: pretrained(name) for name in ("simclr", "random", "adversarial")}
    return made | {"seed 1": pretrained("adversarial", 1)}


@pytest.mark.parametrize("name", ["electrodes", "cells", "published", "saliency", "qrs"])
def test_masks_of_every_kind_can_be_drawn(
    name: str, pretrained: Callable[..., Path], simulated: Path
) -> None:
    store = Store.open(simulated)
    run = open_run(pretrained(name), store)
    maps = mask_maps(run.policy, Batches(store).millivolts, np.arange(3), draws=2)
    assert maps.shape == (3, 12, 1000)
    assert 0 <= maps.min() < maps.max() <= 1
    assert not run.control
    assert run.learned == (name in ("electrodes", "cells", "published"))
    x = Batches(store).millivolts(np.arange(3))
    twin = mask_maps(run.twin(x), Batches(store).millivolts, np.arange(3), draws=8)
    again = mask_maps(run.policy, Batches(store).millivolts, np.arange(3), draws=8)
    assert abs(twin.mean() - again.mean()) < 0.05


@pytest.mark.parametrize("name", ["random", "adversarial", "published", "chance-bands", "qrs"])
def test_a_run_says_what_its_masks_hid(name: str, pretrained: Callable[..., Path], simulated: Path) -> None:
    """Of random masks, what the config asks for; of soft ones of free coverage, what their maps do."""
    run, store = pretrained(name), Store.open(simulated)
    said = json.loads((run / "applied.json").read_text())
    _, split, _ = unseen(open_run(run, store), store) if name != "qrs" else (None, None, "")
    if split is not None:
        assert said["records"] == min(128, len(split.validation))
    assert 0 < said["coverage"] < 1
    if name in ("random", "chance-bands"):
        assert said["coverage"] == pytest.approx(0.5, abs=0.01)
    if name == "qrs":
        assert said["coverage"] == pytest.approx(0.2, abs=0.02)
    if name == "random":
        assert min(said["run_s"]) >= 0.2
        assert said["leads_at_once"] == pytest.approx(0.5, abs=0.05)
    if name == "published":
        maps = mask_maps(open_run(run, store).policy, Batches(store).millivolts, np.arange(40), draws=4)
        assert said["coverage"] == pytest.approx(maps.mean(), abs=0.05)
    assert not (pretrained("simclr") / "applied.json").exists()


def test_masks_aimed_at_qrs_are_found_on_qrs(
    pretrained: Callable[..., Path], simulated: Path, tmp_path: Path
) -> None:
    made = masks(pretrained("qrs"), simulated, draws=4, shifts=499, records=24, pictures=0, out=tmp_path)
    assert made.sentences[0].startswith("These masks hide the QRS complex ")
    with made.csv.open() as file:
        (qrs,) = [
            r for r in csv.DictReader(file) if (r["group"], r["lead"], r["region"]) == ("all", "all", "QRS")
        ]
    assert float(qrs["ratio"]) > 2
    assert float(qrs["p_holm"]) < 0.05


def test_masks_over_frequency_have_bands_for_rows(
    pretrained: Callable[..., Path], simulated: Path, tmp_path: Path
) -> None:
    made = masks(
        pretrained("chance-bands"),
        simulated,
        also=[pretrained("chance-bands", 1)],
        task="rhythm",
        harm="linear",
        draws=4,
        shifts=199,
        records=24,
        pictures=1,
        out=tmp_path,
    )
    assert made.sentences[0].startswith("These random masks hide no band more or less")
    found = json.loads(made.json.read_text())
    names = [band["band"] for band in found["bands"]]
    assert names == ["0–0.78 Hz", "0.78–3.9 Hz", "3.9–15 Hz", "15–50 Hz"]
    assert {row["band"] for row in found["enrichments"]} == {None, *names}
    assert {row["lead"] for row in found["enrichments"]} == {None}
    for band in found["bands"]:
        assert band["chance"] == 0.5
        assert abs(band["hidden"] - 0.5) < 0.03
    with (tmp_path / "bands.csv").open() as file:
        assert [row["band"] for row in csv.DictReader(file)] == names
    assert {arm["name"] for arm in found["harm"]["arms"]} == {"none", "learned", "random", "shifted"}
    assert found["stability"][0]["other"] == "the same run, other draws"
    with pytest.raises(ConfigError, match="hides other rows"):
        masks(pretrained("chance-bands"), simulated, also=[pretrained("random")], draws=1, out=tmp_path)


def test_a_run_becomes_a_page_a_table_and_json(
    runs: dict[str, Path], simulated: Path, tmp_path: Path
) -> None:
    made = masks(
        runs["adversarial"],
        simulated,
        also=[runs["seed 1"]],
        task="rhythm",
        harm="linear",
        draws=4,
        shifts=99,
        records=40,
        pictures=1,
        out=tmp_path,
    )
    found = json.loads(made.json.read_text())
    with made.csv.open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(found["enrichments"]) == 6 * (1 + 12) * (1 + 4)
    for row, same in zip(table, found["enrichments"], strict=True):
        assert row["region"] == same["region"]
        assert (float(row["ratio"]) if row["ratio"] else None) == same["ratio"]
    assert found["groups"].keys() == {"SR", "SB", "ST", "AF"}
    afib = [r for r in found["enrichments"] if (r["group"], r["region"], r["lead"]) == ("AF", "P", None)]
    assert afib[0]["samples"] == 0
    assert [s["other"].split("-s")[0] for s in found["stability"]][1] == "adversarial"
    assert found["stability"][0]["cosine"] > found["stability"][-1]["cosine"]
    arms = {arm["name"]: arm for arm in found["harm"]["arms"]}
    assert arms.keys() == {"none", "learned", "random", "shifted"}
    assert arms["learned"]["p_value"] is None
    assert made.sentences[0] in made.html.read_text().replace("&lt;", "<")
    assert found["synthetic"] is True
    assert found["coverage"] == pytest.approx(0.5, abs=0.05)
    counts = (runs["adversarial"] / "test_reads.jsonl").read_text().splitlines()
    assert json.loads(counts[-1]) == {"task": "rhythm", "store": Store.open(simulated).digest, "reads": 13}
    assert not (runs["seed 1"] / "test_reads.jsonl").exists()


def test_records_of_the_pretraining_are_left_out(runs: dict[str, Path], simulated: Path) -> None:
    store = Store.open(simulated)
    run = open_run(runs["adversarial"], store)
    rows, split, said = unseen(run, store)
    assert split is not None
    assert set(rows) == set(split.test) | set(split.validation)
    assert str(len(rows)) in said
    run.facts["rows"] = "of another split"
    rows, split, said = unseen(run, store)
    assert (len(rows), split) == (len(store), None)
    assert "not known" in said


def test_random_masks_are_a_control_that_finds_nothing(
    runs: dict[str, Path], simulated: Path, tmp_path: Path
) -> None:
    made = masks(runs["random"], simulated, draws=1, shifts=499, pictures=0, out=tmp_path)
    assert "hide no wave more or less often than chance" in made.sentences[0]
    assert "A control" in made.html.read_text()


def test_the_same_command_gives_the_same_numbers(
    runs: dict[str, Path], simulated: Path, tmp_path: Path
) -> None:
    texts = []
    for name in ("a", "b"):
        made = masks(
            runs["adversarial"], simulated, draws=1, shifts=9, records=8, pictures=0, out=tmp_path / name
        )
        assert made.records <= 8
        texts.append(made.csv.read_text())
    assert texts[0] == texts[1]


class Peaky(MaskNet):
    """Scores a segment by the largest value of V6 in it: a hand-made network that looks for one wave."""

    def forward(self, x: Tensor, n_segments: int) -> Tensor:
        return x[:, 11:].unflatten(-1, (n_segments, -1)).amax(-1) * 3


def test_a_policy_that_looks_for_a_planted_wave_is_found_out(tmp_path: Path) -> None:
    """The T wave is planted in V6, alone; a network that scores V6's height hides T and nothing else."""
    with StoreWriter(
        tmp_path / "s", corpus="simulator", fs=100.0, duration_s=10.0, vocabulary={}, processing=[]
    ) as writer:
        for record in simulate(24, seed=9, rhythms=("SR", "SB")):
            record.signal[11] = 0
            for wave in record.waves:
                if wave.kind == "T":
                    record.signal[11, int(wave.onset_s * 100) : int(wave.offset_s * 100)] = 1.0
            writer.add(record)
        writer.commit()
    store = Store.open(tmp_path / "s")
    policy = LearnedMask(Peaky(generator=torch.Generator()), coverage=0.2, segment_s=0.1, fs=100.0)
    rows = np.arange(24)
    maps = mask_maps(policy, Batches(store).millivolts, rows, draws=4)
    tally = Tally([], n_rows=12, shifts=999, seed=0)
    regions = region_maps(store.waves, rows.tolist(), leads=store.leads, n_samples=1000, fs=100.0)
    for mask, named in zip(maps, regions, strict=True):
        tally.add(mask, named, member=np.zeros(0, dtype=bool), patient=0)
    found = {row.region: row for row in enrichments(tally, store.leads) if row.lead is None}
    assert max(found, key=lambda name: found[name].ratio) == "T"
    assert found["T"].ratio > 1.5
    assert found["T"].p_holm < 0.01
    assert found["QRS"].ratio < 0.8


def test_what_cannot_be_done_is_said(runs: dict[str, Path], simulated: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hides nothing"):
        masks(runs["simclr"], simulated, out=tmp_path)
    with pytest.raises(ConfigError, match="needs `--task`"):
        masks(runs["random"], simulated, harm="linear", out=tmp_path)
    with pytest.raises(ConfigError, match="--draws must be at least 1; got 0"):
        masks(runs["random"], simulated, draws=0, out=tmp_path)
    with pytest.raises(CheckpointError, match="no such file"):
        masks(tmp_path, simulated, out=tmp_path)
    assert not (tmp_path / "masks.html").exists()


def test_a_store_of_another_rate_or_without_marks_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    import dataclasses

    for fs, name in ((200.0, "fast"), (100.0, "bare")):
        with StoreWriter(
            tmp_path / name, corpus="own", fs=fs, duration_s=10.0, vocabulary={}, processing=[]
        ) as writer:
            for record in simulate(4, seed=1, fs=fs):
                writer.add(dataclasses.replace(record, waves=()))
            writer.commit()
    with pytest.raises(ConfigError, match="200 Hz") as raised:
        masks(runs["random"], tmp_path / "fast", out=tmp_path)
    assert "--fs 100" in (raised.value.hint or "")
    with pytest.raises(StoreError, match="has no wave marks"):
        masks(runs["random"], tmp_path / "bare", marks="store", out=tmp_path)


def test_a_damaged_run_is_refused(runs: dict[str, Path], simulated: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs["adversarial"], run)
    facts = json.loads((run / "config.json").read_text())
    facts["mask_network"]["width"] = 16
    (run / "config.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match="does not fit its config"):
        masks(run, simulated, out=tmp_path)
    del facts["input"]
    (run / "config.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match="not that of a run"):
        masks(run, simulated, out=tmp_path)


def test_hidden_rows_are_the_records_hidden(runs: dict[str, Path], simulated: Path) -> None:
    from ecglipse.commands._mask_harm import ARMS, Hidden

    store = Store.open(simulated)
    batches = Batches(store)
    hidden = Hidden(OnStore(open_run(runs["adversarial"], store), batches), draws=2)
    rows = np.array([3, 8, 21])
    more = hidden.rows(rows)
    assert len(more) == 3 * (1 + 2 * len(ARMS))
    x = hidden(more).unflatten(0, (-1, 3))
    torch.testing.assert_close(x[0], batches.millivolts(rows))
    for k in range(1, len(x)):
        changed = (x[k] != x[0]).float().mean(-1)
        assert 0.3 < changed.mean() <= 0.51
    parts = hidden.split(np.arange(len(more) * 2, dtype=float).reshape(-1, 2), 3)
    assert parts["none"].shape == parts["shifted"].shape == (2, 3, 2)
    np.testing.assert_array_equal(parts["learned"][0, 0], [6, 7])
