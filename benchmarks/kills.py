"""A study killed again and again at random instants ends with the ledger of one that was left alone.

Small encoders on simulated recordings, with all that a study does: pretraining (SimCLR, an adversary and
random masks), linear probes, neighbours, fine-tuning, disturbed recordings and waves under masks. Once
undisturbed, once with SIGKILL to all its processes, the same command again after each. A kill comes once the
study has done a random amount of work more, counted in checkpoints, ledger lines and pages, and a random
moment of up to 50 ms later (both seeded). Compared are cells, metrics, chosen settings, predictions, steps
of pretraining and what the masks hide, to the bit; times and order may differ. One JSON line, with the kills
by what was going on; exit code 1 if anything differs.

    python benchmarks/kills.py [--kills 50] [--seconds S] [--workers 2] [--folder DIR]
"""

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ecglipse.checkpoints import latest_checkpoint
from ecglipse.commands._demo import write_simulated_store
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
projection_hidden = 32
projection_dim = 16
[mask_network]
width = 8
[pretrain]
epochs = 2
batch = 16
checkpoint_every_s = 1e-6
[methods.random-init]
kind = "init"
[methods.scratch]
kind = "scratch"
[methods.simclr]
[methods.random]
masks = "random"
leads = "per-lead"
[methods.adversarial]
masks = "adversarial"
leads = "per-lead"
[transfer]
tasks = ["sex", "rhythm"]
fractions = [0.25, 1.0]
draws = 4
probes = ["linear", "knn", "finetune"]
finetune_draws = 2
finetune_epochs = 2
robustness = true
[study]
seeds = [0, 1]
workers = {workers}
leaks = "mark"
gallery = 1
waves = ["{store}"]
"""
COMPARED = ("metrics", "per_class", "chosen", "n_train", "split", "store")


def start(config: Path) -> "subprocess.Popen[bytes]":
    """Start the study in a process group of its own."""
    command = [sys.executable, "-m", "ecglipse", "study", str(config)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def lines(folder: Path) -> int:
    """Finished lines of a ledger."""
    path = folder / "results.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def work(folder: Path) -> tuple[int, int, int]:
    """What a study has done: steps of pretraining, lines of its ledger, pages of masks."""
    steps = sum(path.read_bytes().count(b"\n") for path in folder.glob("runs/*/steps.jsonl"))
    return steps, lines(folder), len(list(folder.glob("runs/*/masks-*/masks.html")))


def content(folder: Path) -> dict[str, str]:
    """What a study says, by cell, run and page: a hash of all that must not depend on when it was done."""
    ledger, found = Ledger(folder), {}
    for line in ledger.lines():
        scores = ledger.predictions(line).scores.tobytes()
        text = json.dumps({key: line[key] for key in COMPARED}, sort_keys=True)
        found[line["cell"]] = hashlib.sha256(text.encode() + scores).hexdigest()
    for run in folder.glob("runs/*"):
        last = latest_checkpoint(run)
        assert last is not None, run
        tensors = (last.tensors[name].numpy().tobytes() for name in sorted(last.tensors))
        found[run.name] = hashlib.sha256(b"".join(tensors)).hexdigest()
    for path in folder.glob("runs/*/masks-*/masks.json"):
        said = json.loads(path.read_text(encoding="utf-8"))
        kept = {key: said[key] for key in ("enrichments", "stability", "coverage", "records")}
        found[str(path.relative_to(folder))] = hashlib.sha256(json.dumps(kept).encode()).hexdigest()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="kill no more after so long")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    place = given.folder or Path(tempfile.mkdtemp())
    write_simulated_store(place / "store", 160, seed=3)
    configs = {}
    for name in ("alone", "killed"):
        configs[name] = place / f"{name}.toml"
        text = CONFIG.format(store=place / "store", out=place / name, workers=given.workers)
        configs[name].write_text(text, encoding="utf-8")
    began = time.monotonic()
    if start(configs["alone"]).wait() != 0:
        sys.exit("the undisturbed study failed")
    whole_s, rng, during = time.monotonic() - began, numpy_rng(0, "kills"), Counter[str]()
    whole, cells = sum(work(place / "alone")), lines(place / "alone")
    for number in sorted(rng.integers(1, whole - given.kills, size=given.kills).tolist()):
        if time.monotonic() - began > given.seconds:
            break
        running, before = start(configs["killed"]), work(place / "killed")
        wanted = max(number, sum(before) + 1)
        while running.poll() is None and sum(work(place / "killed")) < wanted:
            time.sleep(0.002)
        last = work(place / "killed")
        time.sleep(float(rng.uniform(0, 0.05)))
        if running.poll() is None:
            during[_at(before, last, cells)] += 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    if start(configs["killed"]).wait() != 0:
        sys.exit("the study failed after the last kill")
    alone, killed = content(place / "alone"), content(place / "killed")
    same = alone == killed
    line = {"cells": cells, "things_compared": len(alone), "kills": dict(during), "same": same}
    print(json.dumps(line | {"whole_s": round(whole_s, 1), "s": round(time.monotonic() - began, 1)}))
    sys.exit(0 if same else 1)


def _at(before: tuple[int, int, int], now: tuple[int, int, int], cells: int) -> str:
    """What a study was at when it was killed, by what it had done last."""
    steps, read, pages = (b > a for a, b in zip(before, now, strict=True))
    if pages or now[1] == cells:
        return "waves"
    return "pretraining and readings" if steps and read else "pretraining" if steps else "readings"


if __name__ == "__main__":
    main()
