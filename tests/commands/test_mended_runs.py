"""Runs whose numbers a mend has changed have another id than before; all others keep theirs."""

from pathlib import Path
from typing import Any

import pytest

from ecglipse.commands._assemble import _mended
from ecglipse.commands._evaluate import Bench
from ecglipse.config import check
from ecglipse.study.plan import Unit, cells

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
        ({"set": {"pretrain.ema": 0.9}}, set()),
    ],
)
def test_what_a_mend_has_changed_is_said(method: dict[str, Any], words: set[str]) -> None:
    assert mended(method) == words


def test_cells_that_were_read_from_the_last_weights_are_other_cells(tiny: dict[str, Any]) -> None:
    """A method's own average was not what was read; where all methods had one, it was."""

    def ident(shared: float, own: float) -> list[str]:
        content = tiny | {"pretrain": tiny["pretrain"] | {"ema": shared}, "study": {"workers": 1}}
        method = {"set": {"pretrain.ema": own}} if own != shared else {}
        rule = check(content | {"methods": {"m": method}}, where="c")
        bench, unit = Bench(rule, rotation=0), Unit("m", 0, 0)
        return [bench.identity(unit, cell, Path("m-s0-0123456789abcdef")) for cell in cells(rule, unit)]

    assert ident(0.0, 0.0) == ident(0.9, 0.9)  # what else the average changes is in the run's id
    assert not set(ident(0.0, 0.9)) & set(ident(0.9, 0.9))


def test_a_set_may_be_written_as_tables() -> None:
    given = {"name": "x", "store": "s", "out": "o", "methods": {"m": {"set": {"encoder": {"width": 8}}}}}
    assert check(given, where="c").of("m").encoder.width == 8
