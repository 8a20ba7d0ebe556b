"""The checks of types and shapes find what they are there for, in what is decorated and in the package."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jaxtyping
import numpy as np
import pytest
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float

from checks import checked, unchecked
from ecglipse.metrics import auroc
from ecglipse.report.scores import Group

minds = partial(checked, typechecker=beartype)
Pair = tuple[Float[np.ndarray, " row"], Float[np.ndarray, " row"]]


@minds
def cut(x: Float[np.ndarray, " row"], y: Float[np.ndarray, " row"], to: int) -> Float[np.ndarray, " row"]:
    return x[:to] + y[:to]


@minds
def both(pair: Pair) -> int:
    return len(pair)


@minds
def zeros(n: int, *, extra: int = 0) -> Float[np.ndarray, " {n}"]:
    return np.zeros(n + extra)


@minds
def twice(text: str) -> str:
    return text if text == "1" else 2 * text if text else None  # type: ignore[return-value]


@minds
@dataclass(frozen=True)
class Kept:
    x: Float[np.ndarray, " row"]
    y: Float[np.ndarray, " row"]
    name: str = ""


ROW = np.zeros(3)


@pytest.mark.parametrize(
    ("function", "sound", "wrong"),
    [
        (cut, (ROW, ROW, 3), (ROW, ROW, 2)),  # the result's size
        (cut, (ROW, ROW, 3), (ROW, np.zeros(4), 3)),  # two sizes of one name
        (cut, (ROW, ROW, 3), (ROW[None], ROW[None], 3)),
        (cut, (ROW, ROW, 3), (ROW.astype(int), ROW, 3)),
        (cut, (ROW, ROW, 3), (ROW, ROW, 3.0)),
        (both, ((ROW, ROW),), ((ROW, np.zeros(4)),)),
        (twice, ("a",), (1,)),
        (twice, ("a",), ("",)),
        (Kept, (ROW, ROW), (ROW, np.zeros(4))),
        (Kept, (ROW, ROW, "a"), (ROW, ROW, 1)),
        (Group, ("sex", "linear", "matched", 0.1), ("sex", "linear", "matched", "0.1")),
        (auroc, (np.ones(3, np.uint8), ROW), (np.ones(4, np.uint8), ROW)),
    ],
)
def test_what_does_not_fit_its_annotation_is_refused(function: Any, sound: Any, wrong: Any) -> None:
    function(*sound)
    with pytest.raises(BeartypeCallHintViolation):
        function(*wrong)


def test_a_size_that_an_argument_names_is_minded() -> None:
    zeros(3)
    with pytest.raises(jaxtyping.TypeCheckError):
        zeros(3, extra=1)


def test_a_call_forgets_the_sizes_of_the_one_that_it_is_in() -> None:
    @minds
    def outer(x: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
        cut(np.zeros(5), np.zeros(5), 5)
        return x

    assert outer(ROW) is ROW


def test_shapes_are_not_minded_where_jaxtyping_is_switched_off() -> None:
    with unchecked():
        assert len(cut(ROW, ROW, 2)) == 2
    with pytest.raises(BeartypeCallHintViolation):
        cut(ROW, ROW, 2)
