"""The twelve leads: names, order, and the linear algebra that ties them together.

Ten electrodes give eight independent leads (I, II, V1..V6); the other four follow exactly:
III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2 (Einthoven, Goldberger).
"""

import difflib

import numpy as np
from jaxtyping import Float

from ecglipse.errors import RecordError

LEADS: tuple[str, ...] = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The order of leads in every array of this package."""

INDEPENDENT: tuple[str, ...] = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The eight leads from which the twelve follow."""

EXPANSION: Float[np.ndarray, "12 8"] = np.array(
    [
        [1.0, 0.0, 0, 0, 0, 0, 0, 0],
        [0.0, 1.0, 0, 0, 0, 0, 0, 0],
        [-1.0, 1.0, 0, 0, 0, 0, 0, 0],
        [-0.5, -0.5, 0, 0, 0, 0, 0, 0],
        [1.0, -0.5, 0, 0, 0, 0, 0, 0],
        [-0.5, 1.0, 0, 0, 0, 0, 0, 0],
        *np.eye(8)[2:],
    ]
)
"""Maps the eight independent leads, in the order of `INDEPENDENT`, to the twelve of `LEADS`."""

INVERSE_DOWER: Float[np.ndarray, "3 8"] = np.array(
    [
        [0.156, -0.010, -0.172, -0.074, 0.122, 0.231, 0.239, 0.194],
        [-0.227, 0.887, 0.057, -0.019, -0.106, -0.022, 0.041, 0.048],
        [0.022, 0.102, -0.229, -0.310, -0.246, -0.063, 0.055, 0.108],
    ]
)
"""Vectorcardiogram (X left, Y down, Z back) from `INDEPENDENT`: Edenbrandt and Pahlm 1988,
J Electrocardiol 21:361, table 1."""

DOWER: Float[np.ndarray, "8 3"] = np.linalg.pinv(INVERSE_DOWER)
"""`INDEPENDENT` from the vectorcardiogram; the pseudo-inverse, so that INVERSE_DOWER @ DOWER = 1
exactly (it equals Dower's own table to three decimals)."""

_BY_LOWER = {name.lower(): name for name in LEADS}


def canonical(name: str) -> str:
    """Give the lead's name as it is in `LEADS`, whatever its case ("AVR", "avr", "v1").

    Raises:
        RecordError: reason "lead-name", if there is no such lead; a near miss is suggested.
    """
    found = _BY_LOWER.get(name.strip().lower())
    if found is None:
        near = difflib.get_close_matches(name.strip().lower(), _BY_LOWER, n=1)
        meant = f"; did you mean {_BY_LOWER[near[0]]!r}?" if near else ""
        raise RecordError(
            f"lead name {name!r} is not one of the twelve{meant}",
            reason="lead-name",
            hint=f"the leads are {', '.join(LEADS)}",
        )
    return found


def expanded(
    signal: Float[np.ndarray, "lead time"], names: tuple[str, ...]
) -> tuple[Float[np.ndarray, "more time"], tuple[str, ...]]:
    """Make the eight independent leads twelve, as carts store them; any other set of leads stays as it is."""
    if set(names) != set(INDEPENDENT):
        return signal, names
    return EXPANSION @ signal[[names.index(lead) for lead in INDEPENDENT]], LEADS


def einthoven_error(signal: Float[np.ndarray, "*batch 12 time"]) -> Float[np.ndarray, "*batch"]:
    """Largest absolute violation, in the signal's unit, of the four exact limb-lead relations.

    Args:
        signal: leads in the order of `LEADS`.
    """
    lead_i, lead_ii = signal[..., 0, :], signal[..., 1, :]
    limb = np.stack(
        [lead_ii - lead_i, -(lead_i + lead_ii) / 2, lead_i - lead_ii / 2, lead_ii - lead_i / 2], axis=-2
    )
    return np.asarray(np.abs(signal[..., 2:6, :] - limb).max(axis=(-2, -1)))
