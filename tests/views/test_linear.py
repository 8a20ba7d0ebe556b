"""Linear views in a row are one: against the same views one at a time, and against the equation by hand."""

import gc

import numpy as np
import pytest
import torch

from ecglipse.draws import Draws
from ecglipse.views import memory
from ecglipse.views.linear import Linear, Term, joined
from ecglipse.views.view import Pipeline, make

LINEAR = {
    "gain": {"largest": 1.5},
    "3kg": {},
    "gaussian": {"sigma_mv": 0.2},
    "wander": {"amplitude_mv": 0.2},
    "shift": {"amplitude_mv": 0.2},
    "powerline": {"amplitude_mv": 0.2},
    "emg": {"amplitude_mv": 0.2},
    "3kg-projection": {},
}


def draws(n: int = 5) -> Draws:
    return Draws.of(0, "test", rows=range(n))


def signals(n: int = 5, time: int = 300) -> torch.Tensor:
    return torch.randn(n, 12, time, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("leads", ["independent", "electrodes", "each", "common"])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("swell_s", [0.0, 1.0])
def test_a_chain_is_one_change_and_equals_its_views_one_by_one(
    leads: str, order: int, swell_s: float
) -> None:
    x, chain = signals(), []
    for name, parameters in list(LINEAR.items())[::order]:
        more = {} if name in ("gain", "3kg", "3kg-projection") else {"leads": leads}
        more |= {"swell_s": swell_s} if name == "emg" else {}
        chain.append(make(name, fs=250.0, probability=0.7, **parameters, **more))
    changes = joined(Pipeline(chain).plan(draws(), tuple(x.shape)), x.dtype)
    assert len(changes) == 1
    one_by_one = x
    for view in chain:
        one_by_one = view(one_by_one, draws())
    torch.testing.assert_close(Pipeline(chain)(x, draws()), one_by_one, rtol=0, atol=2e-5)
    assert not torch.allclose(one_by_one, x, atol=0.1)
    double = Pipeline(chain)(x.double(), draws())
    torch.testing.assert_close(double.float(), one_by_one, rtol=0, atol=2e-5)


def test_what_is_not_linear_stays_between() -> None:
    x = signals()
    chain = [
        make("gain", fs=250.0, largest=1.5),
        make("min-max", fs=250.0),
        make("gain", fs=250.0, largest=1.5),
    ]
    assert len(joined(Pipeline(chain).plan(draws(), tuple(x.shape)), x.dtype)) == 3


def test_a_linear_change_is_its_equation_in_place_or_not() -> None:
    """A x + W n + s m, by hand in float64; and x stays as it is where it is not the place."""
    x = signals()
    a, w, s = torch.randn(5, 12, 12), torch.randn(5, 12, 3), torch.randn(5, 12, 1)
    n, m = torch.randn(5, 3, 300), torch.randn(5, 12, 300)
    change = Linear(
        a,
        (
            Term(w, lambda r, place: place.copy_(n[r])),
            Term(s, lambda r, place: place.copy_(m[r]), apart=True),
        ),
    )
    wanted = (a.double() @ x.double() + w.double() @ n.double() + s.double() * m.double()).float()
    before, out = x.clone(), torch.empty_like(x)
    torch.testing.assert_close(change(x, out, slice(None)), wanted, rtol=0, atol=1e-4)
    assert torch.equal(x, before)
    torch.testing.assert_close(change(x, x, slice(None)), wanted, rtol=0, atol=1e-4)


def test_records_that_were_not_chosen_stay_to_the_bit() -> None:
    x, chosen = signals(), torch.tensor([True, False, True, False, False])[:, None, None]
    term = Term(torch.randn(5, 12, 2), lambda r, place: place.normal_())
    for matrix in (None, torch.randn(5, 1, 1), torch.randn(5, 12, 12)):
        got = Linear(matrix, (term,)).for_some(chosen)(x, torch.empty_like(x), slice(None))
        same = (got == x).flatten(1).all(1)
        assert torch.equal(same, ~chosen.flatten())


def block(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return memory.empty(shape, dtype=dtype, device=torch.device("cpu"))


def test_memory_goes_round_only_when_nobody_holds_it() -> None:
    shape = (64, 12, 1000)
    one = block(*shape).fill_(1.0)
    place, held = one.data_ptr(), one[3, 4:6]
    del one
    gc.collect()
    other = block(*shape).fill_(2.0)
    assert other.data_ptr() != place
    assert torch.equal(held, torch.ones(2, 1000))
    array = other.numpy()
    del other, held
    gc.collect()
    third = block(*shape).fill_(3.0)
    assert third.data_ptr() == place
    assert np.all(array == 2.0)
    assert third.shape == shape
    assert third.dtype == torch.float32
    assert block(2, 12, 1000, dtype=torch.float64).dtype == torch.float64
    assert len(memory._spare) <= memory._MOST


def test_memory_serves_what_is_up_to_twice_smaller() -> None:
    memory._spare.clear()
    place = block(64, 12, 1000).fill_(1.0).data_ptr()
    assert block(31, 12, 1000).data_ptr() != place
    smaller = block(33, 12, 1000)
    assert smaller.data_ptr() == place
    assert smaller.shape == (33, 12, 1000)


@pytest.mark.parametrize("records", [1, 23, 24, 128])
def test_memory_starts_with_a_cache_line(records: int) -> None:
    memory._spare.clear()
    held = [block(records, 12, time) for time in (999, 1000, 2501)]
    assert {one.data_ptr() % 64 for one in held} == {0}
