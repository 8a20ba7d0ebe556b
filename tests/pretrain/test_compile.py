"""`pretrain.compile` does what the eager encoder does, where there is a compiler to try it with."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ecglipse.batches import Batches
from ecglipse.commands import _assemble
from ecglipse.config import check
from ecglipse.store import Store

COMPILER = shutil.which("c++") or shutil.which("g++")


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on this machine")
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_run_is_the_eager_one_up_to_rounding(tiny: dict[str, Any], simulated: Path) -> None:
    """Two steps of both players: the first compiles, the second meets moved weights; a look would as well."""
    content = tiny | {"encoder": tiny["encoder"] | {"name": "clocs-cnn"}}
    found = []
    for compiled in (False, True):
        rule = check(content | {"pretrain": tiny["pretrain"] | {"compile": compiled}}, where="here")
        method = rule.methods["adversarial-per-lead"]
        batches = Batches(Store.open(simulated))
        made = _assemble.training(rule, method, batches=batches, rows=np.arange(32), seed=0)
        assert (made.game.encoder._compiled_call_impl is not None) is compiled
        steps = [made.step() for _ in range(2)]
        found.append((steps, made.state()[0]))
    (eager, weights), (compiled_steps, others) = found
    for one, other in zip(eager, compiled_steps, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-4)
        assert other.mask_grad == pytest.approx(one.mask_grad, rel=1e-2)
    assert weights.keys() == others.keys()  # a checkpoint does not tell
    name = "game.encoder.features.weight"
    torch.testing.assert_close(weights[name], others[name], rtol=1e-2, atol=1e-4)
