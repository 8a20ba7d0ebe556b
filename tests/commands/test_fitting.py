"""Settings of pairs and masks that a store's records cannot give: refused before anything runs."""

from typing import Any

import pytest

from ecglipse.commands import pretrain, study
from ecglipse.config import check
from ecglipse.errors import ConfigError


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (
            {"pairs": "leads", "set": {"objective.leads": 9}},
            r"methods\.m: objective\.leads: two views of 9, but the store has 12",
        ),
        (
            {"pairs": "segments", "set": {"objective.segments": 400}},
            r"objective\.segments: 400 segments of 0\.025 s, but encoder resnet18 takes 0\.64 s",
        ),
        (
            {"pairs": "segments-leads", "set": {"encoder.name": "clocs-cnn", "objective.segments": 20}},
            r"encoder clocs-cnn takes 0\.64 s and more\n\nhint: let there be 15 at most",
        ),
        (
            {"pairs": "crops", "set": {"encoder.name": "clocs-cnn", "objective.crop_s": 0.5}},
            r"objective\.crop_s: must be in 0\.64\.\.10 s",
        ),
        ({"masks": "random", "set": {"masks.segment_s": 10.0}}, r"must be in 0\.01\.\.5 s; is 10"),
        (
            {"masks": "random", "leads": "cells", "set": {"masks.segment_s": 30.0}},
            r"masks\.segment_s: must be in 0\.01\.\.10 s; is 30",
        ),
        (
            {"masks": "random", "pairs": "crops", "set": {"masks.segment_s": 2.5}},
            r"masks\.segment_s: must be in 0\.01\.\.1\.25 s; is 2\.5",
        ),
        ({"masks": "random", "set": {"masks.segment_s": 0.001}}, r"must be in 0\.01\.\."),
        ({"masks": "random", "set": {"masks.taper_s": 0.001}}, r"must be 0 or at least 0\.01 s, a sample"),
        (
            {"objective": "moco", "set": {"objective.queue": 96}},
            r"methods\.m: objective\.queue: 96, but there are 96 training records.*\n\nhint: let it be 48 ",
        ),
        (
            {"set": {"published.leftover": "next-epoch", "pretrain.accumulate": 19}},
            r"methods\.m: pretrain\.accumulate: at most 18, .*; is 19",
        ),
        (
            {"set": {"views.extra": [{"name": "gain"}, {"name": "emg", "swell_s": 0.0001}]}},
            r"methods\.m: views\.extra\.1 \(emg\): knots 0\.0001 s apart need a rate of 10000 Hz at least; "
            r"it is 100\n\nhint: change its values or leave it out",
        ),
    ],
)
def test_what_the_records_cannot_give_is_refused(
    tiny: dict[str, Any], method: dict[str, Any], words: str
) -> None:
    tiny["methods"], tiny["study"]["baselines"] = {"plain": {}, "m": method}, []
    config = check(tiny, where="tiny")
    with pytest.raises(ConfigError, match=words):
        pretrain(config, method="m", progress=False)
    with pytest.raises(ConfigError, match=words):
        study(config, plan=True)


def test_what_they_can_give_is_not(tiny: dict[str, Any]) -> None:
    from pathlib import Path

    from ecglipse.commands import _assemble
    from ecglipse.store import Store

    tiny["study"]["baselines"] = []
    tiny["methods"] = {
        "points": {"masks": "random", "set": {"masks.segment_s": 0.01}},
        "whole leads": {"masks": "random", "leads": "cells", "set": {"masks.segment_s": 10.0}},
        "halves": {"masks": "random", "set": {"masks.segment_s": 5.0}},
        "six leads": {"pairs": "leads", "set": {"objective.leads": 6}},
        "fifteen segments": {"pairs": "segments", "set": {"objective.segments": 15}},
        "block": {"masks": "block"},
        "longest queue": {"objective": "moco", "set": {"objective.queue": 95}},
        "one step": {"set": {"published.leftover": "next-epoch", "pretrain.accumulate": 18}},
        "what is left": {"set": {"pretrain.accumulate": 19}},
        "floor": {"kind": "init"},
    }
    _assemble.see_that_it_fits(check(tiny, where="tiny"), Store.open(Path(tiny["store"])))


def test_the_rotation_with_the_fewest_records_counts(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    import numpy as np

    from ecglipse.commands import _fitting
    from ecglipse.splits import Split
    from ecglipse.store import Store

    tiny["split"] = {"kind": "rotations", "rotations": [0, 1]}
    none = np.zeros(0, dtype=np.int64)
    splits = [Split(np.arange(size), none, none) for size in (90, 80, 70)]
    monkeypatch.setattr(_fitting._splits, "splits", lambda config, store: splits)
    config = check(tiny, where="tiny")
    assert set(_fitting.count_training(config, Store.open(Path(tiny["store"]))).values()) == {80}
