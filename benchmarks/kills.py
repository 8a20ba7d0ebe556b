"""A study killed again and again at random instants ends with the ledger of one that was left alone.

Some 500 small cells on simulated recordings: once undisturbed, once with SIGKILL to all its processes, the
same command again after each. A kill comes once the ledger has grown to a random number of lines, and a
random moment of up to 50 ms later (both seeded), so that each lands in the midst of the cells. Compared are
cells, metrics, chosen settings and predictions; times and order may differ. One JSON line; exit code 1 if
anything differs.

    python benchmarks/kills.py [--kills 50] [--folder DIR]
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
from pathlib import Path

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
[methods.random-init]
kind = "init"
[transfer]
tasks = ["sex", "rhythm"]
fractions = [0.25, 0.5, 1.0]
draws = 10
probes = ["linear", "knn"]
[study]
seeds = [0, 1, 2, 3, 4, 5]
workers = 2
leaks = "mark"
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


def content(folder: Path) -> dict[str, str]:
    """What a ledger says, by cell: a hash of all that must not depend on when it was computed."""
    ledger, found = Ledger(folder), {}
    for line in ledger.lines():
        scores = ledger.predictions(line).scores.tobytes()
        text = json.dumps({key: line[key] for key in COMPARED}, sort_keys=True)
        found[line["cell"]] = hashlib.sha256(text.encode() + scores).hexdigest()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    place = given.folder or Path(tempfile.mkdtemp())
    write_simulated_store(place / "store", 160, seed=3)
    configs = {}
    for name in ("alone", "killed"):
        configs[name] = place / f"{name}.toml"
        configs[name].write_text(CONFIG.format(store=place / "store", out=place / name), encoding="utf-8")
    began = time.monotonic()
    if start(configs["alone"]).wait() != 0:
        sys.exit("the undisturbed study failed")
    whole_s, rng, kills = time.monotonic() - began, numpy_rng(0, "kills"), 0
    cells = lines(place / "alone")
    for number in sorted(rng.integers(1, cells - given.kills, size=given.kills).tolist()):
        running, wanted = start(configs["killed"]), max(number, lines(place / "killed") + 1)
        while running.poll() is None and lines(place / "killed") < wanted:
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 0.05)))
        kills += running.poll() is None and lines(place / "killed") < cells
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    if start(configs["killed"]).wait() != 0:
        sys.exit("the study failed after the last kill")
    alone, killed = content(place / "alone"), content(place / "killed")
    same = alone == killed
    line = {"cells": len(alone), "kills_in_the_midst": kills, "same_ledger": same}
    print(json.dumps(line | {"whole_s": round(whole_s, 1), "s": round(time.monotonic() - began, 1)}))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
