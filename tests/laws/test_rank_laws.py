"""Two ranks, over gloo, learn what one would learn from the joint batch: every objective and kind of policy.

The ranks are processes that this file starts once; they write what they found, and the tests compare.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, distributed, nn

from ecglipse.batches import Batches, torch_rng
from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.masks import (
    Drawn,
    LearnedMask,
    MaskPolicy,
    PredictedMask,
    Pressure,
    RandomMask,
    ShuffledMask,
    SpectralMask,
    bands,
    form_of,
)
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.objectives import BYOL, MoCo, NTXent, Objective, PatientContrast, SimSiam, VICReg
from ecglipse.pretrain import AdversarialMasking, Player, Training
from ecglipse.pretrain import game as game_module
from ecglipse.pretrain.ranks import any_of, average_gradients, gather, joint_statistics, rank, ranks
from ecglipse.views.noise import gaussian_noise

RANKS, BATCH = 2, 8
OBJECTIVES = ("nt-xent", "clocs", "vicreg", "byol", "simsiam", "moco")
POLICIES = ("random", "adversarial", "predicted", "spectral", "shuffled")


class Shade(MaskPolicy):
    """A mask that is a function of the record alone, so that it does not matter which rank makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(12, 12, 9, generator=torch_rng(0, "shade")))

    def draw(self, x: Tensor, draws: Draws) -> Drawn:
        return Drawn(torch.sigmoid(nn.functional.conv1d(x, self.weight, padding=4)))


def objective_of(name: str) -> Objective:
    predictor = Projection(6, 10, 6, generator=torch_rng(0, "predictor"), norm="batch")
    made = {
        "nt-xent": NTXent(),
        "clocs": PatientContrast(),
        "vicreg": VICReg(),
        "byol": BYOL(predictor, momentum=0.9),
        "simsiam": SimSiam(predictor),
        "moco": MoCo(dim=6, size=12, momentum=0.9),
    }
    return made[name]


def policy_of(name: str) -> MaskPolicy:
    """Policies as runs have them: masks by record and lead, paid by what the whole batch is like."""
    given: Any = {"coverage": 0.4, "segment_s": 0.16, "fs": 100.0}
    form = form_of("per-lead", LEADS)

    def net(groups: int) -> MaskNet:
        return MaskNet(groups=groups, width=8, fs=100.0, generator=torch_rng(0, "masks"))

    made = {
        "random": lambda: RandomMask(form=form, **given),
        "adversarial": lambda: LearnedMask(net(12), form=form, pressure=Pressure(0.1, 0.1, 3.0), **given),
        "predicted": lambda: PredictedMask(net(12), form=form, **given),
        "spectral": lambda: SpectralMask(
            LearnedMask(net(4), form=bands(4), in_segments=True, **given), fs=100.0
        ),
        "shuffled": lambda: ShuffledMask(LearnedMask(net(12), form=form, **given)),
    }
    return made[name]()


def game_of(name: str, policy: MaskPolicy | None = None) -> AdversarialMasking:
    encoder = resnet18(leads=12, width=8, dim=10, generator=torch_rng(0, "encoder"))
    head = Projection(10, 12, 6, generator=torch_rng(0, "head"), norm="batch")
    return AdversarialMasking(encoder, head, policy or Shade(), objective=objective_of(name)).double()


def gradients_of(name: str, policy: MaskPolicy | None = None) -> dict[str, Tensor]:
    """Loss, gradients and buffers after two batches and a `settle`, with this rank's share of the records.

    Two views with noise of each record's own draws.
    """
    game = game_of(name, policy).train()
    game.encoder, game.projection = joint_statistics(game.encoder), joint_statistics(game.projection)
    if game.target is not None:
        joint_statistics(game.target)
    mine = slice(BATCH // ranks() * rank(), BATCH // ranks() * (rank() + 1))
    found = {}
    for batch in range(2):
        game.zero_grad()
        a, b = torch.randn(2, BATCH, 12, 100, dtype=torch.float64, generator=torch_rng(0, "x", batch))
        b = b[mine] + gaussian_noise(
            torch.zeros(len(b[mine]), 12, 100), Draws.of(1, rows=range(BATCH)[mine]), sigma_mv=0.5
        )
        patients = torch.tensor([0, 0, 1, 2, 3, 1, 4, 5])
        masked = Draws.of(0, rows=range(BATCH)[mine])
        one = game.encoder_loss if game.policy.apart else game.one_pass
        played = one(a[mine], b, masked.part(slice(None)), patients=patients[mine])
        played.loss.backward()
        if game.policy.apart:
            game.mask_loss(a[mine], b, masked, patients=patients[mine]).loss.backward()
        average_gradients(game.parameters())
        game.settle([played])
        found[f"{batch}.loss"] = played.loss.detach()
        if policy is not None:
            found[f"{batch}.mask"] = played.mask
        found |= {
            f"{batch}.{key}": w.grad.clone() for key, w in game.named_parameters() if w.grad is not None
        }
    return found | {f"state.{key}": tensor.clone() for key, tensor in game.state_dict().items()}


class Records(Batches):
    """Forty records of noise, in place of a store."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self.x = torch.randn(40, 12, 100, dtype=torch.float64, generator=torch_rng(0, "records"))

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return self.x[torch.from_numpy(rows)]


def trained() -> dict[str, Tensor]:
    """State and losses of a run of six steps with accumulation and an interval of the mask network."""
    run = Training(
        game_of("byol"),
        Records(),
        np.arange(40),
        view=lambda x, draws: x,
        seed=0,
        epochs=3,
        batch=BATCH,
        accumulate=3,
        mask_every=2,
        encoder=Player(1e-3),
        masks=Player(1e-3),
        average=0.9,
    )
    losses = torch.tensor([report.loss for report in run.run()], dtype=torch.float64)
    return {name: tensor.clone() for name, tensor in run.state()[0].items()} | {"losses": losses}


def everything() -> dict[str, Tensor]:
    found = {f"{name}/{key}": t for name in OBJECTIVES for key, t in gradients_of(name).items()}
    for name in POLICIES:
        found |= {f"{name}/{key}": t for key, t in gradients_of("nt-xent", policy_of(name)).items()}
    return found | {f"trained/{key}": tensor for key, tensor in trained().items()}


def work(mine: int, folder: Path) -> None:
    """What a rank does."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'meet'}", rank=mine, world_size=RANKS
    )
    found = everything()
    found["any"] = torch.tensor([any_of(mine == 1), any_of(False)])
    game_module.gather = lambda x: x  # the fault that the law must notice
    found |= {f"fault/{key}": tensor for key, tensor in gradients_of("nt-xent").items()}
    game_module.gather, game_module._gathered = gather, lambda drawn: drawn  # what is paid by a rank's share
    found |= {f"share/{k}": t for k, t in gradients_of("nt-xent", policy_of("adversarial")).items()}
    save_file({key: tensor.contiguous() for key, tensor in found.items()}, folder / f"{mine}.safetensors")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What two ranks found, and what one process finds."""
    folder = tmp_path_factory.mktemp("ranks")
    torch.multiprocessing.spawn(work, args=(folder,), nprocs=RANKS)
    return [*(load_file(folder / f"{mine}.safetensors") for mine in range(RANKS)), everything()]


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in tensors.items() if key.startswith(prefix)}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_two_ranks_have_the_gradients_and_statistics_of_the_joint_batch(
    found: list[dict[str, Tensor]], name: str
) -> None:
    """In float64, so that nothing hides in rounding: losses, gradients, BatchNorm, target and queue."""
    joint = under(f"{name}/", found[2])
    for tensors in found[:2]:
        one = under(f"{name}/", tensors)
        assert one.keys() == joint.keys()
        for key, tensor in joint.items():
            torch.testing.assert_close(one[key], tensor, rtol=1e-9, atol=1e-10, msg=key)
    assert joint[f"{name}/1.policy.weight"].norm() > 1e-6


@pytest.mark.parametrize("name", POLICIES)
def test_two_ranks_hide_what_one_hides_and_pay_the_same_for_it(
    found: list[dict[str, Tensor]], name: str
) -> None:
    """Masks to the bit, those of the ranks one after the other; the rest up to scores in float32."""
    first, second, joint = (under(f"{name}/", tensors) for tensors in found)
    for batch in range(2):
        key = f"{name}/{batch}.mask"
        hidden = torch.cat([first.pop(key), second.pop(key)])
        assert torch.equal(hidden, joint[key])
        assert 0.2 < float(joint.pop(key).mean()) < 0.6
    for one in (first, second):
        assert one.keys() == joint.keys()
        for key, tensor in joint.items():
            torch.testing.assert_close(one[key], tensor, rtol=1e-4, atol=1e-6, msg=key)
    learned = [tensor for key, tensor in joint.items() if ".net." in key and "state" not in key]
    assert bool(learned) is (name != "random")
    assert name == "random" or sum(tensor.norm() for tensor in learned) > 1e-4


def test_the_law_notices_what_is_paid_by_a_ranks_own_records(found: list[dict[str, Tensor]]) -> None:
    key = "0.policy.net.out.weight"
    right, wrong = found[2][f"adversarial/{key}"], found[0][f"share/{key}"]
    assert (right - wrong).norm() > 0.01 * right.norm()


def test_the_law_notices_negatives_that_are_not_gathered(found: list[dict[str, Tensor]]) -> None:
    key = "0.encoder.stem.0.weight"
    right, wrong = found[2][f"nt-xent/{key}"], found[0][f"fault/{key}"]
    assert (right - wrong).norm() > 0.05 * right.norm()


def test_a_run_of_two_ranks_is_the_run_of_one(found: list[dict[str, Tensor]]) -> None:
    """Ranks agree to the bit; with one process they agree up to rounding, which Adam enlarges."""
    first, second, joint = (under("trained/", tensors) for tensors in found)
    assert all(torch.equal(tensor, second[key]) for key, tensor in first.items())
    assert first.keys() == joint.keys()
    for key, tensor in joint.items():
        torch.testing.assert_close(first[key], tensor, rtol=1e-6, atol=1e-7, msg=key)


def test_one_rank_that_is_asked_to_stop_stops_all(found: list[dict[str, Tensor]]) -> None:
    assert [tensors["any"].tolist() for tensors in found[:2]] == [[True, False]] * 2
    assert any_of(True)
    assert not any_of(False)


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglipse.errors import TrainingError

    monkeypatch.setattr("ecglipse.pretrain.training.ranks", lambda: 3)
    rules: Any = {"view": lambda x, generator: x, "seed": 0, "epochs": 1, "batch": 8}
    with pytest.raises(TrainingError, match="a batch of 8 records cannot be shared among 3 ranks"):
        Training(
            game_of("nt-xent"), Records(), np.arange(40), encoder=Player(1e-3), masks=Player(1e-3), **rules
        )
