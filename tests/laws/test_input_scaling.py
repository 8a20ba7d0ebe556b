"""What pretraining saw is what transfer reads: records are scaled the same way in both, then hidden."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import ecglipse
from ecglipse.batches import Batches
from ecglipse.commands import _assemble, _encoders
from ecglipse.commands._pretrain import pretrain
from ecglipse.config import Config, check
from ecglipse.errors import ConfigError
from ecglipse.leads import einthoven_error
from ecglipse.store import Store
from ecglipse.views.scaling import SCALINGS, robustly_scaled, z_scored

ROWS = np.arange(8)


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Batches:
    return Batches(Store.open(simulated))


def config(tiny: dict[str, Any], how: str) -> Config:
    content = tiny | {"encoder": tiny["encoder"] | {"input": how}, "views": {"noise_mv": 0.0, "gain": 1.0}}
    methods = {"a": {"masks": "adversarial", "leads": "per-lead"}}
    return check(content | {"methods": methods, "study": {"gallery": 1}}, where="here")


def encoder_input(net: torch.nn.Module, run: Any) -> Tensor:
    """What reaches the first layer."""
    found: list[Tensor] = []
    hook = next(net.children()).register_forward_pre_hook(lambda _, given: found.append(given[0].detach()))
    run()
    hook.remove()
    return found[0]


@pytest.mark.parametrize("how", ["mv", "zscore", "robust"])
def test_transfer_reads_what_pretraining_saw(
    batches: Batches, tiny: dict[str, Any], how: str, tmp_path: Path
) -> None:
    """Without noise and gain the first view is the record itself: both inputs are equal to the bit."""
    rule = config(tiny, how)
    made = _assemble.training(rule, rule.methods["a"], batches=batches, rows=np.arange(64), seed=1)
    first, second, draws = made.views(ROWS)
    x = batches.millivolts(ROWS)
    wanted = SCALINGS[how](x) if how in SCALINGS else x
    assert torch.equal(first, wanted)
    assert torch.equal(made.looked_at(ROWS), wanted)
    seen = encoder_input(made.game.encoder, lambda: made.game.encoder_loss(first, second, draws))
    fresh = _encoders.encoder(rule, batches.store, seed=1)
    read = _encoders.transferred(rule, fresh).eval()
    assert torch.equal(encoder_input(read, lambda: read(x)), seen)
    if how != "mv":
        assert not torch.allclose(
            seen, encoder_input(made.game.encoder, lambda: made.game.encoder(x)), atol=0.01
        )


def test_a_loaded_run_scales_as_it_was_trained(tiny: dict[str, Any], batches: Batches) -> None:
    """A recorder of ten times the gain and another offset gives the same features, but not to one in mV."""
    x = batches.millivolts(ROWS).numpy()
    tiny["pretrain"]["epochs"] = 1
    runs = {how: pretrain(config(tiny, how), progress=False).run for how in ("mv", "zscore", "robust")}
    assert len(set(runs.values())) == 3
    for how, run in runs.items():
        encoder = ecglipse.load(run)
        same = torch.allclose(encoder.encode(10 * x + 3), encoder.encode(x), rtol=1e-3, atol=1e-4)
        assert same is (how != "mv")


def test_plain_millivolts_leave_a_runs_identity_as_it_was(tiny: dict[str, Any]) -> None:
    assert "input" not in config(tiny, "mv").encoder.of_pretraining()
    assert config(tiny, "robust").encoder.of_pretraining()["input"] == "robust"


def test_two_scalings_are_refused(tiny: dict[str, Any]) -> None:
    content = tiny | {"encoder": {"input": "zscore"}, "published": {"scaling": "record"}}
    with pytest.raises(ConfigError, match="are two scalings: leave one out"):
        check(content, where="here")


@pytest.mark.parametrize("how", list(SCALINGS))
def test_absent_leads_stay_zeros_and_change_nothing_for_the_others(how: str, batches: Batches) -> None:
    x = batches.millivolts(ROWS)
    whole = SCALINGS[how](x)
    if how == "zscore":  # medians of leads do not obey their algebra
        assert einthoven_error(whole.numpy()).max() < 1e-2
    few = x[:, :6]
    padded = torch.cat([few, torch.zeros_like(few)], 1)
    scaled = SCALINGS[how](padded)
    torch.testing.assert_close(scaled[:, :6], SCALINGS[how](few))
    assert not scaled[:, 6:].any()
    assert not SCALINGS[how](torch.full((2, 3, 50), 4.0)).any()


def test_scalings_are_their_equations(batches: Batches) -> None:
    x = batches.millivolts(ROWS).double().numpy()
    centred = x - x.mean(-1, keepdims=True)
    size = np.sqrt((centred**2).mean((1, 2), keepdims=True))
    np.testing.assert_allclose(z_scored(torch.from_numpy(x)), centred / size, atol=1e-9)
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75], axis=-1, keepdims=True)
    size = (high - low).mean(1, keepdims=True)
    np.testing.assert_allclose(robustly_scaled(torch.from_numpy(x)), (x - middle) / size, atol=1e-9)
