"""Fine-tuning: best epoch restored, same seed same bits, any size of training set."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecglipse.draws import Draws
from ecglipse.transfer.finetune import finetune

RNG = torch.Generator().manual_seed(1)
Y = (np.arange(80) % 2).astype(np.uint8)[:, None]
SIGNALS = torch.randn(80, 12, 40, generator=RNG) + torch.from_numpy(Y).float()[:, :, None]
ROWS = np.arange(80)


def signals(rows: np.ndarray) -> Tensor:
    return SIGNALS[torch.from_numpy(rows)]


class Small(nn.Module):
    dim = 6

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Conv1d(12, 6, 5, stride=2), nn.BatchNorm1d(6), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean(-1)


def tune(**changes: object):
    settings = {
        "train": (ROWS[:40], Y[:40]),
        "validation": (ROWS[40:60], Y[40:60]),
        "test_rows": ROWS[60:],
        "kind": "binary",
        "epochs": 6,
        "batch": 8,
        "learning_rate": 3e-2,
        "encoder_scale": 1.0,
        "seed": 0,
    }
    return finetune(Small(), signals, **{**settings, **changes})


def test_learns_what_there_is_to_learn() -> None:
    result = tune()
    assert ((result.test_scores[:, 0] > 0.5) == Y[60:, 0]).mean() > 0.9


def test_best_epoch_by_validation_is_restored() -> None:
    """With validation labels turned round, every step of learning makes validation worse: epoch 1 is best."""
    result = tune(validation=(ROWS[40:60], 1 - Y[40:60]), learning_rate=1e-1)
    assert result.chosen["epoch"] == int(np.argmin(result.history)) + 1 == 1
    longer = tune()
    assert longer.chosen["epoch"] > 1
    with torch.no_grad():
        again = torch.sigmoid(result.head(result.encoder(signals(ROWS[60:])))).numpy()
    np.testing.assert_allclose(result.test_scores, again, atol=1e-6)


def test_same_seed_same_bits_and_another_seed_others() -> None:
    one, same, other = (tune(seed=seed).test_scores for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_augmentation_is_applied_to_training_and_not_to_scoring() -> None:
    seen = []

    def augment(x: Tensor, draws: Draws) -> Tensor:
        seen.append(len(x))
        return x + draws.normal(*x.shape[1:])

    result = tune(augment=augment, epochs=2)
    assert sum(seen) == 2 * 40
    assert not np.array_equal(result.test_scores, tune(epochs=2).test_scores)


@pytest.mark.parametrize(("n", "batch"), [(2, 32), (9, 8), (17, 8), (40, 64)])
def test_any_size_of_training_set(n: int, batch: int) -> None:
    result = tune(train=(ROWS[:n], Y[:n]), batch=batch, epochs=2)
    assert np.isfinite(result.test_scores).all()


def test_one_record_is_refused() -> None:
    with pytest.raises(ValueError, match="`train` must hold at least 2 records; got 1"):
        tune(train=(ROWS[:1], Y[:1]))


@pytest.mark.parametrize("kind", ["multilabel", "multiclass"])
def test_other_kinds_of_task(kind: str) -> None:
    y = np.eye(3, dtype=np.uint8)[np.arange(80) % 3]
    result = tune(kind=kind, train=(ROWS[:40], y[:40]), validation=(ROWS[40:60], y[40:60]), epochs=1)
    assert result.test_scores.shape == (20, 3)
    sums = result.test_scores.sum(axis=1)
    assert np.allclose(sums, 1) == (kind == "multiclass")


def test_a_slower_encoder_moves_less() -> None:
    start = Small()
    distance = []
    for scale in (1.0, 0.1):
        tuned = tune(encoder_scale=scale, epochs=1).encoder
        pairs = zip(start.parameters(), tuned.parameters(), strict=True)
        distance.append(sum(float((a - b).detach().abs().sum()) for a, b in pairs))
    assert distance[1] < 0.5 * distance[0]


def test_a_head_with_a_hidden_layer_learns_what_a_line_cannot() -> None:
    """Exclusive or of two features, which stay as they are: the encoder's rate is zero."""
    bits = np.random.default_rng(0).integers(0, 2, size=(200, 2))
    x = torch.from_numpy(2.0 * bits - 1).float()[:, :, None].expand(-1, -1, 4).contiguous()
    y, rows = (bits[:, 0] ^ bits[:, 1]).astype(np.uint8)[:, None], np.arange(200)

    class Mean(nn.Module):
        dim = 2

        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            return x.mean(-1) + self.idle

    right = {}
    for hidden in (None, 16):
        result = finetune(
            Mean(),
            lambda some: x[torch.from_numpy(some)],
            train=(rows[:120], y[:120]),
            validation=(rows[120:160], y[120:160]),
            test_rows=rows[160:],
            kind="binary",
            epochs=40,
            batch=16,
            learning_rate=3e-2,
            encoder_scale=0.0,
            seed=0,
            head_hidden=hidden,
        )
        right[hidden] = ((result.test_scores[:, 0] > 0.5) == y[160:, 0]).mean()
    assert right[None] < 0.8
    assert right[16] == 1.0


def test_the_linear_head_has_the_weights_that_it_always_had() -> None:
    from ecglipse.batches import torch_rng
    from ecglipse.transfer.finetune import _head

    head = _head(Small(), 3, 7, hidden=None)
    wanted = torch.empty(3, 6).normal_(0.0, 0.01, generator=torch_rng(7, "head"))
    assert torch.equal(head[-1].weight, wanted)
    assert not head[-1].bias.any()
    assert [type(module) for module in head] == [nn.Linear]
