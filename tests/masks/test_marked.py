"""Masks laid on marked waves: marked segments first, exact coverage, own draws, cut as the views are."""

import itertools
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from ecglipse.corpora import get
from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.masks import Fill, MarkedMask, Marks, MixedMask, RandomMask, form_of
from ecglipse.objectives import pairs
from ecglipse.pretrain import AdversarialMasking
from ecglipse.waves.spans import ALL_LEADS, spans

FS = 100.0


def table(*rows: tuple[int, str, str | None, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["row", "kind", "lead", "onset_s", "peak_s", "offset_s"])


def marks_of(waves: pd.DataFrame, aim: str, *, n: int, time: int = 1000) -> Marks:
    return Marks(waves, aim, n_records=n, leads=LEADS, n_samples=time, fs=FS)


def policy(form: str = "shared", *, coverage: float = 0.3, segment_s: float = 0.1) -> MarkedMask:
    return MarkedMask(form=form_of(form, LEADS), coverage=coverage, segment_s=segment_s, fs=FS)


def draws(seed: int = 0, n: int = 8, epoch: int = 0) -> Draws:
    return Draws.of(seed, "mask", epoch, rows=range(n))


@pytest.fixture(scope="module")
def waves() -> pd.DataFrame:
    """P, QRS and T a beat, at a rate of its own in each of 8 records; in some one lead is late."""
    beats = [
        (row, kind, lead, at + start, at + (start + stop) / 2, at + stop)
        for row in range(8)
        for lead in (LEADS if row % 2 else (None,))
        for at in np.arange(0.4, 9.4, 0.7 + 0.05 * row) + (0.03 if lead == "V1" else 0)
        for kind, start, stop in (("P", -0.2, -0.1), ("QRS", -0.05, 0.05), ("T", 0.2, 0.35))
    ]
    return table(*beats)


def test_spans_by_hand() -> None:
    nan = float("nan")
    marked = table(
        (3, "QRS", "II", 0.10, 0.12, 0.20),
        (1, "QRS", None, nan, 0.50, 0.55),  # no onset: from the peak
        (1, "QRS", "II", 0.70, 0.75, nan),  # no offset: to the peak
        (1, "T", None, 0.60, 0.65, 0.70),  # another kind
        (2, "QRS", "X", 0.1, 0.2, 0.3),  # a lead that is not there
        (2, "QRS", None, nan, nan, nan),
        (2, "QRS", None, 0.97, 1.0, 1.2),  # ends after the record
        (2, "QRS", None, 1.3, 1.4, 1.5),  # is after it
    )
    found = spans(marked, "qrs", leads=("I", "II"), n_samples=100, fs=100.0)
    rows = list(zip(found.row, found.lead, found.start, found.stop, strict=True))
    assert rows == [(1, ALL_LEADS, 50, 56), (1, 1, 70, 76), (2, ALL_LEADS, 97, 100), (3, 1, 10, 21)]
    peaks = spans(marked, "r", leads=("I", "II"), n_samples=100, fs=100.0)
    assert list(zip(peaks.start, peaks.stop, strict=True)) == [(50, 51), (75, 76), (12, 13)]
    with pytest.raises(ValueError, match="must be one of p, qrs, r, t; got 'u'"):
        spans(marked, "u", leads=("I",), n_samples=100, fs=100.0)


def test_marks_are_signals_by_row() -> None:
    marks = marks_of(
        table((2, "T", None, 0.1, 0.15, 0.19), (2, "T", "V1", 0.15, 0.2, 0.25), (0, "P", None, 0, 0.1, 0.2)),
        "t",
        n=4,
        time=50,
    )
    x = marks(np.array([3, 2, 0]))
    wanted = torch.zeros(3, 12, 50)
    wanted[1, :, 10:20] = 1
    wanted[1, LEADS.index("V1"), 10:26] = 1
    assert torch.equal(x, wanted)
    assert marks.marked.tolist() == [True, False, True, False]


@pytest.mark.parametrize("form", ["shared", "per-lead", "electrodes", "cells"])
@pytest.mark.parametrize(("coverage", "segment_s"), [(0.1, 0.1), (0.5, 0.25), (0.7, 0.07)])
def test_coverage_is_exact(waves: pd.DataFrame, form: str, coverage: float, segment_s: float) -> None:
    made = policy(form, coverage=coverage, segment_s=segment_s)
    mask = made(marks_of(waves, "qrs", n=8)(np.arange(8)), draws())
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    share = mask.expand(-1, 12, -1).mean((1, 2)) if form == "cells" else mask.mean(-1)
    torch.testing.assert_close(share, torch.full_like(share, coverage), atol=5e-4, rtol=0)


def obeys(inside: Tensor, mask: Tensor, n_segments: int) -> Tensor:
    """Per row: every hidden segment touches a wave, or every segment that does is hidden."""
    edges = [-(-k * inside.shape[-1] // n_segments) for k in range(n_segments + 1)]

    def cut(x: Tensor) -> Tensor:
        return torch.stack([x[..., a:b].amax(-1) for a, b in itertools.pairwise(edges)], dim=-1)

    touched, hidden = cut(inside) > 0, cut(mask) > 0
    return (~hidden | touched).all(-1) | (hidden | ~touched).all(-1)


@pytest.mark.parametrize("aim", ["p", "qrs", "r", "t"])
@pytest.mark.parametrize("coverage", [0.05, 0.2, 0.6])
def test_marked_segments_are_hidden_before_all_others(waves: pd.DataFrame, aim: str, coverage: float) -> None:
    inside = marks_of(waves, aim, n=8)(np.arange(8))
    for form in ("shared", "per-lead"):
        mask = policy(form, coverage=coverage)(inside, draws())
        rows = inside if form == "per-lead" else inside.amax(1, keepdim=True)
        assert obeys(rows, mask, 100).all()
    chance = RandomMask(form=form_of("shared", LEADS), coverage=coverage, segment_s=0.1, fs=FS)
    assert not obeys(inside.amax(1, keepdim=True), chance(inside, draws()), 100).all()  # the control


def test_on_ludb_the_law_holds(pack: Path) -> None:
    """Twenty recordings with marks by hand in each lead, 500 Hz."""
    records = [entry.load() for entry in get("ludb").entries(pack / "ludb")[::10]]
    marked = table(
        *[
            (row, wave.kind, wave.lead, wave.onset_s, wave.peak_s, wave.offset_s)
            for row, record in enumerate(records)
            for wave in record.waves
        ]
    )
    for aim in ("p", "qrs", "r", "t"):
        marks = Marks(marked, aim, n_records=20, leads=LEADS, n_samples=5000, fs=500.0)
        inside = marks(np.arange(20))
        assert marks.marked.all()
        assert inside.mean() > 0.001
        for form, coverage in (("per-lead", 0.1), ("shared", 0.1), ("shared", 0.5)):
            mask = MarkedMask(form=form_of(form, LEADS), coverage=coverage, segment_s=0.1, fs=500.0)(
                inside, draws(n=20)
            )
            assert obeys(inside if form == "per-lead" else inside.amax(1, keepdim=True), mask, 100).all()
            assert (mask.mean(-1) - coverage).abs().max() < 1e-4


def test_what_is_hidden_is_drawn_by_seed_epoch_and_record_alone(waves: pd.DataFrame) -> None:
    marks, made = marks_of(waves, "t", n=8), policy()
    whole = made(marks(np.arange(8)), draws())
    order = np.array([5, 0, 7])
    assert torch.equal(made(marks(order), Draws.of(0, "mask", 0, rows=order)), whole[order])
    assert torch.equal(made(marks(np.arange(8)), draws()), whole)
    for other in (draws(seed=1), draws(epoch=1)):
        assert not torch.equal(made(marks(np.arange(8)), other), whole)


def test_a_record_without_the_wave_is_hidden_at_random() -> None:
    nothing = torch.zeros(2000, 12, 100)
    often = policy(coverage=0.3)(nothing, draws(n=2000)).mean((0, 1)).view(10, 10)[:, 0]
    assert (often - 0.3).abs().max() < 0.05  # 4.9 standard errors of 2,000 records


class Seen(nn.Module):
    """An encoder that keeps what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.views: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.views.append(x.detach())
        return x.mean(-1)


class Nine(Fill):
    """-9 mV: seen nowhere else."""

    def forward(self, x: Tensor, mask: Tensor, draws: Draws) -> Tensor:
        return torch.full_like(x[..., :1], -9.0)


CUTS = {
    "records": pairs.records,
    "segments": partial(pairs.segments, count=2),
    "three segments": partial(pairs.segments, count=3),
    "crops": partial(pairs.crops, length=400),
    "leads": pairs.leads,
    "both": pairs.both(partial(pairs.segments, count=4), pairs.leads),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("both", [False, True])
def test_marks_move_with_the_cut(waves: pd.DataFrame, cut: str, both: bool) -> None:
    """The signal is 2 within a wave and 1 elsewhere, so the encoder sees what is hidden of which."""
    inside = marks_of(waves, "qrs", n=8)(np.arange(8))
    x, encoder = 1 + inside, Seen()
    game = AdversarialMasking(
        encoder,
        nn.Identity(),
        policy("shared", coverage=0.1),
        pairs=CUTS[cut],
        fill=Nine(),
        both=both,
    )
    played = game.encoder_loss(x, x, draws(), marks=inside)
    for view in encoder.views if both else [encoder.views[1]]:
        assert ((view == -9).float().mean((1, 2)) - 0.1).abs().max() < 0.002
    bare = Seen()
    plain = AdversarialMasking(bare, nn.Identity(), policy("shared", coverage=0.0), pairs=CUTS[cut])
    plain.encoder_loss(x, x, draws(), marks=inside)
    for shown, whole in zip(encoder.views, bare.views, strict=True):
        hidden = (shown == -9)[:, :1].float()
        if hidden.any():
            n_segments = round(whole.shape[-1] / 10)
            assert obeys((whole == 2).float().amax(1, keepdim=True), hidden, n_segments).all()
    assert played.mask.shape[-1] == encoder.views[0].shape[-1]


def test_without_marks_it_is_refused_and_other_policies_do_not_ask() -> None:
    x = torch.zeros(8, 12, 100)
    game = AdversarialMasking(Seen(), nn.Identity(), policy())
    with pytest.raises(ValueError, match="`marks` must be given"):
        game.one_pass(x, x, draws())
    mixed = MixedMask(policy(), policy(), share=0.5)
    assert mixed.looks_at == "marks"
    chance = RandomMask(form=form_of("shared", LEADS), coverage=0.5, segment_s=0.1, fs=FS)
    AdversarialMasking(Seen(), nn.Identity(), chance).one_pass(x, x, draws())
