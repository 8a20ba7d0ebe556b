"""3KG: turns the heart's dipole, keeps the residual and the lead algebra, and hides half of each lead."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, INVERSE_DOWER, einthoven_error
from ecglipse.views.threekg import rotation, threekg, threekg_projection, time_mask

EIGHT = [0, 1, 6, 7, 8, 9, 10, 11]


def draws(seed: int = 0, n: int = 8) -> Draws:
    return Draws.of(seed, "test", rows=range(n))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def signals(n: int = 8, time: int = 300) -> Tensor:
    eight = torch.randn(n, 8, time, generator=rng(5), dtype=torch.float64)
    return torch.as_tensor(EXPANSION) @ eight


def vcg(x: Tensor) -> Tensor:
    return torch.as_tensor(INVERSE_DOWER) @ x[:, EIGHT]


def residual(x: Tensor) -> Tensor:
    """What of the eight independent leads no dipole explains."""
    projector = torch.as_tensor(np.linalg.pinv(INVERSE_DOWER) @ INVERSE_DOWER)
    return x[:, EIGHT] - projector @ x[:, EIGHT]


def test_no_turn_and_no_stretch_is_identity() -> None:
    x = signals()
    torch.testing.assert_close(threekg(x, draws(), angle_deg=0.0, scale=1.0), x)


def test_the_projection_loses_the_residual_even_then() -> None:
    """Negative control: the published form."""
    x = signals()
    weak = threekg_projection(x, draws(), angle_deg=0.0, scale=1.0)
    assert residual(weak).abs().max() < 1e-9
    assert residual(x).abs().max() > 0.5
    torch.testing.assert_close(vcg(weak), vcg(x))


def test_residual_is_kept_and_the_dipole_is_turned() -> None:
    x = signals()
    y = threekg(x, draws())
    torch.testing.assert_close(residual(y), residual(x))
    assert not torch.allclose(vcg(y), vcg(x), atol=0.1)


def test_turning_alone_keeps_the_length_of_the_dipole() -> None:
    x = signals()
    y = threekg(x, draws(), angle_deg=45.0, scale=1.0)
    torch.testing.assert_close(vcg(y).norm(dim=1), vcg(x).norm(dim=1))


def test_stretching_alone_stretches_each_axis_by_up_to_the_scale() -> None:
    x = signals(50)
    ratio = vcg(threekg(x, draws(n=50), angle_deg=0.0, scale=1.5)) / vcg(x)
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio), rtol=1e-6, atol=1e-6)
    assert ratio.min() >= 1
    assert ratio.max() <= 1.5
    assert ratio[..., 0].std() > 0.05


@pytest.mark.parametrize("view", [threekg, threekg_projection])
def test_lead_algebra_is_kept(view) -> None:
    assert einthoven_error(view(signals().float(), draws()).numpy()).max() < 1e-5


def test_rotation_equals_scipys_about_fixed_axes() -> None:
    angles = (torch.rand(20, 3, generator=rng(), dtype=torch.float64) - 0.5) * math.pi
    wanted = Rotation.from_euler("zyx", angles.numpy()).as_matrix()
    np.testing.assert_allclose(rotation(angles.numpy()), wanted, rtol=0, atol=1e-12)


def test_a_quarter_turn_about_z_moves_x_to_y() -> None:
    turn = rotation(np.array([[math.pi / 2, 0.0, 0.0]]))[0]
    np.testing.assert_allclose(turn @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], rtol=0, atol=1e-12)


def test_each_record_has_a_turn_of_its_own_and_none_depends_on_another() -> None:
    x = signals()
    same = x[:1].expand(4, -1, -1).contiguous()
    turned = threekg(same, draws(n=4))
    assert not torch.allclose(turned[0], turned[1])
    others = x.clone()
    others[1:] = 3.0
    torch.testing.assert_close(threekg(x, draws())[0], threekg(others, draws())[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_time_mask_zeroes_one_stretch_of_each_lead(share: float) -> None:
    x = torch.ones(6, 12, 301)
    hidden = time_mask(x, draws(n=6), share=share) == 0
    assert (hidden.sum(-1) == math.floor(share * 301)).all()
    edges = (hidden != hidden.roll(1, -1)).sum(-1)
    assert edges.max() <= 2
    if 0 < share < 1:
        assert len({tuple(lead.tolist()) for lead in hidden[0]}) > 6


def test_time_mask_breaks_lead_algebra_and_says_what_share_it_takes() -> None:
    assert einthoven_error(time_mask(signals().float(), draws()).numpy()).min() > 0.1
    with pytest.raises(ValueError, match=r"`share` must be in 0..1; got 1.5"):
        time_mask(signals(), draws(), share=1.5)
