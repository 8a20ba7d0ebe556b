"""A run killed at any moment and started again by the same command ends with the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from ecglipse.checkpoints import latest_checkpoint
from ecglipse.commands import pretrain
from ecglipse.config import check

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
epochs = {epochs}
batch = 16
accumulate = 2
checkpoint_every_s = 1e-6
[methods.adversarial]
masks = "adversarial"
leads = "per-lead"
"""


def run_of(out: Path) -> Path:
    (run,) = (out / "runs").iterdir()
    return run


def start(config: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ecglipse", "pretrain", str(config)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_killed_runs_end_with_the_same_bits(simulated: Path, tmp_path: Path) -> None:
    configs = {}
    for name in ("straight", "killed"):
        configs[name] = tmp_path / f"{name}.toml"
        text = TOML.format(store=simulated, out=tmp_path / name, epochs=30)
        configs[name].write_text(text, encoding="utf-8")
    first = start(configs["straight"])
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err.decode()
    kills = 0
    for wanted in (8, 41, 74):
        process = start(configs["killed"])
        log = None
        while process.poll() is None:
            runs = list((tmp_path / "killed" / "runs").glob("*"))
            log = runs[0] / "steps.jsonl" if runs else None
            if log and log.is_file() and log.read_bytes().count(b"\n") >= wanted:
                process.send_signal(signal.SIGKILL)
                kills += process.wait() == -signal.SIGKILL
                break
            time.sleep(0.005)
        process.communicate()
    assert kills >= 2
    last = start(configs["killed"])
    out, err = last.communicate(timeout=120)
    assert last.returncode == 0, err.decode()
    assert b"resumed from step" in out
    straight, killed = run_of(tmp_path / "straight"), run_of(tmp_path / "killed")
    assert (straight / "steps.jsonl").read_bytes() == (killed / "steps.jsonl").read_bytes()
    one, other = latest_checkpoint(straight), latest_checkpoint(killed)
    assert one is not None
    assert other is not None
    assert one.counters == other.counters
    assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())
    assert (straight / "masks.npz").read_bytes() == (killed / "masks.npz").read_bytes()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_a_signal_ends_the_step_saves_it_and_says_how_to_go_on(
    simulated: Path, tmp_path: Path, name: str
) -> None:
    config = tmp_path / "c.toml"
    text = TOML.format(store=simulated, out=tmp_path / "o", epochs=400).replace("1e-6", "3600")
    config.write_text(text, encoding="utf-8")
    process = start(config)
    while process.poll() is None and not list(tmp_path.glob("o/runs/*/provenance.json")):
        time.sleep(0.01)
    time.sleep(1.0)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 75, err.decode()
    assert out == b""
    assert f"stopped by {name} after step" in err.decode()
    assert "run the same command again" in err.decode()
    found = latest_checkpoint(run_of(tmp_path / "o"))
    steps = (run_of(tmp_path / "o") / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    assert found is not None
    assert found.counters["step"] == json.loads(steps[-1])["step"] == len(steps) > 0


def test_another_seed_ends_elsewhere(tiny: dict[str, Any]) -> None:
    """Negative control, and the same call again finds the run finished."""
    tiny["pretrain"]["epochs"] = 1
    config = check(tiny, where="tiny")
    one, other = (pretrain(config, method="simclr", seed=seed) for seed in (0, 1))
    assert one.run != other.run
    a, b = latest_checkpoint(one.run), latest_checkpoint(other.run)
    assert any(not torch.equal(tensor, b.tensors[name]) for name, tensor in a.tensors.items())
    again = pretrain(config, method="simclr", seed=0)
    assert again.run == one.run
    assert again.loss is None
    assert again.resumed_from == one.steps


def test_a_damaged_newest_checkpoint_costs_an_interval_and_not_the_run(tiny: dict[str, Any]) -> None:
    config = check(tiny, where="tiny")
    made = pretrain(config, method="adversarial-per-lead")
    lines = (made.run / "steps.jsonl").read_bytes()
    newest = latest_checkpoint(made.run)
    weights = newest.path / "state.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    again = pretrain(config, method="adversarial-per-lead")
    assert 0 < again.resumed_from < again.steps
    assert (made.run / "steps.jsonl").read_bytes() == lines
    repaired = latest_checkpoint(made.run)
    assert all(torch.equal(tensor, repaired.tensors[name]) for name, tensor in newest.tensors.items())


def test_an_edited_run_is_refused(tiny: dict[str, Any]) -> None:
    from ecglipse.errors import CheckpointError

    tiny["pretrain"]["epochs"] = 1
    config = check(tiny, where="tiny")
    made = pretrain(config, method="simclr")
    facts = json.loads((made.run / "config.json").read_text())
    facts["pretrain"]["temperature"] = 0.5
    (made.run / "config.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(CheckpointError, match="holds a run of another config"):
        pretrain(config, method="simclr")


def test_a_run_is_written_by_one_process_at_a_time(tiny: dict[str, Any]) -> None:
    from ecglipse.checkpoints import alone
    from ecglipse.errors import CheckpointError

    tiny["pretrain"]["epochs"] = 1
    config = check(tiny, where="tiny")
    made = pretrain(config, method="simclr")
    with alone(made.run), pytest.raises(CheckpointError, match="another process is writing this run"):
        pretrain(config, method="simclr")
    assert pretrain(config, method="simclr").loss is None
