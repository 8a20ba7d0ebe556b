"""`export`: the encoder alone, the same features, no pickle, nothing of the other player."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import ecglipse
from ecglipse.commands import export, pretrain
from ecglipse.config import check
from ecglipse.errors import CheckpointError, EcglipseError


@pytest.mark.parametrize("more", [{}, {"encoder": {"input": "zscore"}, "pretrain": {"ema": 0.9}}])
def test_an_exported_encoder_gives_the_features_of_its_run(
    tiny: dict[str, Any], tmp_path: Path, more: dict[str, Any]
) -> None:
    content = tiny | {"methods": {"m": {"masks": "adversarial"}}, "study": {"gallery": 1}}
    for section, values in more.items():
        content[section] = content[section] | values
    content["pretrain"] = content["pretrain"] | {"epochs": 1}
    run, out = pretrain(check(content, where="here"), progress=False).run, tmp_path / "alone"
    made = export(run, out)
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "encoder.safetensors"]
    assert made.bytes < 0.5 * sum(p.stat().st_size for p in run.rglob("state.safetensors"))
    names = load_file(out / "encoder.safetensors")
    assert not any("policy" in name or "projection" in name for name in names)
    whole, alone = ecglipse.load(run), ecglipse.load(out)
    x = np.random.default_rng(0).normal(size=(2, 3, 1000)).astype(np.float32)
    leads = ("V1", "II", "I")
    assert np.array_equal(whole.encode(x, leads=leads), alone.encode(x, leads=leads))
    assert (alone.leads, alone.fs, alone.n_samples) == (whole.leads, whole.fs, whole.n_samples)
    pooled = ecglipse.load(out, features="pooled").encode(x, leads=leads)
    assert np.array_equal(pooled, ecglipse.load(run, features="pooled").encode(x, leads=leads))
    with pytest.raises(EcglipseError, match="holds something"):
        export(run, out)
    facts = json.loads((out / "config.json").read_text())
    assert facts["format"] == "ecglipse-encoder"
    (out / "encoder.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match=r"encoder\.safetensors: cannot be read"):
        ecglipse.load(out)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        export(tmp_path / "nothing", tmp_path / "out")
    assert not (tmp_path / "out").exists()
