"""From beat times to a dipole: when each wave of each beat is, its drawing, and its marks."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ecglipse.corpora.simulation import beat, shapes
from ecglipse.corpora.simulation.beat import Template
from ecglipse.corpora.simulation.conditions import Conditions, Planted
from ecglipse.corpora.simulation.draws import normals, truncated
from ecglipse.corpora.simulation.ectopy import ATRIAL, VENTRICULAR
from ecglipse.corpora.simulation.patients import Patients
from ecglipse.corpora.simulation.rhythm import Rhythm
from ecglipse.corpora.simulation.ventricles import PREMATURE, Ventricles


class Beats(NamedTuple):
    """All beats of a block, flat: times in seconds from the start of their recording."""

    row: Int[np.ndarray, " beat"]
    at: Float[np.ndarray, " beat"]
    """Reference time of the QRS."""
    qrs_onset: Float[np.ndarray, " beat"]
    look: Int[np.ndarray, " beat"]
    """NARROW, RIGHT_BLOCK, WIDE or PREMATURE."""
    has_p: Bool[np.ndarray, " beat"]
    early_p: Bool[np.ndarray, " beat"]
    pr: Float[np.ndarray, " beat"]
    qt: Float[np.ndarray, " beat"]
    breath: Float[np.ndarray, " beat"]
    z: Float[np.ndarray, "beat 3"]


class Marks(NamedTuple):
    """Waves, flat; times in seconds from the start of their recording."""

    row: Int[np.ndarray, " wave"]
    kind: Int[np.ndarray, " wave"]
    """Place in `KINDS`."""
    onset_s: Float[np.ndarray, " wave"]
    peak_s: Float[np.ndarray, " wave"]
    offset_s: Float[np.ndarray, " wave"]


KINDS: tuple[Literal["P", "QRS", "T"], ...] = ("P", "QRS", "T")


def lay_out(
    seed: int,
    numbers: Sequence[int],
    conditions: Conditions,
    patients: Patients,
    rhythm: Rhythm,
    ventricles: Ventricles,
    *,
    duration_s: float,
) -> Beats:
    """Lay out the beats that can be seen in the recordings, with their intervals.

    QT = QTc (0.8 mean RR + 0.2 last RR)^(1/3), RR in seconds: Fridericia's formula, with the slow adaptation
    of repolarisation to the rate; at most until 20 ms before the next QRS. PR shrinks by 0.3 ms per beat a
    minute. In first degree block it is 210-320 ms, as far as the interval between the beats has room.
    """
    times = rhythm.beats_s
    z = normals(seed, "beats", numbers, times.shape[1], 4)
    row, k = np.nonzero((times > -1.0) & (times < duration_s + 0.5))
    at, kind, z = times[row, k], rhythm.kind[row, k], z[row, k]
    look = np.where(kind == VENTRICULAR, PREMATURE, ventricles.conduction[row])
    lead_in = np.array([one.qrs.onset * one.scale for one in ventricles.looks])
    onset = at + lead_in[look, row]
    before = np.diff(times, axis=1, prepend=(times[:, 0] - rhythm.mean_rr_s)[:, None])[row, k]
    after = np.append(np.where(row[1:] == row[:-1], np.diff(onset), np.inf), np.inf)
    rr = 0.8 * rhythm.mean_rr_s[row] + 0.2 * before
    qt = np.minimum(ventricles.qtc_s[row] * np.cbrt(rr) + 0.002 * z[:, 3], after - 0.02)

    pr = np.clip(patients.pr_s - 0.0003 * (60 / rhythm.mean_rr_s - 70), 0.11, 0.20)
    if conditions.forms["1AVB"].any():
        one = np.ones(len(pr))
        owed = truncated(
            (patients.pr_s - 0.153) / 0.021, 0.245 * one, 0.03 * one, low=0.212 * one, high=0.32 * one
        )
        owed = np.minimum(owed, np.maximum(0.212, 0.62 * rhythm.mean_rr_s))
        pr = np.where(conditions.forms["1AVB"], owed, pr)
    breath = np.sin(2 * np.pi * rhythm.breath_hz[row] * at + rhythm.breath_phase[row])
    has_p = rhythm.has_p[row] & (kind != VENTRICULAR)
    return Beats(row, at, onset, look, has_p, kind == ATRIAL, pr[row], qt, breath, z[:, :3])


def draw_beats(
    beats: Beats,
    conditions: Conditions,
    patients: Patients,
    ventricles: Ventricles,
    *,
    planted: Planted | None,
    leads: Float[np.ndarray, "row 8 3"],
    sway: Float[np.ndarray, "row 3"],
    n_samples: int,
    fs: float,
) -> tuple[Float[np.ndarray, "row 3 time"], Marks]:
    """Draw all waves of the block, and give their marks in order of row and time.

    Breathing turns the heart by `sway` (radians about the three axes) and changes its size by 3 %; each
    wave's size also varies by 2 % from beat to beat. A planted class changes sizes, and no mark.
    """
    dipole = np.zeros((len(leads), 3, n_samples))
    marks: list[Marks] = []
    gain: dict[str, Float[np.ndarray, " row"]] = {kind: np.ones(len(leads)) for kind in KINDS}
    if planted:
        gain[planted.wave] = np.where(conditions.planted, planted.gain, 1.0)

    def draw(
        wave: Template,
        own: Float[np.ndarray, "beat component 3"],
        which: Int[np.ndarray, " beat"],
        at: Float[np.ndarray, " beat"],
        scale: Float[np.ndarray, " beat"],
        place: int,
    ) -> None:
        row, breath = beats.row[which], beats.breath[which]
        turn = breath[:, None, None] * sway[row][:, None]
        size = np.exp(0.02 * beats.z[which, place] + 0.03 * breath)
        own = size[:, None, None] * (own + _cross(turn, own))
        beat.add_wave(dipole, wave, row=row, at_s=at, scale=scale, vectors=own, fs=fs)

    def mark(
        wave: Template,
        vectors: Float[np.ndarray, "row component 3"],
        which: Int[np.ndarray, " beat"],
        at: Float[np.ndarray, " beat"],
        scale: Float[np.ndarray, " beat"],
    ) -> None:
        row = beats.row[which]
        peak = at + scale * beat.peak(wave, vectors, leads)[row]
        kind = np.full(len(row), KINDS.index(wave.kind))
        marks.append(Marks(row, kind, at + scale * wave.onset, peak, at + scale * wave.offset))

    for early in (False, True):
        which = np.flatnonzero(beats.has_p & (beats.early_p == early))
        if len(which):
            row = beats.row[which]
            p = patients.p * np.array([0.7, -0.6, 1.2]) if early else patients.p
            at = beats.qrs_onset[which] - beats.pr[which]
            scale = np.minimum(patients.p_s[row], 0.92 * beats.pr[which]) / beat.P.length
            draw(beat.P, (gain["P"][:, None, None] * p)[row], which, at, scale, 0)
            mark(beat.P, p, which, at, scale)
    for place, look in enumerate(ventricles.looks):
        which = np.flatnonzero(beats.look == place)
        if not len(which):
            continue
        row = beats.row[which]
        scale = look.scale[row]
        draw(look.qrs, (gain["QRS"][:, None, None] * look.vectors)[row], which, beats.at[which], scale, 1)
        mark(look.qrs, look.vectors, which, beats.at[which], scale)
        at = beats.qrs_onset[which] + beats.qt[which]
        scale = np.clip(beats.qt[which] / beat.QT_REFERENCE_S, *beat.SCALE_LIMITS)
        t = look.t.copy()
        t[:, 1:] *= gain["T"][:, None, None]
        draw(beat.T, t[row], which, at, scale, 2)
        mark(beat.T, look.t, which, at, scale)
    shifted = (ventricles.st != 0).any(axis=(1, 2))
    which = np.flatnonzero(shifted[beats.row] & (beats.look != PREMATURE))
    if len(which):
        at = beats.qrs_onset[which] + beats.qt[which]
        scale = np.clip(beats.qt[which] / beat.QT_REFERENCE_S, *beat.SCALE_LIMITS)
        draw(shapes.ST, ventricles.st[beats.row[which]], which, at, scale, 2)
    which = np.flatnonzero(conditions.is_in("PACE")[beats.row])
    if len(which):
        pulse = shapes.spike(fs)
        own = np.repeat(pulse.dipole[None], len(which), axis=0)
        draw(pulse, own, which, beats.qrs_onset[which] - 0.004, np.ones(len(which)), 1)
    return dipole, _inside(marks, n_samples / fs)


def _cross(
    turn: Float[np.ndarray, "beat 1 3"], own: Float[np.ndarray, "beat component 3"]
) -> Float[np.ndarray, "beat component 3"]:
    """The cross product; np.cross takes five times as long."""
    a, b = np.moveaxis(turn, 2, 0), np.moveaxis(own, 2, 0)
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]], axis=2)


def _inside(marks: list[Marks], duration_s: float) -> Marks:
    """The marks that lie wholly inside their recording, in order of row and time."""
    every = Marks(*(np.concatenate(column) for column in zip(*marks, strict=True)))
    order = np.lexsort((every.onset_s, every.row))
    order = order[(every.onset_s[order] >= 0) & (every.offset_s[order] <= duration_s)]
    return Marks(*(column[order] for column in every))
