"""NT-Xent against its equation, its closed form and its limits."""

import math

import numpy as np
import pytest
import torch

from ecglipse.objectives import nt_xent


def by_hand(z0: np.ndarray, z1: np.ndarray, temperature: float) -> float:
    z = np.concatenate([z0, z1])
    n, losses = len(z0), []
    for i in range(2 * n):
        j = (i + n) % (2 * n)
        cosine = [z[i] @ z[k] / (np.linalg.norm(z[i]) * np.linalg.norm(z[k])) for k in range(2 * n)]
        below = sum(math.exp(cosine[k] / temperature) for k in range(2 * n) if k != i)
        losses.append(-math.log(math.exp(cosine[j] / temperature) / below))
    return float(np.mean(losses))


@pytest.mark.parametrize("batch", [2, 3, 7])
@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_equals_the_equation(batch: int, temperature: float) -> None:
    rng = np.random.default_rng(batch)
    z0, z1 = rng.standard_normal((2, batch, 5))
    got = nt_xent(torch.from_numpy(z0), torch.from_numpy(z1), temperature=temperature)
    assert float(got) == pytest.approx(by_hand(z0, z1, temperature), rel=1e-9)


@pytest.mark.parametrize("batch", [2, 16, 128])
def test_closed_form_when_all_equal(batch: int) -> None:
    z = torch.ones(batch, 8)
    assert float(nt_xent(z, z)) == pytest.approx(math.log(2 * batch - 1), rel=1e-6)


def test_symmetric_and_blind_to_scale() -> None:
    z0, z1 = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(nt_xent(z0, z1), nt_xent(z1, z0))
    torch.testing.assert_close(nt_xent(z0, z1), nt_xent(3 * z0, 0.1 * z1))
    assert not torch.isclose(nt_xent(z0, z1), nt_xent(z0, z1.roll(1, 0)))


def test_finite_for_zero_vectors_low_temperature_and_half_precision() -> None:
    zero = torch.zeros(4, 8, requires_grad=True)
    loss = nt_xent(zero, zero, temperature=0.01)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(zero.grad).all()
    z = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    assert nt_xent(z.bfloat16(), z.bfloat16(), temperature=0.01).dtype == torch.float32


def test_autocast_leaves_the_loss_in_float32() -> None:
    z0, z1 = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = nt_xent(z0, z1)
    assert torch.equal(inside, nt_xent(z0, z1))


def test_refuses_nonpositive_temperature_and_a_batch_without_negatives() -> None:
    with pytest.raises(ValueError, match=r"`temperature` must be > 0; got -1.0"):
        nt_xent(torch.ones(2, 3), torch.ones(2, 3), temperature=-1.0)
    with pytest.raises(ValueError, match="at least 2 records"):
        nt_xent(torch.ones(1, 3), torch.ones(1, 3))
