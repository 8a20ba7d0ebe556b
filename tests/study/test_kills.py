"""A study killed at random instants, or of which a worker is, ends with the ledger of one left alone."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ecglipse.commands import study
from ecglipse.config import load
from ecglipse.results import Ledger
from ecglipse.seeding import numpy_rng

CONFIG = """
name = "kills"
store = "{store}"
out = "{out}"
[split]
kind = "patients"
[encoder]
width = 8
dim = 16
[methods.random-init]
kind = "init"
[transfer]
tasks = ["sex", "rhythm"]
fractions = [0.5, 1.0]
draws = 8
probes = ["linear"]
[study]
seeds = [0, 1]
workers = {workers}
leaks = "mark"
"""


def run(path: Path, *, until: int | None, folder: Path) -> bool:
    """Run the study; kill it once so many lines of its ledger stand there. True: it was killed."""
    command = [sys.executable, "-m", "ecglipse", "study", str(path)]
    lines = folder / "results.jsonl"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as running:
        while running.poll() is None:
            if until is not None and lines.exists() and lines.read_bytes().count(b"\n") >= until:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                return running.returncode == -signal.SIGKILL
            time.sleep(0.002)
        assert running.returncode == 0
    return False


def content(folder: Path) -> dict[str, str]:
    """What a ledger says by cell, but for times."""
    ledger, found = Ledger(folder), {}
    for line in ledger.lines():
        kept: dict[str, Any] = {key: line[key] for key in ("metrics", "per_class", "chosen", "n_train")}
        scores = ledger.predictions(line).scores.tobytes()
        found[line["cell"]] = hashlib.sha256(json.dumps(kept, sort_keys=True).encode() + scores).hexdigest()
    return found


def config(folder: Path, *, store: Path, workers: int) -> Path:
    """The config of a study into `folder`, as a file beside it."""
    path = folder.with_suffix(".toml")
    path.write_text(CONFIG.format(store=store, out=folder, workers=workers), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def alone(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The content of a study that nothing disturbs."""
    folder = tmp_path_factory.mktemp("alone") / "study"
    study(load(config(folder, store=simulated, workers=1)), progress=False)
    found = content(folder)
    assert len(found) == 2 * 2 * 9
    return found


def test_a_killed_study_ends_like_an_undisturbed_one(
    simulated: Path, tmp_path: Path, alone: dict[str, str]
) -> None:
    folder = tmp_path / "killed"
    path = config(folder, store=simulated, workers=1)
    instants = sorted(int(n) for n in numpy_rng(0, "kills").integers(1, 34, size=2))
    landed = [run(path, until=n, folder=folder) for n in instants]
    assert any(landed)
    run(path, until=None, folder=folder)
    assert content(folder) == alone


def workers(pid: int) -> list[int]:
    """The worker processes of a study."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            found.append(int(child))
    return found


def test_a_study_goes_on_without_a_killed_worker(
    simulated: Path, tmp_path: Path, alone: dict[str, str]
) -> None:
    """One of two workers is killed in the midst of its cells: the same command ends with all of them."""
    lines = tmp_path / "killed" / "results.jsonl"
    path = config(tmp_path / "killed", store=simulated, workers=2)
    command = [sys.executable, "-m", "ecglipse", "study", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as running:
        while running.poll() is None and not (lines.exists() and lines.read_bytes().count(b"\n") >= 3):
            time.sleep(0.001)
        before = workers(running.pid)
        os.kill(before[0], signal.SIGKILL)
        there = lines.read_bytes().count(b"\n")
        running.communicate()
    assert running.returncode == 0
    assert len(before) == 2
    assert there < 2 * 18, "the worker was killed before all was done"
    assert content(tmp_path / "killed") == alone
