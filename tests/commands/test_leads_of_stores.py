"""Stores of any leads in any order, from `prepare --leads` through `pretrain` to the encoder's features."""

import json
from pathlib import Path

import numpy as np
import pytest

import ecglipse
from ecglipse.cli import main
from ecglipse.corpora.simulator import simulate
from ecglipse.leads import INDEPENDENT, LEADS

CONFIG = """
name = "leads"
store = "{store}"
out = "{out}"
split = {{ kind = "patients" }}
encoder = {{ width = 4, dim = 8, projection_hidden = 8, projection_dim = 8 }}
views = {{ wander_mv = 0.05, emg_mv = 0.02, extra = [{extra}] }}
mask_network = {{ width = 8 }}
pretrain = {{ epochs = 1, batch = 8 }}
study = {{ gallery = 1 }}
methods = {{ a = {{ masks = "adversarial", leads = "per-lead", views = "{views}" }} }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of one's own: NPZ files that say their rate, unit and leads."""
    path = tmp_path_factory.mktemp("own")
    for record in simulate(24, fs=100.0, duration_s=4.0, seed=2):
        np.savez(
            path / f"{record.record_id}.npz",
            signal=record.signal,
            fs=100.0,
            unit="mV",
            leads=np.array(LEADS),
        )
    return path


def pretrained(
    folder: Path, tmp_path: Path, leads: tuple[str, ...], *, extra: str = "", views: str = "base"
) -> Path:
    """The run of a store with these leads."""
    store, config = tmp_path / "store", tmp_path / "config.toml"
    form = ["--leads", ",".join(leads), "--fs", "100", "--duration-s", "4"]
    with pytest.raises(SystemExit) as ended:
        main(["prepare", str(folder), str(store), *form])
    assert ended.value.code in (0, None)
    config.write_text(CONFIG.format(store=store, out=tmp_path / "out", extra=extra, views=views))
    with pytest.raises(SystemExit) as ended:
        main(["pretrain", str(config)])
    assert ended.value.code in (0, None)
    (run,) = (tmp_path / "out" / "runs").iterdir()
    return run


@pytest.mark.parametrize("leads", [("V2",), ("II", "I"), ("I", "II", "V1"), INDEPENDENT, LEADS, LEADS[::-1]])
def test_a_store_of_any_leads_is_pretrained_on_and_its_encoder_knows_them(
    folder: Path, tmp_path: Path, leads: tuple[str, ...]
) -> None:
    all_there = set(INDEPENDENT) <= set(leads)
    run = pretrained(folder, tmp_path, leads, views="3kg" if all_there else "base")
    encoder = ecglipse.load(run)
    assert encoder.leads == leads
    x = np.random.default_rng(0).normal(size=(2, len(leads), 400)).astype(np.float32)
    turned = encoder.encode(np.ascontiguousarray(x[:, ::-1]), leads=leads[::-1])
    np.testing.assert_allclose(turned, encoder.encode(x), atol=1e-6)
    steps = [json.loads(line) for line in (run / "steps.jsonl").read_text().splitlines()]
    assert len(steps) == 1
    assert np.isfinite(steps[0]["loss"])


@pytest.mark.parametrize(
    ("extra", "views", "words"),
    [
        ("", "3kg", 'methods.a: views = "3kg": 3KG needs I, II, V1'),
        ('{ name = "3kg-projection" }', "base", "methods.a: views.extra.0 (3kg-projection): 3KG needs"),
        ('{ name = "electrode-swap" }', "base", "exchanging RA-LA needs lead III"),
        ('{ name = "chest-shift" }', "base", "without V2, V3, V4, V5, V6"),
        ('{ name = "powerline" }', "base", "mains hum of 60 Hz needs a rate above 120 Hz; it is 100"),
        (
            '{ name = "wander", high_hz = 60.0 }',
            "base",
            "wander of 60 Hz needs a rate above 120 Hz; it is 100",
        ),
        ('{ name = "fourier", window_s = 0.03 }', "base", "need a rate of 133.333 Hz at least; it is 100"),
        ('{ name = "time-warp", knot_s = 0.001 }', "base", "need a rate of 1000 Hz at least; it is 100"),
        ('{ name = "block-mask", length_s = 4 }', "base", "`length_s` must be below the 4 s of a record"),
    ],
)
def test_what_the_leads_cannot_show_is_refused_before_anything_is_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: str, views: str, words: str
) -> None:
    with pytest.raises(AssertionError, match="assert 1 in"):
        pretrained(folder, tmp_path, ("I", "II", "V1"), extra=extra, views=views)
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
