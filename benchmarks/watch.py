"""Does the watch see what it should, and what does it cost? On simulated recordings.

    python benchmarks/watch.py --json
    python benchmarks/watch.py --json --seeds 1 --policies all --objectives all

Plants nine faults in the default game and says at which step each is named, with the looks that a user's
run has (at step 20 and every 200 steps); then plays healthy seeds, of each policy and objective that is asked
for, with a look every 20 steps and counts alarms by game. The cost is that of a step of the default game with
a look less one without, spread over the 200 steps between looks, on the CPU clock.
"""

import argparse
import dataclasses
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from ecglipse.batches import Batches, torch_rng
from ecglipse.corpora.simulator import simulate_arrays
from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.masks import (
    LearnedMask,
    MaskPolicy,
    PredictedMask,
    Pressure,
    Ramp,
    SpectralMask,
    bands,
    form_of,
)
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.objectives import BYOL, MoCo, NTXent, Objective, SimSiam, VICReg, nt_xent
from ecglipse.pretrain import AdversarialMasking, Player, Round, Training
from ecglipse.pretrain.game import _Reverse

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


def policy_of(name: str, seed: int) -> MaskPolicy:
    """A learned policy, by the word of a config for its leads or for what else it is."""
    masks = {"coverage": 0.5, "segment_s": 0.25, "fs": FS}

    def net(groups: int) -> MaskNet:
        return MaskNet(groups=groups, width=8, fs=FS, generator=torch_rng(seed, "masks"))

    if name == "spectral":
        learned = LearnedMask(net(8), form=bands(8), in_segments=True, **masks)
        return SpectralMask(learned, fs=FS)
    if name == "predicted":
        form = form_of("per-lead", LEADS)
        return PredictedMask(net(form.scored), form=form, **masks)
    if name == "rivals":
        return LearnedMask(net(2), rivals=2, **masks)
    if name == "pressed":
        return LearnedMask(net(1), pressure=Pressure(0.1, 0.1, 0.1), **masks)
    form = form_of(name, LEADS)
    return LearnedMask(net(form.scored), form=form, **masks)


POLICIES = (
    *("shared", "per-lead", "electrodes", "cells", "factorised"),
    *("spectral", "rivals", "pressed", "predicted"),
)


def objective_of(name: str, seed: int) -> Objective:
    """An objective by the word of a config."""

    def predictor() -> Projection:
        return Projection(32, 64, 32, generator=torch_rng(seed, "predictor"), norm="batch")

    made: dict[str, Callable[[], Objective]] = {
        "nt-xent": NTXent,
        "vicreg": VICReg,
        "byol": lambda: BYOL(predictor()),
        "simsiam": lambda: SimSiam(predictor()),
        "moco": lambda: MoCo(dim=32, size=64),
    }
    return made[name]()


OBJECTIVES = ("nt-xent", "vicreg", "byol", "simsiam", "moco")


def training(
    batches: Batches,
    records: int,
    seed: int,
    *,
    look_every: int,
    batch: int,
    play: str = "one-pass",
    policy: str = "shared",
    objective: str = "nt-xent",
) -> Training:
    """A game at the width of the studies on two cores; by default the default one."""
    encoder = resnet18(leads=12, width=8, dim=64, generator=torch_rng(seed, "encoder"))
    bare = objective in ("vicreg", "byol", "simsiam")
    game = AdversarialMasking(
        encoder,
        Projection(64, 128, 32, generator=torch_rng(seed, "projection"), norm="batch" if bare else "none"),
        policy_of(policy, seed),
        objective=objective_of(objective, seed),
    )
    return Training(
        game,
        batches,
        np.arange(records),
        view=lambda x, draws: x + 0.02 * draws.normal(*x.shape[1:]),
        seed=seed,
        epochs=1000,
        batch=batch,
        encoder=Player(1e-3, 1e-4),
        masks=Player(1e-3),
        play=play,
        look_every=look_every,
    )


Fault = Callable[[Training], AbstractContextManager[object]]


def sign(run: Training) -> AbstractContextManager[object]:
    """The mask network gets the encoder's gradient, unreversed."""
    return patch.object(_Reverse, "backward", staticmethod(lambda ctx, *grads: (grads[0], None)))


@contextmanager
def leak(run: Training) -> Iterator[None]:
    """The encoder's gradient stays in the mask network, half as large again as its own."""
    run.play, backward = "alternating", run._backward

    def leaking(loss_of: Callable[..., Round], rows: np.ndarray, of: int) -> Round:
        def with_leak(*views: Tensor, **more: Tensor | None) -> Round:
            played = loss_of(*views, **more)
            return dataclasses.replace(played, loss=played.loss - 1.5 * played.loss)

        honest = looking[0] or loss_of != run.game.mask_loss
        return backward(loss_of if honest else with_leak, rows, of)

    direction, looking = run._adversarial_direction, [False]

    def apart(parts: list[np.ndarray]) -> list[Tensor] | None:
        looking[0] = True
        try:
            return direction(parts)
        finally:
            looking[0] = False

    with patch.object(run, "_backward", leaking), patch.object(run, "_adversarial_direction", apart):
        yield


def leak_into_encoder(run: Training) -> AbstractContextManager[object]:
    """The mask network's objective reaches the encoder, through the hidden view."""
    inner = run.game.one_pass

    def leaking(a: Tensor, b: Tensor, draws: Draws, **more: Tensor | None) -> Round:
        played = inner(a, b, draws.part(slice(None)), **more)
        hidden = run.game.policy.hide(b, played.mask, run.game.fill, draws)
        first, second = (run.game.projection(run.game.encoder(view)) for view in (a, hidden))
        loss = nt_xent(first.detach(), second, temperature=0.1)
        return dataclasses.replace(played, loss=played.loss - 2 * loss)

    return patch.object(run.game, "one_pass", leaking)


def masks_stand(run: Training) -> AbstractContextManager[object]:
    """The mask network's optimiser takes no step."""
    return patch.object(run.masks.optimiser, "step", lambda: None)


def encoder_stands(run: Training) -> AbstractContextManager[object]:
    """The encoder's optimiser takes no step."""
    return patch.object(run.encoder.optimiser, "step", lambda: None)


def hides(share: float) -> Fault:
    """The game collapses to masks of this coverage."""
    return lambda run: patch.object(run.game.policy, "coverage", Ramp(share, share))


def constant(run: Training) -> AbstractContextManager[object]:
    """Every record gets the same scores."""
    policy = run.game.policy
    fixed = torch.linspace(-1, 1, 20).expand(1, 1, -1)
    out = policy.get_submodule("net.out").weight
    return patch.object(policy, "logits", lambda x: fixed.expand(len(x), -1, -1) + 0 * out.sum())


@contextmanager
def collapsed(run: Training) -> Iterator[None]:
    """All projections lie on one line, and the encoder cannot leave it."""
    run.encoder.rule = Player(0.0)
    last = [m for m in run.game.projection.modules() if isinstance(m, nn.Linear)][-1]
    with torch.no_grad():
        last.weight[1:] = 0
        last.bias.zero_()
    yield


FAULTS: dict[str, tuple[Fault, str]] = {
    "cancelled sign": (sign, "does not climb the encoder's loss"),
    "gradient leak": (leak, "does not climb the encoder's loss"),
    "leak into the encoder": (leak_into_encoder, "something else than its own loss reaches the encoder"),
    "no step of the mask network": (masks_stand, "the mask network has not moved"),
    "frozen encoder": (encoder_stands, "the encoder has not moved"),
    "collapse to 0": (hides(0.0), "0% of the signal is hidden"),
    "collapse to 1": (hides(1.0), "100% of the signal is hidden"),
    "collapse to a constant": (constant, "every record gets the same mask"),
    "collapsed features": (collapsed, "the projections have collapsed"),
}
"""What is planted, and what the alarm says."""


def named_at(
    fault: str, batches: Batches, records: int, *, steps: int, look_every: int, batch: int
) -> int | None:
    """The step at which the alarm of a planted fault is raised; None if it is not."""
    plant, words = FAULTS[fault]
    run = training(batches, records, 0, look_every=look_every, batch=batch)
    with plant(run):
        for _ in range(steps):
            report = run.step()
            if report.look is not None and any(words in alarm for alarm in report.look.alarms):
                return report.step
    return None


def main() -> None:
    """Print one JSON line, or a sentence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--look-every", type=int, default=EVERY, help="of the runs with a planted fault")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--policies", default="shared", help=f"of {', '.join(POLICIES)}, or all")
    parser.add_argument("--objectives", default="nt-xent", help=f"of {', '.join(OBJECTIVES)}, or all")
    arguments = parser.parse_args()
    policies = POLICIES if arguments.policies == "all" else arguments.policies.split(",")
    objectives = OBJECTIVES if arguments.objectives == "all" else arguments.objectives.split(",")
    torch.set_num_threads(1)
    records = 128
    batches = Simulated(records)
    rule = {key: getattr(arguments, key) for key in ("steps", "look_every", "batch")}
    named = {fault: named_at(fault, batches, records, **rule) for fault in FAULTS}
    looks, alarms = 0, Counter[str]()
    with_look, without = [], []
    games = [(p, o, seed) for p in policies for o in objectives for seed in range(arguments.seeds)]
    for policy, objective, seed in games:
        run = training(
            batches, records, seed, look_every=20, batch=arguments.batch, policy=policy, objective=objective
        )
        default = (policy, objective) == (policies[0], objectives[0])
        for _ in range(arguments.steps):
            began = time.thread_time()
            look = run.step().look
            if default:
                (without if look is None else with_look).append(time.thread_time() - began)
            if look is not None:
                looks += 1
                alarms.update(f"{policy}, {objective}: {alarm}" for alarm in look.alarms)
    plain, looking = statistics.median(without), statistics.median(with_look)
    result = {
        "name": "watch",
        "faults": len(FAULTS),
        "faults_named": sum(step is not None for step in named.values()),
        "named_at_step": named,
        "policies": list(policies),
        "objectives": list(objectives),
        "seeds": arguments.seeds,
        "steps": arguments.steps,
        "batch": arguments.batch,
        "looks": looks,
        "alarms": alarms.total(),
        "said": dict(alarms.most_common(20)),
        "share_of_training": round((looking - plain) / plain / EVERY, 5),
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(
        f"{result['faults_named']} of {len(FAULTS)} faults named; "
        f"{alarms.total()} alarms in {looks} looks of healthy runs"
    )


if __name__ == "__main__":
    main()
