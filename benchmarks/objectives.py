"""What a step of each objective costs against a step of NT-Xent, learned masks in both.

    python benchmarks/objectives.py --json

The same encoder (width 16), batch and masks, one thread, interleaved in one process; a ratio is the median
over rounds of (time of one / time of NT-Xent), on the thread's own CPU clock.
"""

import argparse
import json
from collections.abc import Callable

import torch
from adversarial_step import learned, ratio
from torch import Tensor

from ecglipse.batches import torch_rng
from ecglipse.draws import Draws
from ecglipse.models.heads import Projection
from ecglipse.models.resnet import resnet18
from ecglipse.objectives import BYOL, MoCo, NTXent, Objective, PatientContrast, SimSiam, VICReg
from ecglipse.pretrain import AdversarialMasking

BATCH, TIME, FS = 64, 1000, 100.0


def objectives() -> dict[str, Objective]:
    """Each objective, as the commands make it."""

    def predictor() -> Projection:
        return Projection(64, 256, 64, generator=torch_rng(0, "predictor"), norm="batch")

    return {
        "clocs": PatientContrast(),
        "vicreg": VICReg(),
        "byol": BYOL(predictor()),
        "simsiam": SimSiam(predictor()),
        "moco": MoCo(dim=64, size=1024),
    }


def step_of(objective: Objective, x: Tensor) -> Callable[[], None]:
    """One pass, the optimisers' steps and what is remembered, as in training."""
    encoder = resnet18(leads=12, width=16, dim=128, generator=torch_rng(0, "encoder"))
    head = Projection(128, 256, 64, generator=torch_rng(0, "head"), norm="batch")
    game = AdversarialMasking(encoder, head, learned(12, width=16, fs=FS), objective=objective)
    weights = [w for w in game.parameters() if w.requires_grad]
    optimiser = torch.optim.AdamW(weights)
    patients = torch.arange(len(x)) // 2

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        played = game.one_pass(x, x, Draws.of(0, "mask", rows=range(len(x))), patients=patients)
        played.loss.backward()
        optimiser.step()
        game.settle([played])

    return step


def main() -> None:
    """Print one JSON line, or a few sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    x = torch.randn(BATCH, 12, TIME, generator=torch_rng(0, "x"))
    plain = step_of(NTXent(), x)
    result: dict[str, object] = {"name": "objectives", "batch": BATCH, "time": TIME}
    for name, objective in objectives().items():
        result[f"ratio_{name}"] = round(
            ratio(step_of(objective, x), plain, rounds=arguments.rounds)["ratio"], 3
        )
    print(json.dumps(result) if arguments.json else "\n".join(f"{k}: {v}" for k, v in result.items()))


if __name__ == "__main__":
    main()
