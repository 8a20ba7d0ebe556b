"""Each objective against its equation in loops of float64, its closed form and its limits."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecglipse.objectives import (
    BYOL,
    MoCo,
    NTXent,
    Objective,
    PatientContrast,
    Seen,
    SimSiam,
    VICReg,
    nt_xent,
    patient_contrast,
    vicreg,
)


def seen(
    a: Tensor, b: Tensor, *, ta: Tensor | None = None, tb: Tensor | None = None, patients: object = None
) -> Seen:
    """Projections as if a game had made them: a view is a number that says which."""
    views = [torch.full((len(a), 1, 1), float(n)) for n in (0, 1)]
    online = {0.0: a, 1.0: b}
    target = {0.0: ta, 1.0: tb}
    return Seen(
        *views,
        online=lambda view: online[float(view[0, 0, 0])],
        target=None if ta is None else lambda view: target[float(view[0, 0, 0])],
        patients=None if patients is None else torch.as_tensor(patients),
    )


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))


def clocs_by_hand(z0: np.ndarray, z1: np.ndarray, patients: list[int], t: float) -> float:
    n, terms = len(z0), []
    for one, other in ((z0, z1), (z1, z0)):
        loss = np.zeros((n, n))
        for i in range(n):
            below = sum(math.exp(cosine(one[i], other[k]) / t) for k in range(n))
            for j in range(n):
                loss[i, j] = -math.log(math.exp(cosine(one[i], other[j]) / t) / below)
        terms.append(np.mean([loss[i, i] for i in range(n)]))
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j and patients[i] == patients[j]]
        if pairs:
            terms.append(np.mean([loss[i, j] for i, j in pairs]))
    return float(np.mean(terms))


@pytest.mark.parametrize("patients", [[0, 1, 2, 3, 4], [0, 0, 1, 2, 0], [7, 7, 7, 7, 7]])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_clocs_equals_the_equation(patients: list[int], temperature: float) -> None:
    z0, z1 = np.random.default_rng(1).standard_normal((2, 5, 4))
    got = patient_contrast(
        torch.from_numpy(z0), torch.from_numpy(z1), torch.tensor(patients), temperature=temperature
    )
    assert float(got) == pytest.approx(clocs_by_hand(z0, z1, patients, temperature), rel=1e-12)


def test_clocs_closed_form_and_what_patients_change() -> None:
    z = torch.ones(6, 3)
    assert float(patient_contrast(z, z, torch.zeros(6, dtype=torch.int64))) == pytest.approx(math.log(6))
    z0, z1 = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    alone, shared = torch.arange(6), torch.tensor([0, 0, 1, 1, 2, 2])
    assert not torch.isclose(patient_contrast(z0, z1, alone), patient_contrast(z0, z1, shared))
    torch.testing.assert_close(patient_contrast(z0, z1, shared), patient_contrast(z1, z0, shared))
    together = torch.stack([z0[0], z0[0]])
    assert float(patient_contrast(together, together, torch.tensor([0, 1]))) == pytest.approx(math.log(2))


def vicreg_by_hand(z0: np.ndarray, z1: np.ndarray, both: bool) -> float:
    n, d = z0.shape
    same = sum((z0[i, k] - z1[i, k]) ** 2 for i in range(n) for k in range(d)) / (n * d)
    spread = redundancy = 0.0
    for z in (z0, z1 if both else z0):
        mean = [sum(z[:, k]) / n for k in range(d)]
        cov = np.array(
            [
                [sum((z[i, k] - mean[k]) * (z[i, m] - mean[m]) for i in range(n)) / (n - 1) for m in range(d)]
                for k in range(d)
            ]
        )
        spread += sum(max(0.0, 1 - math.sqrt(cov[k, k] + 1e-4)) for k in range(d)) / d
        redundancy += sum(cov[k, m] ** 2 for k in range(d) for m in range(d) if k != m) / d
    return 25 * same + 25 * spread / 2 + redundancy


@pytest.mark.parametrize("regularised", ["first", "both"])
@pytest.mark.parametrize("batch", [2, 9])
def test_vicreg_equals_the_equation(regularised: str, batch: int) -> None:
    z0, z1 = 0.7 * np.random.default_rng(2).standard_normal((2, batch, 5))
    got = vicreg(torch.from_numpy(z0), torch.from_numpy(z1), regularised=regularised)
    assert float(got) == pytest.approx(vicreg_by_hand(z0, z1, regularised == "both"), rel=1e-12)


def test_vicreg_closed_form_when_all_equal() -> None:
    z = torch.ones(8, 4)
    assert float(vicreg(z, z)) == pytest.approx(25 * 0.99, rel=1e-6)


def test_vicreg_regularises_the_first_view_alone_unless_told_otherwise() -> None:
    """The gradient at the hidden view's projection: the invariance's alone, or with the other terms'."""
    a, b = 0.5 * torch.randn(2, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradient = {}
    for regularised in ("first", "both"):
        b.requires_grad_(True).grad = None
        VICReg(regularised=regularised)(seen(a, b)).backward()
        gradient[regularised] = b.grad.clone()
    invariance = 25 * 2 * (b - a).detach() / b.numel()
    torch.testing.assert_close(gradient["first"], invariance)
    assert (gradient["both"] - invariance).norm() > 0.1 * invariance.norm()


class Turn(nn.Module):
    """A predictor that is no identity and has no weights."""

    def forward(self, z: Tensor) -> Tensor:
        return z.roll(1, 1) + 0.3 * z


def test_byol_equals_the_equation() -> None:
    a, b, ta, tb = np.random.default_rng(3).standard_normal((4, 5, 4))
    q = lambda z: np.roll(z, 1, 1) + 0.3 * z  # noqa: E731
    wanted = np.mean([4 - 2 * cosine(q(a)[i], tb[i]) - 2 * cosine(q(b)[i], ta[i]) for i in range(5)])
    tensors = [torch.from_numpy(z) for z in (a, b, ta, tb)]
    got = BYOL(Turn())(seen(tensors[0], tensors[1], ta=tensors[2], tb=tensors[3]))
    assert float(got) == pytest.approx(wanted, rel=1e-12)
    same = torch.ones(5, 4)
    assert float(BYOL(nn.Identity())(seen(same, same, ta=same, tb=same))) == pytest.approx(0, abs=1e-6)


def test_byols_momentum_rises_to_one_by_a_cosine() -> None:
    objective = BYOL(nn.Identity(), momentum=0.9)
    assert [objective.momentum(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.95, 1.0])


def test_simsiam_equals_the_equation_and_stops_the_gradient() -> None:
    a, b = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    q = lambda z: np.roll(z, 1, 1) + 0.3 * z  # noqa: E731
    x, y = a.numpy(), b.numpy()
    wanted = np.mean([-cosine(q(x)[i], y[i]) / 2 - cosine(q(y)[i], x[i]) / 2 for i in range(5)])
    a.requires_grad_(True)
    loss = SimSiam(Turn())(seen(a, b))
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-12)
    loss.backward()
    free = a.detach().clone().requires_grad_(True)
    (-nn.functional.cosine_similarity(Turn()(free), b).mean() / 2).backward()
    torch.testing.assert_close(a.grad, free.grad)


def test_moco_equals_the_equation_with_batch_and_queue() -> None:
    rng = np.random.default_rng(5)
    objective, t = MoCo(dim=4, size=6, temperature=0.2).double(), 0.2
    old: list[np.ndarray] = []
    for _ in range(4):
        q, k = rng.standard_normal((2, 3, 4))
        losses = []
        for i in range(3):
            others = [math.exp(cosine(q[i], key) / t) for key in [*k, *old[-6:]]]
            losses.append(-math.log(math.exp(cosine(q[i], k[i]) / t) / sum(others)))
        shown = seen(torch.full((3, 4), math.nan), torch.from_numpy(q), ta=torch.from_numpy(k))
        assert float(objective(shown)) == pytest.approx(np.mean(losses), rel=1e-9)
        objective.remember(objective.keys(shown))
        old += list(k)
    assert int(objective.taken) == 12


@pytest.mark.parametrize("step", [1, 4, 5, 11])
def test_the_queue_holds_the_last_keys_whatever_the_size_of_a_step(step: int) -> None:
    objective = MoCo(dim=2, size=5)
    keys = torch.arange(44.0).reshape(22, 2)
    for part in keys.split(step):
        objective.remember(part)
    assert sorted(objective.queue[:, 0].tolist()) == keys[-5:, 0].tolist()


OBJECTIVES: dict[str, Objective] = {
    "nt-xent": NTXent(),
    "clocs": PatientContrast(),
    "vicreg": VICReg(),
    "byol": BYOL(nn.Identity()),
    "simsiam": SimSiam(nn.Identity()),
    "moco": MoCo(dim=8, size=4),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_finite_for_zero_vectors_and_float32_under_half_precision(name: str) -> None:
    objective = OBJECTIVES[name]
    a, b = (torch.zeros(4, 8, requires_grad=True) for _ in range(2))
    loss = objective(seen(a, b, ta=torch.zeros(4, 8), tb=torch.zeros(4, 8), patients=[0, 0, 1, 2]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(b.grad).all()
    half = torch.randn(4, 4, 8, generator=torch.Generator().manual_seed(0)).bfloat16()
    shown = seen(half[0], half[1], ta=half[2], tb=half[3], patients=[0, 0, 1, 2])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = objective(shown)
    assert inside.dtype == torch.float32
    exact = [z.float() for z in half]
    outside = objective(seen(exact[0], exact[1], ta=exact[2], tb=exact[3], patients=[0, 0, 1, 2]))
    torch.testing.assert_close(inside, outside)


def test_an_objective_that_is_not_given_what_it_needs_says_so() -> None:
    z = torch.ones(3, 8)
    with pytest.raises(ValueError, match="`patients` must be given to the game"):
        PatientContrast()(seen(z, z))
    with pytest.raises(ValueError, match="`needs_target` must be true"):
        BYOL(nn.Identity())(seen(z, z))
    for wrong in (lambda: MoCo(dim=3, momentum=1.5), lambda: BYOL(nn.Identity(), momentum=-0.1)):
        with pytest.raises(ValueError, match=r"`momentum` must be in 0\.\.1"):
            wrong()
    for made in (NTXent, PatientContrast, lambda t: MoCo(dim=3, temperature=t)):
        with pytest.raises(ValueError, match="`temperature` must be > 0; got 0"):
            made(0.0)
    for loss in (lambda: patient_contrast(z[:1], z[:1], torch.zeros(1).long()), lambda: vicreg(z[:1], z[:1])):
        with pytest.raises(ValueError, match="at least 2 records; got 1"):
            loss()


def test_nt_xent_as_an_objective_is_the_function() -> None:
    a, b = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(NTXent(0.2)(seen(a, b)), nt_xent(a, b, temperature=0.2))
