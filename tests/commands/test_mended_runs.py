"""Runs whose numbers a mend has changed have another id than before; all others keep theirs."""

from typing import Any

import pytest

from ecglipse.commands._assemble import _mended
from ecglipse.config import check

MASKED: dict[str, Any] = {"masks": "adversarial"}


def mended(method: dict[str, Any]) -> set[str]:
    config = check({"name": "x", "store": "s", "out": "o", "methods": {"m": method}}, where="c")
    return set(_mended(config.of("m"), config.methods["m"]))


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (MASKED | {"choice": "decided", "set": {"mask_network.chance": 0.5}}, {"chance without draws"}),
        (MASKED | {"set": {"mask_network.chance": 0.5}}, set()),
        (MASKED | {"set": {"mask_network.rivals": 2, "mask_network.applied": "all"}}, set()),
        (
            MASKED
            | {
                "set": {
                    "mask_network.rivals": 2,
                    "mask_network.applied": "all",
                    "masks.both_views": True,
                }
            },
            {"draws of the first view"},
        ),
        (MASKED | {"set": {"masks.both_views": True}}, set()),
        (
            MASKED | {"set": {"masks.both_views": True, "mask_network.entropy": 0.1}},
            {"own loss of two views"},
        ),
        ({"masks": "random", "set": {"masks.both_views": True}}, set()),
        ({"masks": "published", "set": {"masks.both_views": True}}, {"own loss of two views"}),
        ({"masks": "published", "set": {"published.spared": 0.2}}, set()),
        (
            {"masks": "published", "set": {"published.spared": 0.2, "masks.both_views": True}},
            {"draws of the first view", "own loss of two views"},
        ),
        ({"masks": "predicted"}, set()),
        ({"masks": "predicted", "set": {"pretrain.precision": "bf16"}}, {"difficulty in float32"}),
        ({"pairs": "leads"}, set()),
        ({"pairs": "leads", "set": {"encoder.lead_drop": 0.5}}, {"pairs among leads that are there"}),
        (
            {"pairs": "segments-leads", "set": {"views.extra": [{"name": "lead-mask"}]}},
            {"pairs among leads that are there"},
        ),
        ({"set": {"pretrain.ema": 0.9}}, {"average of a method's own"}),
    ],
)
def test_what_a_mend_has_changed_is_said(method: dict[str, Any], words: set[str]) -> None:
    assert mended(method) == words


def test_a_set_may_be_written_as_tables() -> None:
    given = {"name": "x", "store": "s", "out": "o", "methods": {"m": {"set": {"encoder": {"width": 8}}}}}
    assert check(given, where="c").of("m").encoder.width == 8
