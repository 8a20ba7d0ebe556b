"""Benchmarks that are commands: they run on any machine, and their figures can be what they say."""

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def line(name: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    (only,) = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(only)
    assert found["name"] == name
    return found


def test_gpu_runs_on_a_cpu_and_its_figures_hang_together() -> None:
    found = line("gpu", "--device", "cpu", "--quick", "--rounds", "1", "--batches", "4", "8")
    assert found["device"] == "cpu"
    assert found["parameters"] == 65_936  # of width 8 and 64 features
    assert found["time"] == 500
    assert found["copy_gb_per_s"] > 0.1
    assert [(run["precision"], run["batch"]) for run in found["runs"]] == [
        (precision, batch) for precision in ("bf16", "fp32") for batch in (4, 8)
    ]
    for run in found["runs"]:
        assert 0 < run["data_path_share"] < 1
        assert 0.3 < run["ratio_vs_simclr"] < 20
        assert run["simclr_records_per_s"] > 0
        assert run["host_waits_per_step"] is None
        assert run["peak_mib"] > 50
    for precision in ("bf16", "fp32"):
        rate = found[f"records_per_s_{precision}"]
        assert rate == max(r["records_per_s"] for r in found["runs"] if r["precision"] == precision)
        assert math.isclose(found[f"minutes_for_20000_x_100_{precision}"], 2e6 / rate / 60, rel_tol=0.01)
        done = rate * found[f"gflop_per_record_{precision}"]
        assert math.isclose(
            found[f"share_of_gemm_{precision}"], done / found[f"gemm_gflops_{precision}"], rel_tol=0.05
        )
    # two views forward and backward of a network of 0.0049 GFLOP; the first layer's input needs no gradient
    assert 0.025 < found["gflop_per_record_fp32"] < 0.045
    assert found["mb_per_record_bf16"] < found["mb_per_record_fp32"]


def test_watch_names_each_planted_fault_and_no_healthy_run() -> None:
    found = line("watch", "--seeds", "1", "--steps", "40", "--look-every", "20", "--batch", "8")
    assert found["faults_named"] == found["faults"] == 9
    assert set(found["named_at_step"].values()) <= {20, 40}
    assert found["looks"] == 2
    assert found["alarms"] == 0
    assert not found["said"]


def auroc(truth: np.ndarray, scores: np.ndarray) -> float:
    """By hand: the share of pairs of a positive and a negative in which the positive is higher."""
    pairs = scores[truth == 1][:, None] - scores[truth == 0][None]
    return float((pairs > 0).mean() + 0.5 * (pairs == 0).mean())


def test_batch_metrics_are_the_mean_over_batches_less_the_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300).astype(np.uint8)
    scores = 1 / (1 + np.exp(-(truth - 0.5 + rng.normal(0, 1, 300))))
    scores[256:] *= 0.1  # a drift: each batch is in order, both together are not
    cell = {"probe": "linear", "task_kind": "binary", "disturbance": "", "predictions": "p.npz"}
    np.savez(tmp_path / "p.npz", truth=truth[:, None], scores=scores[:, None].astype(np.float32))
    np.savez(tmp_path / "q.npz", truth=truth[:256, None], scores=scores[:256, None].astype(np.float32))
    lines = [
        cell | {"task": "drift"},
        cell | {"task": "one batch", "predictions": "q.npz"},
        cell | {"task": "not read", "probe": "knn"},
    ]
    (tmp_path / "results.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    found = line("batch_metrics", str(tmp_path))
    assert found["cells"] == 2
    parts = [slice(0, 256), slice(256, 300)]
    batched = sum(len(truth[p]) * auroc(truth[p], scores[p]) for p in parts) / 300
    wanted = batched - auroc(truth, scores)
    assert wanted > 0.02
    by_task = found["auroc_by_batches_minus_whole"]
    assert math.isclose(by_task["drift"]["mean"], wanted, abs_tol=1e-4)
    assert by_task["one batch"] == {"mean": 0.0, "largest": 0.0, "n": 1}
    cut = 1 / (1 + math.exp(-0.5))
    lost = float(((scores > cut) == truth).mean() - ((scores > 0.5) == truth).mean())
    assert lost != 0
    assert math.isclose(found["accuracy_at_logit_half_minus_at_0"]["drift"], lost, abs_tol=1e-4)


def test_a_plain_subset_begins_every_larger_one_and_minds_no_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    plain = importlib.import_module("plain_subsets")
    small, large = (plain.plain_subset(1000, share, draw=3) for share in (0.02, 0.1))
    assert len(small) == 20
    assert np.array_equal(large[:20], small)
    assert not np.array_equal(plain.plain_subset(1000, 0.02, draw=4), small)
    rare = np.arange(1000) < 20  # 2 % of the records; a stratified 2 % holds one at least
    without = [not rare[plain.plain_subset(1000, 0.02, draw=draw)].any() for draw in range(200)]
    assert math.isclose(sum(without) / 200, 0.98**20, abs_tol=0.12)
    truth = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], dtype=np.uint8)
    assert (
        plain.macro(truth, np.array([[3.0, 0], [1, 1], [0, 2], [2, 3]])) == 0.5
    )  # the other has no positive
