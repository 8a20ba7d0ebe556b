"""What an adversarial step costs: against a SimCLR step, and against the published architecture's step.

    python benchmarks/adversarial_step.py --json

All steps use the same encoder class (the reference's 4,111,488 parameters), the same batch and one thread,
interleaved in one process; a ratio is the median over rounds of (time of one / time of the other), on the
thread's own CPU clock, so that other jobs on the machine disturb it little. The published step is rebuilt
from its layer table: 152.7 M-parameter U-Net, alternating, encoder phase with the U-Net in the graph.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ecglipse.batches import torch_rng
from ecglipse.draws import Draws
from ecglipse.masks import LearnedMask, MaskPolicy, NoMask
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.published_unet import PublishedUNet
from ecglipse.models.resnet import resnet18
from ecglipse.objectives import nt_xent
from ecglipse.pretrain import AdversarialMasking

FS, TIME = 250.0, 2500


def game(policy: MaskPolicy) -> AdversarialMasking:
    """A game with the reference's encoder and projection."""
    encoder = resnet18(leads=12, width=64, dim=512, generator=torch_rng(0, "encoder"))
    return AdversarialMasking(
        encoder, Projection(512, 2048, 128, generator=torch_rng(0, "projection")), policy
    )


def learned(groups: int, *, width: int = 32, fs: float = FS) -> LearnedMask:
    """The default learned mask."""
    net = MaskNet(groups=groups, width=width, fs=fs, generator=torch_rng(0, "masks"))
    return LearnedMask(net, coverage=0.5, segment_s=0.25, fs=fs)


def narrow(policy: MaskPolicy) -> AdversarialMasking:
    """A game of the size that the studies on two cores use: encoder width 16, 100 Hz."""
    encoder = resnet18(leads=12, width=16, dim=128, generator=torch_rng(0, "encoder"))
    return AdversarialMasking(encoder, Projection(128, 256, 64, generator=torch_rng(0, "projection")), policy)


def pass_of(played: AdversarialMasking, x: Tensor) -> Callable[[], None]:
    """One pass forward and backward, without optimisers: what `published_step` is compared with."""

    def step() -> None:
        for parameter in played.parameters():
            parameter.grad = None
        played.one_pass(x, x, Draws.of(0, "mask", rows=range(len(x)))).loss.backward()

    return step


def step_of(played: AdversarialMasking, x: Tensor) -> Callable[[], None]:
    """One pass forward and backward and both optimisers' steps, as in training."""
    players = [torch.optim.AdamW([*played.encoder.parameters(), *played.projection.parameters()])]
    if list(played.policy.parameters()):
        players.append(torch.optim.AdamW(played.policy.parameters()))

    def step() -> None:
        for player in players:
            player.zero_grad(set_to_none=True)
        played.one_pass(x, x, Draws.of(0, "mask", rows=range(len(x)))).loss.backward()
        for player in players:
            player.step()

    return step


def published_step(x: Tensor) -> Callable[[], None]:
    """The published order of play: encoder phase, then mask phase, the U-Net run and back-propagated in both.

    Optimisers are left out on both sides, and its metric on the side: this favours it, as Adam on its U-Net
    takes more than a second.
    """
    base = game(NoMask())
    unet = PublishedUNet(fs=FS, generator=torch_rng(0, "masks"))

    def contrast() -> Tensor:
        soft = unet(x, x.shape[-1]).sigmoid()
        mask = torch.sigmoid(50 * (soft - 0.5)).repeat(1, 12, 1)
        hidden = x * (1 - mask)
        low, high = hidden.min(), hidden.max()
        z0, z1 = (base.projection(base.encoder(view)) for view in (x, (hidden - low) / (high - low)))
        penalty = (1 / (torch.sin(math.pi * soft.mean(-1)) + 1e-10)).mean()
        return torch.stack([nt_xent(z0, z1), penalty])

    def step() -> None:
        for parameter in [*base.parameters(), *unet.parameters()]:
            parameter.grad = None
        contrast()[0].backward()
        for parameter in base.parameters():
            parameter.requires_grad_(False)
        loss, penalty = contrast()
        (-loss + 0.1 * penalty).backward()
        for parameter in base.parameters():
            parameter.requires_grad_(True)

    return step


def ratio(
    one: Callable[[], None], other: Callable[[], None], *, rounds: int, warm: int = 1
) -> dict[str, float]:
    """Median of time(one) / time(other) over interleaved rounds, and the medians themselves in seconds."""
    for _ in range(warm):
        one()
        other()
    times = []
    for index in range(rounds):
        pair = {}
        for name, step in ((0, one), (1, other)) if index % 2 else ((1, other), (0, one)):
            start = time.thread_time()
            step()
            pair[name] = time.thread_time() - start
        times.append((pair[0], pair[1]))
    return {
        "ratio": statistics.median(a / b for a, b in times),
        "one_s": statistics.median(a for a, _ in times),
        "other_s": statistics.median(b for _, b in times),
    }


def saved_bytes(step: Callable[[], None]) -> int:
    """Bytes of tensors that a step keeps for its backward, each storage counted once."""
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(seen.values())


def main() -> None:
    """Print one JSON line, or a few sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--without-published", action="store_true", help="leave out the slow comparison")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    x = torch.randn(16, 12, TIME, generator=torch_rng(0, "x"))
    simclr, shared, per_lead = (step_of(game(policy), x) for policy in (NoMask(), learned(1), learned(12)))
    ours = ratio(shared, simclr, rounds=arguments.rounds)
    per = ratio(per_lead, simclr, rounds=max(arguments.rounds // 2, 1))
    small = torch.randn(128, 12, 1000, generator=torch_rng(0, "small"))
    thin = ratio(
        step_of(narrow(learned(12, width=16, fs=100.0)), small),
        step_of(narrow(NoMask()), small),
        rounds=max(arguments.rounds // 2, 1),
    )
    masks = learned(12).net
    result = {
        "name": "adversarial_step",
        "batch": 16,
        "time": TIME,
        "ratio_vs_simclr": round(ours["ratio"], 4),
        "ratio_vs_simclr_per_lead": round(per["ratio"], 4),
        "simclr_ms_per_record": round(1e3 * ours["other_s"] / 16, 1),
        "ratio_saved_activations": round(saved_bytes(shared) / saved_bytes(simclr), 4),
        "narrow_ratio_vs_simclr": round(thin["ratio"], 3),
        "narrow_records_per_s": round(128 / thin["one_s"]),
        "narrow_simclr_records_per_s": round(128 / thin["other_s"]),
        "mask_network_parameters": sum(p.numel() for p in masks.parameters()),
        "mask_network_state_mib": round(sum(p.numel() for p in masks.parameters()) * 16 / 2**20, 2),
    }
    if not arguments.without_published:
        small = x[:4]
        published = ratio(published_step(small), pass_of(game(learned(1)), small), rounds=3)
        result |= {
            "published_batch": 4,
            "ratio_vs_published": round(published["ratio"], 1),
            "published_step_s": round(published["one_s"], 2),
            "step_s": round(published["other_s"], 3),
        }
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
