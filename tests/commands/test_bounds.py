"""Every bound that a component checks is refused as a fault of the config, before anything runs.

Beside each value that is refused stands the nearest one that is not, with which a step is played: so the
config is neither laxer than its components nor stricter.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglipse.batches import Batches
from ecglipse.commands import _assemble, _views, study
from ecglipse.config import Config, check
from ecglipse.errors import ConfigError
from ecglipse.store import Store

NET, SPECTRAL = {"masks": "adversarial"}, {"masks": "random", "domain": "spectral"}
RANDOM, NOISE = {"masks": "random"}, {"masks": "noise"}
UNET = {"masks": "adversarial", "published.network": "unet"}
CROPS = {"pairs": "crops", "masks": "none"}
BOUNDS: list[tuple[dict[str, Any], str, Any, Any]] = [
    (NET, "mask_network.width", 12, 16),
    (NET, "mask_network.width", 4, 8),
    ({"masks": "predicted"}, "mask_network.width", 12, 16),
    ({"masks": "published"}, "mask_network.width", 12, 16),
    (UNET, "mask_network.width", 4, 8),
    (UNET, "mask_network.width", 7, 12),
    (NET, "mask_network.kernel", 4, 3),
    (NET, "mask_network.kernel", 0, 1),
    (NET, "mask_network.depth", -1, 0),
    (NET, "mask_network.frame_hz", 9.0, 10.0),
    (NET, "mask_network.frame_hz", 101.0, 100.0),
    (NET, "mask_network.temperature", 0.0, 0.1),
    (SPECTRAL, "masks.bands", 1, 2),
    (SPECTRAL, "masks.bands", 34, 33),
    (NET | {"domain": "spectral"}, "masks.bands", 40, 33),
    (SPECTRAL, "masks.segment_s", 0.15, 0.16),
    (RANDOM, "masks.segment_s", 0.004, 0.01),
    (RANDOM, "masks.segment_s", 7.0, 5.0),
    (RANDOM | {"leads": "cells"}, "masks.segment_s", 21.0, 10.0),
    (RANDOM, "masks.coverage", 1.0, 0.999),
    (RANDOM, "masks.coverage", 0.0, 1e-3),
    (RANDOM, "masks.taper_s", 0.004, 0.01),
    (NOISE, "masks.band_hz", (0.51, 0.59), (0.51, 0.71)),
    (NOISE, "masks.band_hz", (2.5, 8.0), (1.85, 8.0)),
    (NOISE, "masks.band_hz", (0.0, 0.05), (0.0, 0.2)),
    (NOISE, "masks.segment_s", 1.5, 0.5),
    ({"masks": "block"}, "leads", "cells", "electrodes"),
    ({"masks": "published"}, "published.ratio", 1.1, 1.0),
    ({}, "encoder.width", 12, 16),
    ({"encoder.name": "clocs-cnn"}, "encoder.width", 12, 16),
    ({"encoder.name": "xresnet1d50"}, "encoder.width", 7, 8),
    ({"encoder.projection_layers": 0}, "encoder.projection_dim", 16, 8),
    (CROPS, "objective.crop_s", 0.24, 0.25),
    (CROPS, "objective.crop_s", 10.1, 10.0),
    ({"pairs": "segments"}, "objective.segments", 41, 40),
    ({"pairs": "segments"}, "objective.segments", 1, 2),
    ({"pairs": "leads"}, "objective.leads", 7, 6),
    ({}, "pretrain.batch", 1, 2),
    ({}, "pretrain.temperature", 0.0, 0.1),
    ({"objective": "moco", "objective.queue": 4}, "objective.momentum", 1.0, 0.0),
    ({}, "views.gain", 0.9, 1.0),
]


def content(store: Path, own: dict[str, Any]) -> dict[str, Any]:
    method = {key: value for key, value in own.items() if "." not in key}
    return {
        "name": "bounds",
        "store": str(store),
        "out": "none",
        "split": {"kind": "patients"},
        "encoder": {
            "name": "patch-transformer",
            "width": 8,
            "dim": 8,
            "projection_hidden": 8,
            "projection_dim": 8,
        },
        "pretrain": {"batch": 4},
        "methods": {"m": method | {"set": {key: value for key, value in own.items() if "." in key}}},
        "transfer": {"tasks": ["sex"]},
    }


def seen(store: Path, own: dict[str, Any]) -> Config:
    """The config, loaded and looked at with its store, as a study does before anything runs."""
    config = check(content(store, own), where="bounds")
    _views.see_views(config, Store.open(store))
    _assemble.see_that_it_fits(config, Store.open(store))
    return config


@pytest.mark.parametrize(("beside", "key", "refused", "taken"), BOUNDS)
def test_what_a_component_refuses_the_config_refuses_and_no_more(
    simulated: Path, beside: dict[str, Any], key: str, refused: Any, taken: Any
) -> None:
    with pytest.raises(ConfigError, match=key.rpartition(".")[2]):
        seen(simulated, beside | {key: refused})
    rule = seen(simulated, beside | {key: taken}).of("m")
    batches = Batches(Store.open(simulated))
    _assemble.training(rule, rule.methods["m"], batches=batches, rows=np.arange(8), seed=0).step()


@pytest.mark.parametrize(
    ("methods", "transfer", "words"),
    [
        ({"m": NET | {"set": {"mask_network.frame_hz": 200.0}}}, {}, r"frame_hz: 200 Hz, but the store"),
        (
            {"m": SPECTRAL | {"set": {"masks.bands": 40}}},
            {},
            r"masks\.bands: must be 2 to 33, .*is 40",
        ),
        (
            {"m": NOISE | {"set": {"masks.band_hz": [2.5, 8.0]}}},
            {},
            r"methods\.m: masks: `band_hz` must hold two frequencies of 40 segments at least, multiples of "
            r"0\.1 Hz up to 2 Hz; got 2\.5, 8\n\nhint: widen it",
        ),
        (
            {"m": {"kind": "scratch"}},
            {"finetune_unfrozen": 8},
            r"methods\.m: transfer\.finetune_unfro",
        ),
    ],
)
def test_a_study_is_refused_before_it_writes_anything(
    tiny: dict[str, Any], methods: dict[str, Any], transfer: dict[str, Any], words: str
) -> None:
    tiny["methods"], tiny["study"]["baselines"] = methods, []
    tiny["transfer"] |= transfer
    with pytest.raises(ConfigError, match=words):
        study(check(tiny, where="tiny"), progress=False)
    assert not Path(tiny["out"]).exists()
