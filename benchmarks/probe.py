"""What caching features saves a linear probe: 100 epochs on cached features against re-running the encoder.

    python benchmarks/probe.py --json

The same records, the same probe in batches of 256 (those of the published transfer), the same epochs; the
reference way runs the frozen encoder (the reference's 4,111,488 parameters) for every record in every epoch.
It is timed over `--reference-epochs` epochs and scaled to 100, because its epochs are alike; the cached way
is timed whole. Both on one thread's CPU clock, in turn. The ratio is at most 100 but for noise: with E the
encoder's pass over the records and P an epoch of the probe it is 100 (E + P) / (E + 100 P), so that a faster
encoder, or smaller batches of the probe, make it smaller.
"""

import argparse
import json
import statistics
import time

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.batches import torch_rng
from ecglipse.models.resnet import resnet18

EPOCHS, CLASSES = 100, 5
AT_ONCE = 32
"""Records that the encoder gets at once."""


def epoch_of_probe(
    head: nn.Linear, optimiser: torch.optim.Optimizer, x: Tensor, y: Tensor, *, batch: int
) -> None:
    """One epoch of the probe on features."""
    for start in range(0, len(x), batch):
        optimiser.zero_grad(set_to_none=True)
        loss = functional.binary_cross_entropy_with_logits(
            head(x[start : start + batch]), y[start : start + batch]
        )
        loss.backward()
        optimiser.step()


@torch.no_grad()
def features(encoder: nn.Module, x: Tensor) -> Tensor:
    """Features of all records."""
    return torch.cat([encoder(x[start : start + AT_ONCE]) for start in range(0, len(x), AT_ONCE)])


def new_head(dim: int) -> tuple[nn.Linear, torch.optim.Optimizer]:
    """A probe and its optimiser, the same each time."""
    torch.manual_seed(0)
    head = nn.Linear(dim, CLASSES)
    return head, torch.optim.Adam(head.parameters(), lr=1e-3)


def main() -> None:
    """Print one JSON line, or a sentence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--batch", type=int, default=256, help="records a step of the probe")
    parser.add_argument("--time", type=int, default=2500)
    parser.add_argument("--reference-epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = resnet18(leads=12, width=64, dim=512, generator=torch_rng(0, "encoder")).eval()
    x = torch.randn(arguments.records, 12, arguments.time, generator=torch_rng(0, "x"))
    y = (torch.rand(arguments.records, CLASSES, generator=torch_rng(0, "y")) < 0.3).float()
    features(encoder, x[:AT_ONCE])
    ratios, weights = [], []
    for _ in range(arguments.rounds):
        began = time.thread_time()
        head, optimiser = new_head(512)
        for _ in range(arguments.reference_epochs):
            epoch_of_probe(head, optimiser, features(encoder, x), y, batch=arguments.batch)
        slow = (time.thread_time() - began) / arguments.reference_epochs * EPOCHS
        began = time.thread_time()
        cached = new_head(512)
        found = features(encoder, x)
        for epoch in range(EPOCHS):
            epoch_of_probe(*cached, found, y, batch=arguments.batch)
            if epoch + 1 == arguments.reference_epochs:
                weights.append(float((cached[0].weight - head.weight).detach().abs().max()))
        ratios.append(slow / (time.thread_time() - began))
    result = {
        "name": "probe",
        "records": arguments.records,
        "time": arguments.time,
        "batch": arguments.batch,
        "epochs": EPOCHS,
        "ratio_cached": round(statistics.median(ratios), 1),
        "largest_difference_of_weights": max(weights),
    }
    print(json.dumps(result) if arguments.json else f"cached probe: {result['ratio_cached']} x as fast")


if __name__ == "__main__":
    main()
