"""Types and shapes of every call, checked as jaxtyping would, at a third of what its own wrapper costs.

jaxtyping binds each call's arguments to the signature and has beartype check them before the call and again
after it, in functions without a shape too. Here beartype checks each function once, and one with a shape has
jaxtyping's memory of sizes around it.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from types import FunctionType
from typing import Any, get_args

import jaxtyping
from beartype import beartype

_theirs = jaxtyping.jaxtyped


def install() -> None:
    """Let the modules that are imported from now on be checked so, where jaxtyping's hook asks for it."""
    jaxtyping.jaxtyped = checked


def checked(thing: Any = None, *, typechecker: Callable[..., Any]) -> Any:
    """Give a function that minds its annotations, or a dataclass that minds its fields'.

    Args:
        thing: what jaxtyping's hook decorates; none: the decorator itself.
        typechecker: beartype, by the hook's name for it; for what jaxtyping itself must see to: sizes that an
            argument names, `"{n}"`, quoted annotations, and generators.
    """
    if thing is None:
        return functools.partial(checked, typechecker=typechecker)
    if inspect.isclass(thing):
        if is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = checked(thing.__init__, typechecker=typechecker)  # type: ignore[misc]
        return thing
    hints = list(getattr(thing, "__annotations__", {}).values())
    shapes = [shape for hint in hints for shape in _shapes(hint)]
    dear = any(isinstance(hint, str) for hint in hints) or any("{" in shape for shape in shapes)
    if dear or inspect.isgeneratorfunction(thing) or not isinstance(thing, FunctionType):
        return _theirs(thing, typechecker=typechecker)
    minding = beartype(thing)
    if not shapes:
        return minding

    @functools.wraps(thing)
    def call(*args: Any, **kwargs: Any) -> Any:
        if jaxtyping.config.jaxtyping_disable:
            return thing(*args, **kwargs)
        with _theirs("context"):
            return minding(*args, **kwargs)

    return call


@contextmanager
def unchecked() -> Iterator[None]:
    """Within it shapes are not minded: for calls that were checked a moment ago."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def _shapes(hint: Any) -> list[str]:
    """The shapes in an annotation, however deep."""
    if inspect.isclass(hint) and issubclass(hint, jaxtyping.AbstractArray):
        return [hint.dim_str]
    return [shape for part in get_args(hint) for shape in _shapes(part)]
