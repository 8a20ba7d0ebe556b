"""Ray as executor: the same ledger to the byte, but for times and order, even when a worker is killed."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecglipse.errors import ConfigError
from ecglipse.study import Unit, on_ray

CONFIG = """
name = "ray"
store = "{store}"
out = "study"
[split]
kind = "patients"
[encoder]
width = 8
dim = 16
[methods.random-init]
kind = "init"
[transfer]
tasks = ["sex"]
fractions = [0.5, 1.0]
draws = 8
probes = ["linear"]
[study]
seeds = [0, 1, 2]
workers = 2
leaks = "mark"
"""
MOVES = ("time", "seconds")
"""Fields of a line that say when and how fast it was computed."""


def lines(folder: Path) -> set[str]:
    """The ledger's lines, but for what must differ. They hold a hash of the predictions."""
    texts = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [{key: value for key, value in json.loads(text).items() if key not in MOVES} for text in texts]
    return {json.dumps(line) for line in kept}


def descendants(pid: int) -> list[int]:
    """Processes below one."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [p for child in map(int, children) for p in (child, *descendants(child))]


def at_work(pid: int) -> list[int]:
    """Ray's workers of a study that are doing a unit: Ray writes the task into a process's title."""
    found = []
    for one in descendants(pid):
        try:
            if Path(f"/proc/{one}/cmdline").read_bytes().startswith(b"ray::_do"):
                found.append(one)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: `ecglipse[ray]`")
def test_ray_writes_the_same_ledger_and_survives_a_killed_worker(simulated: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecglipse", "study", "ray.toml"]
    folders = [tmp_path / "local", tmp_path / "ray"]
    for folder in folders:
        folder.mkdir()
        (folder / "ray.toml").write_text(CONFIG.format(store=simulated), encoding="utf-8")
    subprocess.run(command, cwd=folders[0], check=True, stderr=subprocess.DEVNULL)
    ledger = folders[1] / "study" / "results.jsonl"
    with subprocess.Popen(
        [*command, "--executor", "ray"], cwd=folders[1], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as study:
        while study.poll() is None and not (ledger.exists() and ledger.read_bytes().count(b"\n") >= 2):
            time.sleep(0.002)
        found = at_work(study.pid)
        for one in found[:1]:
            os.kill(one, signal.SIGKILL)
        there = ledger.read_bytes().count(b"\n") if ledger.exists() else 0
        _, said = study.communicate()
    assert study.returncode == 0, said.decode()
    assert found
    assert there < 27, "a worker was killed before all was done"
    same = [lines(folder / "study") for folder in folders]
    assert len(same[0]) == 27
    assert same[0] == same[1]


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_it_is_said_how_to_get_it() -> None:
    with pytest.raises(ConfigError, match="Ray is not installed"):
        list(on_ray.run(len, [Unit("a", 0, 0)], workers=1))
