"""The state-space layer against its own recurrence, in float64."""

import torch
from torch import Tensor

from ecglipse.models.s4d import StateSpace


def space(width: int = 3, modes: int = 4) -> StateSpace:
    layer = StateSpace(width, modes)
    layer.draw(torch.Generator().manual_seed(0))
    return layer.double()


def recurrence(layer: StateSpace, u: Tensor, direction: int) -> Tensor:
    """2 Re(readout . s_k) with s_k = exp(lambda dt) s_(k-1) + (exp(lambda dt) - 1) / lambda u_k."""
    pole = torch.complex(-layer.log_decay.exp(), layer.frequency)
    dt = layer.log_dt.exp()[:, None]
    step, held = (pole * dt).exp(), ((pole * dt).exp() - 1) / pole
    readout = torch.complex(layer.readout[0, direction], layer.readout[1, direction])
    state = torch.zeros(u.shape[0], *pole.shape, dtype=pole.dtype)
    out = []
    for k in range(u.shape[1]):
        state = step * state + held * u[:, k, :, None]
        out.append(2 * (readout * state).sum(dim=-1).real)
    return torch.stack(out, dim=1)


def test_equals_the_recurrence_both_ways() -> None:
    layer = space()
    u = torch.randn(2, 57, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    past = recurrence(layer, u, 0)
    future = recurrence(layer, u.flip(1), 1).flip(1)
    later = torch.cat([future[:, 1:], torch.zeros_like(future[:, :1])], dim=1)
    torch.testing.assert_close(layer(u), past + later + layer.skip * u, rtol=1e-10, atol=1e-12)


def test_an_impulse_reaches_the_whole_record_and_wraps_nowhere() -> None:
    layer = space()
    layer.readout.data[:, 1] = 0  # forwards only
    u = torch.zeros(1, 40, 3, dtype=torch.float64)
    u[0, 30] = 1
    y = layer(u)
    assert y[0, :30].abs().max() < 1e-12
    torch.testing.assert_close(y[0, 31:], layer.kernels(40)[0, :, 1:10].T, rtol=1e-9, atol=1e-12)


def test_it_forgets() -> None:
    assert space().kernels(4000)[..., -1].abs().max() < space().kernels(4000).abs().max()
    steps = space(width=500).log_dt.exp()
    assert 1e-3 <= steps.min() < steps.max() <= 1e-1


def test_autocast_leaves_it_in_float32() -> None:
    layer = space().float()
    u = torch.randn(1, 30, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(u.bfloat16()).dtype == torch.float32
