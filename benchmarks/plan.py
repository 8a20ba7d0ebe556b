"""How far `ecglipse study --plan` is from the truth: a small study planned, then run.

One JSON line: seconds and memory that were foreseen, seconds that it took, those of them that it had a core
(on a busy machine the better measure, of one worker), and the ratio of what was foreseen to each.

    python benchmarks/plan.py [--epochs 40] [--workers 1]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from ecglipse.commands import study
from ecglipse.commands._demo import write_simulated_store
from ecglipse.config import check


def content(folder: Path, *, epochs: int, workers: int) -> dict[str, object]:
    """The study: each kind of work is in it."""
    return {
        "name": "plan",
        "store": str(folder / "store"),
        "out": str(folder / "study"),
        "split": {"kind": "patients"},
        "encoder": {"width": 8, "dim": 32},
        "pretrain": {"epochs": epochs, "batch": 32},
        "methods": {
            "majority": {"kind": "majority"},
            "handcrafted": {"kind": "handcrafted"},
            "random-init": {"kind": "init"},
            "scratch": {"kind": "scratch"},
            "simclr": {},
            "adversarial": {"masks": "adversarial", "leads": "per-lead"},
        },
        "transfer": {
            "tasks": ["sex", "rhythm"],
            "fractions": [0.25, 0.5, 1.0],
            "draws": 3,
            "probes": ["linear", "knn", "finetune"],
            "finetune_draws": 1,
            "finetune_epochs": 5,
            "robustness": True,
        },
        "study": {"workers": workers, "leaks": "mark", "waves": [str(folder / "store")]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_simulated_store(Path(name) / "store", 320, seed=3)
        config = check(content(Path(name), epochs=given.epochs, workers=given.workers), where="plan")
        began = time.monotonic()
        plan = study(config, plan=True, progress=False)
        planning_s = time.monotonic() - began
        began, busy = time.monotonic(), time.process_time()
        study(config, progress=False)
        took_s, busy_s = time.monotonic() - began, time.process_time() - busy
    assert plan.cost is not None
    line = {"foreseen_s": plan.cost.seconds, "took_s": took_s, "ratio": plan.cost.seconds / took_s}
    line |= {"busy_s": busy_s, "ratio_busy": plan.cost.seconds / busy_s}
    line |= {"planning_s": planning_s, "memory_mib": plan.cost.memory_mib}
    print(json.dumps({key: round(value, 2) for key, value in line.items()} | {"cells": plan.cells}))


if __name__ == "__main__":
    main()
