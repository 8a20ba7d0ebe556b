"""Reading the numbers of several steps at once, as on a GPU: the same run, and the same promise."""

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ecglipse.batches import Batches, epoch_batches, torch_rng
from ecglipse.checkpoints import latest_checkpoint
from ecglipse.commands import _assemble, pretrain
from ecglipse.config import check
from ecglipse.errors import TrainingError
from ecglipse.masks import LearnedMask
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.pretrain import AdversarialMasking, Player, Training


class Records(Batches):
    """Forty records of noise; one of them may be spoilt."""

    def __init__(self, *, spoil: int | None = None) -> None:
        self.device = torch.device("cpu")
        self.x = torch.randn(40, 12, 200, generator=torch.Generator().manual_seed(3))
        if spoil is not None:
            self.x[spoil, 3, 100] = float("nan")

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return self.x[torch.from_numpy(rows)]


def training(records: Batches | None = None, **changes: Any) -> Training:
    net = MaskNet(groups=12, width=8, fs=100.0, generator=torch_rng(0, "masks"))
    game = AdversarialMasking(
        resnet18(leads=12, width=8, dim=16, generator=torch_rng(0, "encoder")),
        Projection(16, 32, 8, generator=torch_rng(0, "projection")),
        LearnedMask(net, coverage=0.5, segment_s=0.25, fs=100.0),
    )
    settings: dict[str, Any] = {
        "view": lambda x, draws: x + 0.1 * draws.normal(*x.shape[1:]),
        "seed": 0,
        "epochs": 6,
        "batch": 10,
        "encoder": Player(learning_rate=1e-3),
        "masks": Player(learning_rate=1e-3),
    }
    return Training(game, records or Records(), np.arange(40), **{**settings, **changes})


def weights(made: Training) -> list[Tensor]:
    return [p.detach().clone() for p in made.game.parameters()]


@pytest.mark.parametrize("play", ["one-pass", "alternating"])
def test_it_is_the_same_run_to_rounding(play: str) -> None:
    prompt, late = training(play=play), training(play=play, read_every=5)
    pairs = list(zip(prompt.run(), late.run(), strict=True))
    assert len(pairs) == 24
    for one, other in pairs:
        assert (one.step, one.records, one.learning_rate) == (other.step, other.records, other.learning_rate)
        assert other.loss == pytest.approx(one.loss, abs=5e-3)
        assert other.encoder_grad == pytest.approx(one.encoder_grad, rel=0.05)
        assert (one.spread is None) == (other.spread is None)
        assert (one.look is None) == (other.look is None)
    assert pairs[0][1].loss == pairs[0][0].loss  # nothing has been rounded otherwise yet
    assert [one.step for one, _ in pairs if one.look] == [20]


def test_reports_come_together_and_the_state_is_that_of_the_last() -> None:
    late = training(read_every=5)
    done = [late.done for _ in late.run()]
    assert done == [*[5] * 5, *[10] * 5, *[15] * 5, *[20] * 5, *[24] * 4]
    prompt = training()
    assert [prompt.done for _ in itertools.islice(prompt.run(), 3)] == [1, 2, 3]


def spoilt_step() -> tuple[int, int]:
    """A record of the third batch, and the number of its step."""
    parts = epoch_batches(np.arange(40), batch=10, seed=0, epoch=0)
    return int(parts[2][4]), 3


@pytest.mark.parametrize("play", ["one-pass", "alternating"])
def test_no_weight_changes_from_the_step_that_is_not_a_number(play: str) -> None:
    record, step = spoilt_step()
    made, sound = (
        training(Records(spoil=which), play=play, read_every=4, epochs=3) for which in (record, None)
    )
    run = made.run()
    assert [next(run).step for _ in range(step - 1)] == [1, 2]
    with pytest.raises(TrainingError, match=rf"step {step}: loss nan.*not a finite number"):
        next(run)
    assert made.done == 4  # a step more had been played: it has moved nothing
    for _ in range(2):
        sound.step()
    for mine, wanted in zip(weights(made), weights(sound), strict=True):
        assert torch.equal(mine, wanted)
    later = weights(sound)
    sound.step()
    assert any(not torch.equal(a, b) for a, b in zip(later, weights(sound), strict=True))


def test_the_promise_needs_the_optimisers_to_look_at_it() -> None:
    """Negative control: told nothing, they write what is not a number into the weights."""
    record, _ = spoilt_step()
    made = training(Records(spoil=record), read_every=4, epochs=3)
    made.encoder.optimiser.found_inf = None
    with pytest.raises(TrainingError):
        list(made.run())
    assert any(w.isnan().any() for w in made.encoder.weights)


class Asked(TorchDispatchMode):
    """Counts the operations for which a host waits for its device."""

    WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).split(".")[1]
        if name in self.WAITS or (name == "index" and any(_boolean(i) for i in args[1])):
            self.found.append(name)
        return func(*args, **(kwargs or {}))


def _boolean(index: Tensor | None) -> bool:
    return index is not None and index.dtype == torch.bool


@pytest.mark.parametrize("play", ["one-pass", "alternating"])
def test_a_step_asks_the_device_for_nothing(play: str) -> None:
    late, prompt = training(play=play, read_every=8), training(play=play)
    found = []
    for made in (late, prompt):
        made.step()
        with Asked() as asked:
            made._play()
        found.append(asked.found)
    assert found[0] == []
    assert "_local_scalar_dense" in found[1]  # the control: the loss and two norms at least


def test_a_stopped_late_run_goes_on_to_the_same_bits() -> None:
    straight, stopped = training(read_every=4), training(read_every=4)
    list(straight.run())
    list(itertools.islice(stopped.run(), 12))
    resumed = training(read_every=4)
    resumed.step()  # a trace of something else, to be overwritten
    resumed.load(*copy.deepcopy(stopped.state()))
    assert resumed.done == 12
    list(resumed.run())
    for name, tensor in straight.state()[0].items():
        assert torch.equal(tensor, resumed.state()[0][name]), name


def test_a_run_on_disk_is_saved_only_where_its_log_is_whole(
    simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {
        "name": "late",
        "store": str(simulated),
        "out": str(tmp_path),
        "split": {"kind": "patients"},
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "mask_network": {"width": 8},
        "pretrain": {"epochs": 2, "batch": 16, "checkpoint_every_s": 1e-6},
        "methods": {"m": {"masks": "adversarial"}},
    }
    made = _assemble.training

    def late(*args: Any, **kwargs: Any) -> Training:
        run = made(*args, **kwargs)
        run.read_every = 4
        return run

    saved = []
    from ecglipse import checkpoints

    save = checkpoints.save_checkpoint

    def saving(run: Path, tensors: Any, counters: Any) -> None:
        lines = (run / "steps.jsonl").read_text(encoding="utf-8").count("\n")
        saved.append((counters["step"], lines))
        save(run, tensors, counters)

    monkeypatch.setattr(_assemble, "training", late)
    monkeypatch.setattr(checkpoints, "save_checkpoint", saving)
    run = pretrain(check(content, where="late"), progress=False).run
    assert len(saved) > 2
    assert all(step == lines for step, lines in saved)
    assert [step for step, _ in saved[:2]] == [4, 8]
    found = latest_checkpoint(run)
    assert found is not None
    assert found.counters["step"] == found.counters["total"]
