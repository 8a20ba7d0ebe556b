"""Laws of every view of the catalogue: its own record only, its own name, and what it says of itself."""

import inspect
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, LEADS, einthoven_error
from ecglipse.views.catalogue import VIEWS
from ecglipse.views.mixing import FROM_ELECTRODES, MATRICES
from ecglipse.views.settings import SETTINGS
from ecglipse.views.view import Pipeline, View, make

FS = 250.0
KEEPS_ALGEBRA = {
    "gaussian", "wander", "shift", "powerline", "emg", "gain", "peak-mask", "fourier", "phase-surrogate",
    "3kg", "3kg-projection", "crop-resize", "time-warp", "electrode-swap", "chest-shift",
}  # fmt: skip


def draws(seed: int = 0, n: int = 6, *, rows: list[int] | None = None) -> Draws:
    return Draws.of(seed, "test", rows=range(n) if rows is None else rows)


def signals(n: int = 6, time: int = 750) -> Tensor:
    """Twelve leads that obey the algebra: one pulse a second over drifting noise."""
    noise = torch.randn(n, 8, time, generator=torch.Generator().manual_seed(5))
    pulses = torch.zeros(n, 8, time)
    pulses[..., 100::250] = 8.0
    eight = torch.nn.functional.avg_pool1d(pulses + noise, 9, stride=1, padding=4)
    return torch.as_tensor(EXPANSION, dtype=torch.float32) @ eight


def default(name: str, **changes: object) -> View:
    return make(fs=FS, **{**SETTINGS[name](name=name).model_dump(exclude={"sides"}), **changes})


@pytest.mark.parametrize("name", VIEWS)
def test_a_records_view_is_the_same_in_every_batch_and_order(name: str) -> None:
    """Equal to 1e-5 mV: matrix products round differently in batches of other sizes."""
    x, view = signals(), default(name)
    whole = view(x, draws(rows=[9, 4, 7, 1, 0, 5]))
    turned = view(x.flip(0), draws(rows=[5, 0, 1, 7, 4, 9]))
    torch.testing.assert_close(turned.flip(0), whole, rtol=0, atol=1e-5)
    for place, row in enumerate([9, 4, 7, 1, 0, 5]):
        alone = view(x[place : place + 1], draws(rows=[row]))
        torch.testing.assert_close(alone[0], whole[place], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in ("min-max", "z-score", "robust")])
def test_views_differ_between_records_seeds_and_calls_and_leave_their_input(name: str) -> None:
    x, view = signals(1).expand(6, -1, -1).contiguous(), default(name)
    before = x.clone()
    one, again, other = view(x, draws(1)), view(x, draws(1)), view(x, draws(2))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other, atol=1e-3)
    assert not torch.allclose(one, x, atol=1e-3)
    assert len({tuple(record.flatten().tolist()) for record in one}) > 1
    assert torch.equal(x, before)
    assert one.shape == x.shape
    assert one.dtype == x.dtype
    assert torch.isfinite(one).all()


@pytest.mark.parametrize("name", VIEWS)
def test_the_others_of_a_batch_do_not_matter(name: str) -> None:
    x, view = signals(), default(name)
    others = x.clone()
    others[1:] = others[1:].flip(0) * 7 - 2
    torch.testing.assert_close(view(x, draws())[0], view(others, draws())[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(KEEPS_ALGEBRA))
def test_lead_algebra_is_kept(name: str) -> None:
    assert einthoven_error(default(name)(signals(), draws()).numpy()).max() < 2e-5


@pytest.mark.parametrize("name", ["mask", "block-mask", "lead-mask", "lead-subset", "min-max"])
def test_lead_algebra_is_broken_where_it_is_not_promised(name: str) -> None:
    """Negative control."""
    assert einthoven_error(default(name)(signals(), draws()).numpy()).max() > 0.05


@pytest.mark.parametrize("name", ["gaussian", "wander", "shift", "powerline", "emg"])
def test_each_way_into_the_leads_gives_what_it_promises(name: str) -> None:
    x = torch.zeros(6, 12, 750)
    for leads, sources in (("independent", 8), ("electrodes", 8), ("each", 12), ("common", 1)):
        added = default(name, leads=leads, **_strength(name))(x, draws())
        error = einthoven_error(added.numpy())
        assert (error.max() < 1e-5) == (leads in ("independent", "electrodes")), leads
        rank = torch.linalg.matrix_rank(added.double(), rtol=1e-4)
        assert rank.max() <= min(sources, {"wander": 3, "shift": 1, "powerline": 2}.get(name, 12)), leads
        if leads == "common":
            assert torch.equal(added, added[:, :1].expand_as(added))
        else:
            assert not torch.allclose(added[:, 6], added[:, 7])


def test_electrodes_make_leads_as_recorders_do() -> None:
    potentials = np.arange(9.0) ** 2
    ra, la, ll, *chest = potentials
    leads = dict(zip(LEADS, FROM_ELECTRODES @ potentials, strict=True))
    assert leads["I"] == pytest.approx(la - ra)
    assert leads["III"] == pytest.approx(ll - la)
    assert leads["aVF"] == pytest.approx(ll - (ra + la) / 2)
    assert leads["V6"] == pytest.approx(chest[5] - (ra + la + ll) / 3)
    np.testing.assert_allclose(FROM_ELECTRODES @ np.ones(9), 0, atol=1e-12)
    assert {m.shape[0] for m in MATRICES.values()} == {12}


@pytest.mark.parametrize("name", VIEWS)
def test_probability_is_the_share_of_records_that_get_it(name: str) -> None:
    x = signals(1, 600).expand(400, -1, -1).contiguous()
    got = (default(name, probability=0.3)(x, draws(n=400)) != x).flatten(1).any(1)
    always = (default(name)(x, draws(n=400)) != x).flatten(1).any(1)
    share = float(got.float().mean()) / float(always.float().mean())
    assert abs(share - 0.3) < 4.5 * math.sqrt(0.3 * 0.7 / 400)


@pytest.mark.parametrize("name", VIEWS)
def test_settings_have_the_very_parameters_of_the_function(name: str) -> None:
    keywords = {
        key: value
        for key, value in inspect.signature(VIEWS[name][0].plan).parameters.items()
        if key not in ("draws", "shape")
    }
    assert all(value.kind is inspect.Parameter.KEYWORD_ONLY for value in keywords.values())
    known = set(SETTINGS[name].model_fields) - {"name", "probability", "sides"}
    assert known == set(keywords) - {"fs", "names"}


def test_every_view_has_settings_and_some_say_what_they_invalidate() -> None:
    assert set(VIEWS) == set(SETTINGS)
    assert "rate" in default("time-warp").may_change
    assert "voltage" in default("gain").may_change
    assert "axis" in default("electrode-swap").may_change


def test_a_pipeline_applies_its_views_in_order_and_knows_what_they_change() -> None:
    x = signals()
    chain = Pipeline([default("gain"), default("time-warp")])
    assert chain.name == "gain + time-warp"
    assert chain.may_change == default("gain").may_change | default("time-warp").may_change
    by_hand = default("time-warp")(default("gain")(x, draws()), draws())
    assert torch.equal(chain(x, draws()), by_hand)
    assert torch.equal(Pipeline([])(x, draws()), x)


def test_one_more_view_leaves_the_draws_of_the_rest_and_the_same_view_twice_draws_anew() -> None:
    x = torch.zeros(6, 12, 750)
    one = Pipeline([default("gaussian")])(x, draws())
    with_wander = Pipeline([default("wander"), default("gaussian")])(x, draws())
    torch.testing.assert_close(with_wander - default("wander")(x, draws()), one, rtol=0, atol=1e-6)
    twice = Pipeline([default("gaussian"), default("gaussian")])(x, draws())
    assert not torch.allclose(twice, 2 * one, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"name": "gausian"}, ValueError, "`name` must be one of gaussian, wander"),
        ({"name": "gaussian"}, TypeError, "sigma_mv"),
        ({"name": "gaussian", "sigma_mv": 0.1, "sigma": 1}, TypeError, "sigma"),
    ],
)
def test_programmers_mistakes_are_named(arguments: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make(fs=FS, **arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("name", VIEWS)
def test_a_gpu_gives_the_same_view(name: str) -> None:
    x, view = signals(), default(name)
    there = view(x.cuda(), Draws.of(0, "test", rows=range(6), device="cuda"))
    torch.testing.assert_close(there.cpu(), view(x, draws()), rtol=0, atol=1e-4)


def _strength(name: str) -> dict[str, float]:
    return {"sigma_mv": 1.0} if name == "gaussian" else {"amplitude_mv": 1.0}
