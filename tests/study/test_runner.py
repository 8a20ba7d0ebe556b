"""Processes of a study: they do the units, and none outlives the study."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ecglipse.errors import ConfigError, TrainingError
from ecglipse.study import Unit
from ecglipse.study.runner import TRIES, run

UNITS = [Unit(name, 0, 0) for name in ("a", "b", "c")]

KILLED = """
import os, signal, sys, time
from ecglipse.study import Unit
from ecglipse.study.runner import run

def work(unit):
    open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
    time.sleep(60)
    return 1

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background

if __name__ == "__main__":
    list(run(work, [Unit("a", 0, 0), Unit("b", 0, 0)], workers=2))
"""


def count(unit: Unit) -> int:
    return len(unit.method)


def die_over_a(place: Path, times: int, unit: Unit) -> int:
    """Note that a unit is begun; die over unit `a` the first few times."""
    begun = len(list(place.glob(f"{unit.method}-*")))
    (place / f"{unit.method}-{begun}").touch()
    if unit.method == "a" and begun < times:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1


def refuse_a(unit: Unit) -> int:
    """Raise over unit `a`."""
    if unit.method == "a":
        raise ConfigError("no such thing", hint="take another")
    return 1


class Unsendable(Exception):
    """It can be pickled and not unpickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def raise_unsendable(unit: Unit) -> int:
    raise Unsendable("cannot ", "travel")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_unit_is_done(workers: int) -> None:
    assert {unit.method: new for unit, new in run(count, UNITS, workers=workers)} == {"a": 1, "b": 1, "c": 1}


def test_the_unit_of_a_dead_worker_is_done_by_another(tmp_path: Path) -> None:
    done = [unit.method for unit, _ in run(partial(die_over_a, tmp_path, TRIES - 1), UNITS, workers=2)]
    assert sorted(done) == ["a", "b", "c"]
    begun = sorted(path.name for path in tmp_path.iterdir())
    assert begun == [*(f"a-{n}" for n in range(TRIES)), "b-0", "c-0"], "others are not begun again"


def test_a_unit_that_ends_every_worker_is_said_once_all_others_are_done(tmp_path: Path) -> None:
    running = run(partial(die_over_a, tmp_path, 99), UNITS, workers=2)
    assert {next(running)[0].method, next(running)[0].method} == {"b", "c"}
    with pytest.raises(TrainingError, match=r"1 encoder not done.*a seed 0 rotation 0; all others") as caught:
        next(running)
    assert len(list(tmp_path.glob("a-*"))) == TRIES
    assert "run the same command again" in str(caught.value)


def test_an_error_of_the_work_comes_through_with_its_hint_and_its_place() -> None:
    with pytest.raises(ConfigError, match="no such thing") as caught:
        list(run(refuse_a, UNITS, workers=2))
    assert caught.value.hint == "take another"
    assert "in refuse_a" in "".join(caught.value.__notes__)


def test_an_error_that_cannot_travel_comes_through_by_its_words() -> None:
    with pytest.raises(TrainingError, match="cannot travel"):
        list(run(raise_unsendable, UNITS, workers=2))


def test_workers_end_with_a_study_that_is_killed(tmp_path: Path) -> None:
    script, places = tmp_path / "killed.py", tmp_path / "pids"
    script.write_text(KILLED, encoding="utf-8")
    places.mkdir()
    study = subprocess.Popen([sys.executable, str(script), str(places)])
    for _ in range(2400):
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
    for _ in range(2400):
        if len(list(places.iterdir())) == 2:
            break
        time.sleep(0.05)
    os.killpg(study.pid, signal.SIGINT)
    study.communicate(timeout=120)
    assert study.returncode != 0
    assert not any(alive(int(path.name)) for path in places.iterdir())


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
