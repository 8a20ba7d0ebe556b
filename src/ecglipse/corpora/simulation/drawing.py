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
            (patients.pr_s - 0.150) / 0.021, 0.245 * one, 0.03 * one, low=0.212 * one, high=0.32 * one
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
    dipole, marks = np.zeros((len(leads), 3, n_samples)), list[Marks]()
    paper = _Paper(beats, leads, sway, fs, dipole, marks)
    gain = {kind: np.ones((len(leads), 1, 1)) for kind in map(str, KINDS)}
    if planted:
        gain[planted.wave] = np.where(conditions.planted, planted.gain, 1.0)[:, None, None]
    for early in (False, True):
        which = np.flatnonzero(beats.has_p & (beats.early_p == early))
        p = patients.p * np.array([0.7, -0.6, 1.2]) if early else patients.p
        at = beats.qrs_onset[which] - beats.pr[which]
        scale = np.minimum(patients.p_s[beats.row[which]], 0.92 * beats.pr[which]) / beat.P.length
        paper.draw(beat.P, p * gain["P"], which, at, scale)
        paper.mark(beat.P, p, which, at, scale)
    t_at, t_scale = beats.qrs_onset + beats.qt, np.clip(beats.qt / beat.QT_REFERENCE_S, *beat.SCALE_LIMITS)
    for place, look in enumerate(ventricles.looks):
        which = np.flatnonzero(beats.look == place)
        scale = look.scale[beats.row[which]]
        paper.draw(look.qrs, look.vectors * gain["QRS"], which, beats.at[which], scale)
        paper.mark(look.qrs, look.vectors, which, beats.at[which], scale)
        t = np.concatenate([look.t[:, :1], look.t[:, 1:] * gain["T"]], axis=1)
        paper.draw(beat.T, t, which, t_at[which], t_scale[which])
        paper.mark(beat.T, look.t, which, t_at[which], t_scale[which])
    shifted = (ventricles.st != 0).any(axis=(1, 2))
    which = np.flatnonzero(shifted[beats.row] & (beats.look != PREMATURE))
    paper.draw(shapes.ST, ventricles.st, which, t_at[which], t_scale[which])
    which, pulse = np.flatnonzero(conditions.is_in("PACE")[beats.row]), shapes.spike(fs)
    vectors = np.repeat(pulse.dipole[None], len(leads), axis=0)
    paper.draw(pulse, vectors, which, beats.qrs_onset[which] - 0.004, np.ones(len(which)))
    return dipole, _inside(marks, n_samples / fs)


class _Paper(NamedTuple):
    """What waves are drawn on. `vectors` go by recording; `which` names beats, whose `at` and `scale` are."""

    beats: Beats
    leads: Float[np.ndarray, "row 8 3"]
    sway: Float[np.ndarray, "row 3"]
    fs: float
    dipole: Float[np.ndarray, "row 3 time"]
    marks: list[Marks]

    def draw(
        self,
        wave: Template,
        vectors: Float[np.ndarray, "row component 3"],
        which: Int[np.ndarray, " beat"],
        at: Float[np.ndarray, " beat"],
        scale: Float[np.ndarray, " beat"],
    ) -> None:
        """Add one wave of these beats to the dipole, moved by the breathing."""
        if not len(which):
            return
        row, breath = self.beats.row[which], self.beats.breath[which]
        own = vectors[row]
        place = {"P": 0, "QRS": 1, "spike": 1}.get(wave.kind, 2)
        size = np.exp(0.02 * self.beats.z[which, place] + 0.03 * breath)
        own = size[:, None, None] * (own + _cross(breath[:, None, None] * self.sway[row][:, None], own))
        beat.add_wave(self.dipole, wave, row=row, at_s=at, scale=scale, vectors=own, fs=self.fs)

    def mark(
        self,
        wave: Template,
        vectors: Float[np.ndarray, "row component 3"],
        which: Int[np.ndarray, " beat"],
        at: Float[np.ndarray, " beat"],
        scale: Float[np.ndarray, " beat"],
    ) -> None:
        """Note where one wave of these beats is."""
        if not len(which):
            return
        row = self.beats.row[which]
        peak = at + scale * beat.peak(wave, vectors, self.leads)[row]
        kind = np.full(len(row), [str(known) for known in KINDS].index(wave.kind))
        self.marks.append(Marks(row, kind, at + scale * wave.onset, peak, at + scale * wave.offset))


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
