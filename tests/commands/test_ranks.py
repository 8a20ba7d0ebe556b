"""`pretrain` in two processes, as torchrun starts them: one run on disk, one end for both."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ecglipse.checkpoints import problems
from ecglipse.commands import pretrain, study
from ecglipse.commands._ranks import asked_for, speaks
from ecglipse.config import check, load
from ecglipse.errors import ConfigError

TOML = """
name = "r"
store = "{store}"
out = "{out}"
[split]
kind = "patients"
[encoder]
width = 8
dim = 16
projection_hidden = 32
projection_dim = 16
[mask_network]
width = 8
[pretrain]
epochs = 8
batch = 16
objective = "moco"
checkpoint_every_s = 1e-6
[objective]
queue = 32
[methods.adversarial]
masks = "adversarial"
"""


def start(config: Path, *, rank: int, port: int) -> subprocess.Popen[bytes]:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}
    environment = os.environ | {name: str(value) for name, value in names.items()}
    environment |= {"MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ecglipse", "pretrain", str(config)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_signal_to_one_process_ends_both_with_all_saved_and_any_number_goes_on(
    simulated: Path, tmp_path: Path
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(TOML.format(store=simulated, out=tmp_path / "o"), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [start(path, rank=rank, port=port) for rank in (0, 1)]
    while not list(tmp_path.glob("o/runs/*/checkpoints/step-*")):
        assert all(process.poll() is None for process in processes), processes[0].communicate()
        time.sleep(0.02)
    processes[1].send_signal(signal.SIGTERM)
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [75, 75], said
    assert [out for out, _ in said] == [b"", b""]
    assert b"stopped by another process after step" in said[0][1]
    assert b"stopped by SIGTERM after step" in said[1][1]
    (run,) = (tmp_path / "o" / "runs").iterdir()
    assert problems(run) == []
    assert json.loads((run / "provenance.json").read_text())["ranks"] == 2
    done = len((run / "steps.jsonl").read_text().splitlines())
    made = pretrain(load(path), progress=False)
    assert made.run == run
    assert made.resumed_from == done > 0
    steps = [json.loads(line)["step"] for line in (run / "steps.jsonl").read_text().splitlines()]
    assert steps == list(range(1, made.steps + 1))


def test_alone_or_first_a_process_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    cases: list[tuple[dict[str, Any], int, bool]] = [
        ({}, 1, True),
        ({"RANK": "3"}, 1, True),
        ({"RANK": "0", "WORLD_SIZE": "4"}, 4, True),
        ({"RANK": "3", "WORLD_SIZE": "4"}, 4, False),
    ]
    for environment, many, voice in cases:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert (asked_for(), speaks()) == (many, voice)


def test_a_study_under_torchrun_is_refused(tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="`study` was started 2 times at once by torchrun"):
        study(check(tiny, where="tiny"))
