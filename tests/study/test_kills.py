"""A study killed at random instants ends with the ledger of one that was left alone."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

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
workers = 1
leaks = "mark"
"""


def run(config: Path, *, until: int | None, folder: Path) -> bool:
    """Run the study; kill it once so many lines of its ledger stand there. True: it was killed."""
    command = [sys.executable, "-m", "ecglipse", "study", str(config)]
    lines = folder / "results.jsonl"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as running:
        while running.poll() is None:
            if until is not None and lines.exists() and lines.read_bytes().count(b"\n") >= until:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                return running.returncode == -signal.SIGKILL
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


def test_a_killed_study_ends_like_an_undisturbed_one(simulated: Path, tmp_path: Path) -> None:
    configs = {name: tmp_path / f"{name}.toml" for name in ("alone", "killed")}
    for name, path in configs.items():
        path.write_text(CONFIG.format(store=simulated, out=tmp_path / name), encoding="utf-8")
    run(configs["alone"], until=None, folder=tmp_path / "alone")
    instants = sorted(int(n) for n in numpy_rng(0, "kills").integers(1, 34, size=2))
    landed = [run(configs["killed"], until=n, folder=tmp_path / "killed") for n in instants]
    assert any(landed)
    run(configs["killed"], until=None, folder=tmp_path / "killed")
    alone = content(tmp_path / "alone")
    assert len(alone) == 2 * 2 * 9
    assert content(tmp_path / "killed") == alone
