"""ecglipse: learn what to hide in an ECG.

Adversarial-masking pretraining of 12-lead ECG encoders, transfer with few labels, and an honest
comparison. Importing this package loads neither torch nor pandas nor matplotlib: import the room
you need (`ecglipse.commands`, `ecglipse.models`, ...), or read a pretrained encoder with
`ecglipse.load(run)`. The map of the house is docs/architecture.md.
"""

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load `ecglipse.load` (see `ecglipse.transfer.pretrained`) when it is asked for."""
    if name == "load":
        return importlib.import_module("ecglipse.transfer.pretrained").load
    raise AttributeError(f"module 'ecglipse' has no attribute {name!r}")
