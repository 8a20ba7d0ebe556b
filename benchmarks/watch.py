"""Alarms in healthy runs, and what looking costs: 20 seeds of the default game on simulated recordings.

    python benchmarks/watch.py --json

Counts alarms of `pretrain/watch.py` over 200 steps of each seed, with a look every 20 steps; the cost is that
of a step with a look less one without, spread over the default 200 steps between looks, on the CPU clock.
"""

import argparse
import json
import statistics
import time

import numpy as np
import torch
from torch import Tensor

from ecglipse.batches import Batches, torch_rng
from ecglipse.corpora.simulator import simulate_arrays
from ecglipse.masks import LearnedMask
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.pretrain import AdversarialMasking, Player, Training

FS, EVERY = 100.0, 200


class Simulated(Batches):
    """Simulated recordings of 5 s in memory, in place of a store."""

    def __init__(self, records: int) -> None:
        self.device = torch.device("cpu")
        made = simulate_arrays(records, fs=FS, duration_s=5.0, seed=1)
        self.x = torch.from_numpy(np.ascontiguousarray(made.signal))

    def millivolts(self, rows: np.ndarray) -> Tensor:
        """Give the recordings of these rows."""
        return self.x[torch.from_numpy(rows)].clone()


def training(batches: Batches, records: int, seed: int, *, look_every: int) -> Training:
    """The default game at the width of the studies on two cores."""
    encoder = resnet18(leads=12, width=8, dim=64, generator=torch_rng(seed, "encoder"))
    net = MaskNet(groups=1, width=8, fs=FS, generator=torch_rng(seed, "masks"))
    game = AdversarialMasking(
        encoder,
        Projection(64, 128, 32, generator=torch_rng(seed, "projection")),
        LearnedMask(net, coverage=0.5, segment_s=0.25, fs=FS),
    )
    return Training(
        game,
        batches,
        np.arange(records),
        view=lambda x, draws: x + 0.02 * draws.normal(*x.shape[1:]),
        seed=seed,
        epochs=1000,
        batch=32,
        encoder=Player(1e-3, 1e-4),
        masks=Player(1e-3),
        look_every=look_every,
    )


def main() -> None:
    """Print one JSON line, or a sentence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    records = 128
    batches = Simulated(records)
    alarms, looks = [], 0
    with_look, without = [], []
    for seed in range(arguments.seeds):
        run = training(batches, records, seed, look_every=20)
        for _ in range(arguments.steps):
            began = time.thread_time()
            look = run.step().look
            (without if look is None else with_look).append(time.thread_time() - began)
            if look is not None:
                looks += 1
                alarms += list(look.alarms)
    plain, looking = statistics.median(without), statistics.median(with_look)
    result = {
        "name": "watch",
        "seeds": arguments.seeds,
        "steps": arguments.steps,
        "looks": looks,
        "alarms": len(alarms),
        "said": sorted(set(alarms))[:5],
        "share_of_training": round((looking - plain) / plain / EVERY, 5),
    }
    print(json.dumps(result) if arguments.json else f"{len(alarms)} alarms in {looks} looks of healthy runs")


if __name__ == "__main__":
    main()
