"""The verbs, one function each; what the command line does, Python does by the same name.

Each is in a module of its name with an underscore before it, so that the name is the function's.

>>> from ecglipse import commands                                  # doctest: +SKIP
>>> commands.prepare(Path("ptb-xl"), Path("stores/ptbxl"))          # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecglipse.commands._demo import demo as demo
    from ecglipse.commands._export import export as export
    from ecglipse.commands._fetch import fetch as fetch
    from ecglipse.commands._leaks import leaks as leaks
    from ecglipse.commands._masks import masks as masks
    from ecglipse.commands._prepare import prepare as prepare
    from ecglipse.commands._pretrain import pretrain as pretrain
    from ecglipse.commands._report import report as report
    from ecglipse.commands._show import show as show
    from ecglipse.commands._study import study as study
    from ecglipse.commands._transfer import transfer as transfer
    from ecglipse.commands._verify import verify as verify

VERBS = (
    "demo",
    "fetch",
    "prepare",
    "verify",
    "leaks",
    "pretrain",
    "transfer",
    "export",
    "study",
    "masks",
    "report",
    "show",
)


def __getattr__(name: str) -> Any:
    """Load a verb when it is asked for, so that importing this package costs nothing."""
    if name not in VERBS:
        raise AttributeError(f"module 'ecglipse.commands' has no attribute {name!r}")
    verb = getattr(importlib.import_module(f"ecglipse.commands._{name}"), name)
    globals()[name] = verb
    return verb
