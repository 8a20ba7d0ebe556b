"""`pretrain.compile` does what the eager encoder does, where there is a compiler to try it with.

In a process of its own, as the tests' run-time shape checks cannot be compiled.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMPILER = shutil.which("c++") or shutil.which("g++")
STEPS = """
import json, sys
from pathlib import Path
import numpy as np
from ecglipse.batches import Batches
from ecglipse.commands import _assemble
from ecglipse.config import check
from ecglipse.store import Store

content, found = json.loads(sys.argv[1]), {}
for compiled in (False, True):
    content["pretrain"]["compile"] = compiled
    rule = check(content, where="here")
    batches = Batches(Store.open(Path(content["store"])))
    method = rule.methods["adversarial-per-lead"]
    made = _assemble.training(rule, method, batches=batches, rows=np.arange(32), seed=0)
    assert (made.game.encoder._compiled_call_impl is not None) is compiled
    steps = [made.step() for _ in range(2)]
    state = made.state()[0]
    found[str(compiled)] = {
        "losses": [step.loss for step in steps],
        "mask_grads": [step.mask_grad for step in steps],
        "names": sorted(state),
        "weights": state["game.encoder.features.weight"].flatten().tolist(),
    }
print(json.dumps(found))
"""


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on this machine")
@pytest.mark.skipif("ECGLIPSE_SLOW" not in os.environ, reason="slow: set ECGLIPSE_SLOW to compile")
def test_a_compiled_run_is_the_eager_one_up_to_rounding(tiny: dict[str, Any], tmp_path: Path) -> None:
    """Two steps of both players: the first compiles, the second meets moved weights."""
    content = tiny | {"encoder": tiny["encoder"] | {"name": "clocs-cnn"}}
    places = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    places["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", STEPS, json.dumps(content)],
        capture_output=True,
        text=True,
        timeout=280,
        env=os.environ | places,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    eager, compiled = (json.loads(done.stdout.splitlines()[-1])[key] for key in ("False", "True"))
    assert compiled["losses"] == pytest.approx(eager["losses"], rel=1e-4)
    assert compiled["mask_grads"] == pytest.approx(eager["mask_grads"], rel=1e-2)
    assert compiled["weights"] == pytest.approx(eager["weights"], rel=1e-2, abs=1e-4)
    assert compiled["names"] == eager["names"]  # a checkpoint does not tell
