"""Laws of the game, tested on the real training step: who moves, in which direction, and who stays."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecglipse.batches import Batches, torch_rng
from ecglipse.draws import Draws
from ecglipse.masks import Drawn, Form, LearnedMask, RandomMask
from ecglipse.models.masknet import MaskNet
from ecglipse.pretrain import AdversarialMasking, Player, Training

FS, TIME, RECORDS = 100.0, 400, 24
STILL = Player(learning_rate=0.0, clip=1e9)


class Noise(Batches):
    """Twenty-four records of smooth noise, in place of a store."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        noise = torch.randn(RECORDS, 12, TIME + 8, generator=torch.Generator().manual_seed(3))
        self.x = torch.nn.functional.avg_pool1d(noise, 9, stride=1)

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return self.x[torch.from_numpy(rows)].clone()


class Encoder(nn.Module):
    """Small, but with BatchNorm, as the real ones have."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(12, 16, 7, stride=4),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Conv1d(16, 24, 5, stride=4),
            nn.BatchNorm1d(24),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean(-1)


def play(*, groups: int = 1, choice: str = "drawn", **changes: object) -> Training:
    """A training run of the real kind on smooth noise; gradients are left as they are (no clipping)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder, projection = Encoder(), nn.Linear(24, 16)
    net = MaskNet(groups=groups, width=8, fs=FS, generator=torch_rng(0, "net"))
    policy = LearnedMask(net, coverage=0.5, segment_s=0.25, fs=FS, choice=choice)
    settings = {
        "view": lambda x, draws: x + 0.05 * draws.normal(12, TIME),
        "seed": 5,
        "epochs": 50,
        "batch": 8,
        "encoder": Player(learning_rate=1e-3, clip=1e9),
        "masks": Player(learning_rate=1e-3, clip=1e9),
        "warmup": 0.0,
    }
    game = AdversarialMasking(encoder, projection, policy)
    return Training(game, Noise(), np.arange(RECORDS), **{**settings, **changes})


def gradients(module: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in module.parameters()])


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def assert_same(before: dict[str, Tensor], after: dict[str, Tensor]) -> None:
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name


def separate_phases(training: Training) -> tuple[Tensor, Tensor]:
    """Gradients of the next step by two passes at the present weights: what the law compares with."""
    twin = copy.deepcopy(training)
    game = twin.game.train()
    from ecglipse.batches import epoch_batches

    epoch, window = divmod(twin.done, twin.order.per_epoch)
    parts = epoch_batches(twin.rows, batch=twin.order.batch, seed=twin.seed, epoch=epoch)
    start = window * twin.order.accumulate
    parts = parts[start : start + twin.order.accumulate]
    game.zero_grad()
    for rows in parts:
        a, b, draws = twin.views(rows)
        (game.encoder_loss(a, b, draws).loss / len(parts)).backward()
    encoder = torch.cat([gradients(game.encoder), gradients(game.projection)])
    assert all(p.grad is None for p in game.policy.parameters())
    game.zero_grad()
    for rows in parts:
        a, b, draws = twin.views(rows)
        (game.mask_loss(a, b, draws).loss / len(parts)).backward()
    assert all(p.grad is None for p in [*game.encoder.parameters(), *game.projection.parameters()])
    return encoder, gradients(game.policy)


@pytest.mark.parametrize("groups", [1, 12])
@pytest.mark.parametrize("choice", ["drawn", "decided", "soft"])
@pytest.mark.parametrize(("accumulate", "mask_every"), [(1, 1), (3, 1), (2, 2)])
def test_one_pass_gradients_equal_separate_phases(
    groups: int, choice: str, accumulate: int, mask_every: int
) -> None:
    training = play(groups=groups, choice=choice, accumulate=accumulate, mask_every=mask_every)
    for _ in range(mask_every - 1):
        training.step()
    encoder, masks = separate_phases(training)
    training.step()
    got_encoder = torch.cat([gradients(training.game.encoder), gradients(training.game.projection)])
    got_masks = gradients(training.game.policy)
    assert masks.norm() > 1e-6
    torch.testing.assert_close(got_encoder, encoder, rtol=0, atol=1e-5 * float(encoder.norm()))
    torch.testing.assert_close(got_masks, masks, rtol=0, atol=1e-5 * float(masks.norm()))


def test_the_law_notices_a_missing_reversal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the published fault, a mask network that gets the encoder's own gradient."""
    training = play()
    _, masks = separate_phases(training)
    monkeypatch.setattr(
        "ecglipse.pretrain.game._Reverse.backward", staticmethod(lambda ctx, *grads: (grads[0], None))
    )
    training.step()
    assert torch.nn.functional.cosine_similarity(gradients(training.game.policy), masks, dim=0) < -0.99


@pytest.mark.parametrize("mode", ["one-pass", "alternating"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_step_without_the_mask_network_leaves_no_trace_on_it(mode: str, accumulate: int) -> None:
    training = play(play=mode, mask_every=2, accumulate=accumulate)
    masks, encoder = weights(training.game.policy), weights(training.game.encoder)
    report = training.step()
    assert report.mask_grad is None
    assert all(p.grad is None for p in training.game.policy.parameters())
    assert_same(masks, weights(training.game.policy))
    assert any(not torch.equal(encoder[k], v) for k, v in weights(training.game.encoder).items())
    report = training.step()
    assert report.mask_grad is not None
    assert any(not torch.equal(masks[k], v) for k, v in weights(training.game.policy).items())


def test_mask_phase_leaves_encoder_weights_and_statistics_unchanged() -> None:
    training = play()
    game = training.game.train()
    before = weights(game.encoder) | weights(game.projection)
    a, b, draws = training.views(np.arange(8))
    game.mask_loss(a, b, draws).loss.backward()
    assert_same(before, weights(game.encoder) | weights(game.projection))
    assert all(p.grad is None and p.requires_grad for p in game.encoder.parameters())
    game.encoder_loss(*training.views(np.arange(8)))
    moved = weights(game.encoder)
    assert not torch.equal(moved["layers.1.running_mean"], before["layers.1.running_mean"])


@pytest.mark.parametrize("mode", ["one-pass", "alternating"])
@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("groups", [1, 12])
def test_a_mask_step_raises_the_loss_and_an_encoder_step_lowers_it(
    mode: str, accumulate: int, groups: int
) -> None:
    """To first order, on the very batches and draws of the step; the relaxed mask makes it exact."""
    small = Player(learning_rate=2e-4, clip=1e9)
    for moving, sign in (("masks", 1), ("encoder", -1)):
        players = {"masks": STILL, "encoder": STILL, moving: small}
        training = play(choice="soft", groups=groups, play=mode, accumulate=accumulate, **players)
        before = _loss_of_first_step(training)
        training.step()
        assert sign * (_loss_of_first_step(training) - before) > 1e-5, moving


def test_drawn_masks_learn_to_raise_the_loss() -> None:
    """Forty steps of the mask network alone, straight through hard draws, against a fixed encoder."""
    training = play(groups=12, encoder=STILL, masks=Player(learning_rate=3e-2))
    before = _mean_loss(training)
    for _ in range(40):
        training.step()
    assert _mean_loss(training) > before + 0.05


def test_coverage_is_exact_in_every_step() -> None:
    for groups in (1, 12):
        training = play(groups=groups)
        assert all(abs(training.step().coverage - 0.5) < 1e-6 for _ in range(6))


def test_play_is_a_function_of_the_seed() -> None:
    """Same seed, same weights to the bit; another seed, others."""
    runs = [play(seed=seed) for seed in (1, 1, 2)]
    for training in runs:
        for _ in range(4):
            training.step()
    first, again, other = (weights(training.game) for training in runs)
    assert_same(first, again)
    assert not torch.equal(first["encoder.layers.0.weight"], other["encoder.layers.0.weight"])


@pytest.mark.parametrize("mode", ["one-pass", "alternating"])
def test_a_loaded_state_plays_on_to_the_bit(mode: str) -> None:
    straight, stopped = play(play=mode, accumulate=2), play(play=mode, accumulate=2)
    for _ in range(7):
        straight.step()
    for _ in range(3):
        stopped.step()
    tensors, counters = stopped.state()
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    resumed = play(play=mode, accumulate=2)
    resumed.step()  # a trace of something else, to be overwritten
    resumed.load(tensors, counters)
    for _ in range(4):
        resumed.step()
    assert_same(weights(straight.game), weights(resumed.game))
    for name, tensor in straight.state()[0].items():
        assert torch.equal(tensor, resumed.state()[0][name]), name


def test_every_record_is_seen_once_an_epoch_and_leftovers_of_accumulation_are_flushed() -> None:
    training = play(batch=7, accumulate=2)
    assert training.order.per_epoch == 2
    assert [training.step().records for _ in range(4)] == [14, 7, 14, 7]


def test_the_mask_networks_own_loss_counts_once_however_many_views_are_hidden() -> None:
    """All records are one record here, so that both views' own losses are the same."""

    class Dear(LearnedMask):
        def own_loss(self, drawn: Drawn, difficulty: Tensor) -> Tensor:
            return 7.0 + 0.0 * difficulty.sum()

    for both in (False, True):
        game = play().game
        game.policy.__class__, game.both = Dear, both
        x = torch.randn(8, 12, TIME, generator=torch_rng(0, "x"))
        played = game.mask_loss(x, x, Draws.of(0, rows=range(8)))
        assert float(played.loss.detach() + played.contrast) == pytest.approx(7.0, abs=1e-5)


def test_difficulty_is_told_in_float32_under_autocast() -> None:
    told: list[Tensor] = []

    class Listening(LearnedMask):
        def own_loss(self, drawn: Drawn, difficulty: Tensor) -> Tensor | None:
            told.append(difficulty)
            return None

    game = play().game
    game.policy.__class__ = Listening
    x = torch.randn(64, 12, TIME, generator=torch_rng(0, "x"))
    with torch.autocast("cpu", torch.bfloat16):
        game.one_pass(x, x + 0.01, Draws.of(0, rows=range(64)))
    assert told[0].dtype == torch.float32
    assert len(told[0].unique()) > 48  # bfloat16 knows some 4 numbers there


def test_random_masks_have_nothing_to_learn() -> None:
    training = play()
    training.game.policy = RandomMask(form=Form(12), coverage=0.5, segment_s=0.25, fs=FS)
    assert list(training.game.policy.parameters()) == []


def _loss_of_first_step(training: Training) -> float:
    twin = copy.deepcopy(training)
    twin.done = 0
    with torch.no_grad():
        losses = [twin.game.encoder_loss(*twin.views(part.rows)).loss for part in twin.parts()]
    return float(torch.stack(losses).double().mean())


def _mean_loss(training: Training) -> float:
    twin = copy.deepcopy(training)
    losses = []
    for draw in range(40):
        twin.done = (1000 + draw) * twin.order.per_epoch
        with torch.no_grad():
            losses.append(float(twin.game.encoder_loss(*twin.views(np.arange(RECORDS))).loss))
    return float(np.mean(losses))
