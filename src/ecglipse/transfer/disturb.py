"""Disturbances of test recordings: noise, lost leads, swapped electrodes, another recorder. No torch.

A disturbance is a function of its name and of the record's row: every method meets the same one.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ecglipse.leads import EXPANSION, INDEPENDENT, LEADS
from ecglipse.seeding import numpy_rng
from ecglipse.signal import resample

SNR_DB = {"noise, 20 dB": 20.0, "noise, 10 dB": 10.0, "noise, 5 dB": 5.0, "noise, 0 dB": 0.0}
KEPT = {
    "limb leads only": ("I", "II", "III", "aVR", "aVL", "aVF"),
    "I and II only": ("I", "II"),
    "I only": ("I",),
    "V1 lost": tuple(lead for lead in LEADS if lead != "V1"),
}
SWAPS: dict[str, dict[str, tuple[str, float]]] = {
    "arms swapped": {
        "I": ("I", -1.0),
        "II": ("III", 1.0),
        "III": ("II", 1.0),
        "aVR": ("aVL", 1.0),
        "aVL": ("aVR", 1.0),
    },
    "V1 and V2 swapped": {"V1": ("V2", 1.0), "V2": ("V1", 1.0)},
}
RECORDERS_HZ = {"recorded at 100 Hz": 100.0, "recorded at 250 Hz": 250.0, "recorded at 500 Hz": 500.0}
LADDER: tuple[str, ...] = (*SNR_DB, *KEPT, *SWAPS, *RECORDERS_HZ)
"""All disturbances, the mildest of a kind first."""


def possible(leads: Sequence[str]) -> tuple[str, ...]:
    """Name the disturbances that recordings with these leads can have."""
    held = set(leads)
    lost = [name for name, kept in KEPT.items() if not held & set(kept) or held <= set(kept)]
    odd = [name for name, swap in SWAPS.items() if not set(swap) <= held]
    return tuple(name for name in LADDER if name not in (*lost, *odd))


def disturbed(
    signals: Float[np.ndarray, "record lead time"],
    name: str,
    *,
    rows: Int[np.ndarray, " record"],
    fs: float,
    leads: Sequence[str],
) -> Float[np.ndarray, "record lead time"]:
    """Give the recordings as they would be under a disturbance.

    Noise: half of its power is white (muscle), half is a random walk above 0.05 Hz (electrodes), drawn for
    the eight independent leads and carried to the others by the leads' algebra; the ratio is of the powers
    about the mean, over all leads. Lost leads are 0, as in a store. Swapped arms turn I, and change II with
    III and aVR with aVL. Another recorder: the recording at its rate, brought back to the store's as
    `prepare` does.

    Args:
        signals: in mV.
        name: of `LADDER`.
        rows: of the store; they name the noise.
        fs: Hz.
        leads: of the signals.

    Raises:
        ValueError: if there is no such disturbance.
    """
    if name in SNR_DB:
        return np.stack(
            [x + _noise(x, SNR_DB[name], int(row), leads, fs) for x, row in zip(signals, rows, strict=True)]
        ).astype(np.float32)
    found = signals.astype(np.float32, copy=True)
    if name in KEPT:
        found[:, [k for k, lead in enumerate(leads) if lead not in KEPT[name]]] = 0.0
    elif name in SWAPS:
        for lead, (other, sign) in SWAPS[name].items():
            found[:, leads.index(lead)] = sign * signals[:, leads.index(other)]
    elif name in RECORDERS_HZ:
        hz = RECORDERS_HZ[name]
        found = np.stack([resample(resample(x, fs, hz), hz, fs) for x in found])
    else:
        raise ValueError(f"`name` must be one of {', '.join(LADDER)}; got {name!r}")
    return found


def _noise(x: np.ndarray, snr_db: float, row: int, leads: Sequence[str], fs: float) -> np.ndarray:
    """Noise of a record, of the power that the ratio asks for."""
    rng = numpy_rng(0, "noise", row)
    time = x.shape[-1]
    white = rng.standard_normal((len(INDEPENDENT), time))
    spectrum = np.fft.rfft(rng.standard_normal((len(INDEPENDENT), time)), axis=-1)
    hz = np.fft.rfftfreq(time, 1 / fs)
    walk = np.fft.irfft(spectrum * np.where(hz >= 0.05, 1 / np.maximum(hz, 0.05), 0.0), n=time, axis=-1)
    mixed = white / white.std() + walk / walk.std()
    noise = EXPANSION[[LEADS.index(lead) for lead in leads]] @ mixed
    power = float(np.mean(x.var(axis=-1)))
    return np.asarray(noise * np.sqrt(power / 10 ** (snr_db / 10) / np.mean(noise.var(axis=-1))))
