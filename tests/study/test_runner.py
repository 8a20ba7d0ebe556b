"""Processes of a study: they do the units, and none outlives the study."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecglipse.errors import TrainingError
from ecglipse.study import Unit
from ecglipse.study.runner import run

UNITS = [Unit(name, 0, 0) for name in ("a", "b", "c")]

KILLED = """
import os, sys, time
from ecglipse.study import Unit
from ecglipse.study.runner import run

def work(unit):
    open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
    time.sleep(60)
    return 1

if __name__ == "__main__":
    list(run(work, [Unit("a", 0, 0), Unit("b", 0, 0)], workers=2))
"""


def count(unit: Unit) -> int:
    return len(unit.method)


def die(unit: Unit) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("workers", [1, 2])
def test_every_unit_is_done(workers: int) -> None:
    assert {unit.method: new for unit, new in run(count, UNITS, workers=workers)} == {"a": 1, "b": 1, "c": 1}


def test_a_dead_worker_is_said_with_what_to_do() -> None:
    with pytest.raises(TrainingError, match="a worker process died") as caught:
        list(run(die, UNITS, workers=2))
    assert "run the same command again" in str(caught.value)


def test_workers_end_with_a_study_that_is_killed(tmp_path: Path) -> None:
    script, places = tmp_path / "killed.py", tmp_path / "pids"
    script.write_text(KILLED, encoding="utf-8")
    places.mkdir()
    study = subprocess.Popen([sys.executable, str(script), str(places)])
    for _ in range(600):
        if len(list(places.iterdir())) == 2:
            break
        time.sleep(0.05)
    workers = [int(path.name) for path in places.iterdir()]
    assert len(workers) == 2
    study.kill()
    study.wait()
    for _ in range(200):
        if not any(alive(worker) for worker in workers):
            break
        time.sleep(0.05)
    assert not any(alive(worker) for worker in workers)


def test_a_study_that_is_interrupted_ends_its_workers_and_itself(tmp_path: Path) -> None:
    script, places = tmp_path / "interrupted.py", tmp_path / "pids"
    script.write_text(KILLED, encoding="utf-8")
    places.mkdir()
    study = subprocess.Popen(
        [sys.executable, str(script), str(places)], stderr=subprocess.PIPE, start_new_session=True
    )
    for _ in range(600):
        if len(list(places.iterdir())) == 2:
            break
        time.sleep(0.05)
    os.killpg(study.pid, signal.SIGINT)
    study.communicate(timeout=30)
    assert study.returncode != 0
    assert not any(alive(int(path.name)) for path in places.iterdir())


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
