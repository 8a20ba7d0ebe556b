"""What a recording has: its rhythm, the forms beside it, and whether it is of a planted class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from ecglipse.corpora.simulation.draws import normals, uniform

RHYTHMS: dict[str, str] = {
    "SR": "sinus rhythm, 60-99 beats a minute",
    "SB": "sinus bradycardia, 40-59 beats a minute",
    "ST": "sinus tachycardia, 101-150 beats a minute",
    "AF": "atrial fibrillation, 60-140 beats a minute",
    "AFL": "atrial flutter, 2:1 to 4:1 conduction, 60-170 beats a minute",
    "SVT": "supraventricular tachycardia without visible P waves, 150-220 beats a minute",
    "PACE": "ventricular pacing, 55-90 beats a minute, after P waves or without",
}

FORMS: dict[str, str] = {
    "LBBB": "complete left bundle branch block",
    "RBBB": "complete right bundle branch block",
    "1AVB": "first degree AV block, PR 210-320 ms",
    "LVH": "voltage of left ventricular hypertrophy, S V1 + R V5 or V6 at least 3.5 mV",
    "STE": "ST elevation, anterior, inferior or lateral",
    "STD": "ST depression, left and inferior leads",
    "PVC": "premature ventricular beats, at least one",
    "PAC": "premature atrial beats, at least one",
}

OF_PATIENT = ("LBBB", "RBBB", "1AVB", "LVH")
"""Forms that all recordings of a patient have, where rhythm and other forms allow; the others come and go."""

EXCLUDED: dict[str, frozenset[str]] = {
    "LBBB": frozenset({"PACE"}),
    "RBBB": frozenset({"PACE", "LBBB"}),
    "1AVB": frozenset({"AF", "AFL", "SVT", "PACE"}),
    "LVH": frozenset({"PACE", "LBBB", "RBBB"}),
    "STE": frozenset({"PACE", "LBBB", "LVH"}),
    "STD": frozenset({"PACE", "LBBB", "LVH", "STE"}),
    "PVC": frozenset({"PACE", "SVT"}),
    "PAC": frozenset({"AF", "AFL", "SVT", "PACE"}),
}
"""With which rhythms, and which forms above it in `FORMS`, a form does not go."""

WITHOUT_P = frozenset({"AF", "AFL", "SVT", "PACE"})
"""Rhythms of which some or all recordings have no P wave before each QRS."""


@dataclass(frozen=True)
class Planted:
    """A class that differs from all other recordings in one wave and in nothing else.

    Recordings of the class carry the code "planted-P", "planted-QRS" or "planted-T"; the wave is `gain` times
    as large in them. Who is of the class is drawn by the seed, independent of all else, and no other draw
    changes: a recording of the class equals the one made without `Planted` but for that wave. What a mask
    hides from a model that learned the class can so be held against what is known.

    Args:
        wave: "P", "QRS" or "T"; for "T" the ST segment stays as it is.
        gain: factor on the wave's size, neither 0 nor 1; below 0 turns it over.
        share: of the recordings, between 0 and 1.
    """

    wave: str
    gain: float = 0.5
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.wave not in ("P", "QRS", "T"):
            raise ValueError(f"`wave` must be one of P, QRS, T; got {self.wave!r}")
        if not -10 <= self.gain <= 10 or self.gain in (0, 1):
            raise ValueError(f"`gain` must be between -10 and 10, neither 0 nor 1; got {self.gain}")
        if not 0 < self.share < 1:
            raise ValueError(f"`share` must be above 0 and below 1; got {self.share}")

    @property
    def code(self) -> str:
        """What recordings of the class are marked with."""
        return f"planted-{self.wave}"


@dataclass(frozen=True)
class Conditions:
    """One row per recording."""

    rhythm: tuple[str, ...]
    forms: Mapping[str, Bool[np.ndarray, " row"]]
    """Every name of `FORMS`."""
    planted: Bool[np.ndarray, " row"]

    def is_in(self, *rhythms: str) -> Bool[np.ndarray, " row"]:
        """Whether a row's rhythm is one of these."""
        return np.array([code in rhythms for code in self.rhythm])

    def form_codes(self, planted: Planted | None) -> list[tuple[str, ...]]:
        """The codes of each row beside its rhythm, in the order of `FORMS`."""
        names = list(self.forms) + ([planted.code] if planted else [])
        held = np.array([*self.forms.values(), *([self.planted] if planted else [])])
        return [tuple(names[k] for k in np.flatnonzero(column)) for column in held.T]


def draw_conditions(
    seed: int,
    numbers: Sequence[int],
    owners: Sequence[int],
    *,
    rhythms: Sequence[str],
    forms: Mapping[str, float],
    planted: Planted | None,
) -> Conditions:
    """Draw what the recordings of these numbers have.

    Each run of `len(rhythms)` recordings is one permutation of the rhythms. Forms are drawn independently
    with their shares, those of `OF_PATIENT` by patient, and given up where `EXCLUDED` says so.
    """
    group, place = np.divmod(np.asarray(numbers, np.int64), len(rhythms))
    order = np.argsort(normals(seed, "order", group.tolist(), len(rhythms)), axis=1)
    rhythm = tuple(rhythms[kind] for kind in order[np.arange(len(group)), place])
    drawn = uniform(normals(seed, "forms", numbers, len(FORMS) + 1), 0.0, 1.0)
    of_patient = uniform(normals(seed, "forms of patient", owners, len(FORMS)), 0.0, 1.0)
    held: dict[str, Bool[np.ndarray, " row"]] = {}
    for k, name in enumerate(FORMS):
        score = of_patient[:, k] if name in OF_PATIENT else drawn[:, k]
        held[name] = score < forms.get(name, 0.0)
        for other in EXCLUDED[name]:
            held[name] &= ~(held[other] if other in held else np.array([code == other for code in rhythm]))
    return Conditions(rhythm, held, drawn[:, -1] < (planted.share if planted else 0.0))
