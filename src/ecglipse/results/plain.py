"""Turns values into what JSON has. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def plain(value: Any, *, number: Callable[[float], Any]) -> Any:
    """Turn mappings, tuples and NumPy's values, however deep, into dicts, lists and Python's own.

    Args:
        value: to be turned.
        number: what becomes of a float.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, number=number) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, number=number) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist(), number=number)
    return number(value) if isinstance(value, float) else value
