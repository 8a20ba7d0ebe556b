"""Views of any leads in any order: what a lead gets depends on its name, never on its place."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, INDEPENDENT, LEADS
from ecglipse.views.base import BaseViews
from ecglipse.views.catalogue import VIEWS
from ecglipse.views.settings import SETTINGS
from ecglipse.views.view import View, make

FS = 250.0
REVERSED = LEADS[::-1]
NOISES = ("gaussian", "wander", "shift", "powerline", "emg")
SPATIAL = ("3kg", "3kg-projection", "electrode-swap", "chest-shift")


def draws(n: int = 6) -> Draws:
    return Draws.of(0, "test", rows=range(n))


def signals(names: tuple[str, ...], n: int = 6, time: int = 750) -> Tensor:
    """The same hearts through other leads."""
    eight = torch.randn(n, 8, time, generator=torch.Generator().manual_seed(5))
    matrix = EXPANSION[[LEADS.index(name) for name in names]]
    return torch.as_tensor(matrix, dtype=torch.float32) @ eight


def view(name: str, names: tuple[str, ...], **changes: object) -> View:
    settings = SETTINGS[name](name=name).model_dump(exclude={"sides"})
    return make(fs=FS, names=names, **{**settings, **changes})


def places(names: tuple[str, ...]) -> list[int]:
    return [LEADS.index(name) for name in names]


@pytest.mark.parametrize("name", [*NOISES, *SPATIAL])
@pytest.mark.parametrize("names", [REVERSED, ("V6", "V1", "II", "aVL", "I", "V2", "V3", "V5", "V4")])
def test_a_lead_gets_what_it_gets_among_the_twelve(name: str, names: tuple[str, ...]) -> None:
    if name == "electrode-swap" and len(names) < 12:
        pytest.skip("some exchanges need leads that are not there")
    whole = view(name, LEADS)(signals(LEADS), draws())
    torch.testing.assert_close(
        view(name, names)(signals(names), draws()), whole[:, places(names)], rtol=0, atol=2e-5
    )


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("names", [("V1",), ("III", "I"), ("II", "I", "III"), INDEPENDENT, REVERSED])
@pytest.mark.parametrize("leads", ["independent", "electrodes", "each", "common"])
def test_noise_is_as_large_in_any_leads_and_keeps_their_algebra(
    name: str, names: tuple[str, ...], leads: str
) -> None:
    """Its size is that of the same lead among the twelve, over 400 records; III stays II - I."""
    added = view(name, names, leads=leads)(torch.zeros(400, len(names), 500), draws(400))
    whole = view(name, LEADS, leads=leads)(torch.zeros(400, 12, 500), draws(400))[:, places(names)]
    size, wanted = (x.square().mean((0, 2)).sqrt() for x in (added, whole))
    torch.testing.assert_close(size, wanted, rtol=0.2, atol=0)
    if {"I", "II", "III"} <= set(names) and leads in ("independent", "electrodes"):
        one, two, three = (added[:, names.index(lead)] for lead in ("I", "II", "III"))
        torch.testing.assert_close(three, two - one, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in SPATIAL])
@pytest.mark.parametrize("names", [("V3",), ("V1", "II"), ("I", "II", "V1")])
def test_every_other_view_works_on_few_leads_and_keeps_their_number(
    name: str, names: tuple[str, ...]
) -> None:
    x = signals(names)
    made = view(name, names)(x, draws())
    assert made.shape == x.shape
    assert torch.isfinite(made).all()


@pytest.mark.parametrize("names", [("II",), ("V1", "I"), REVERSED])
def test_the_base_views_keep_the_signal_beneath(names: tuple[str, ...]) -> None:
    """The fault that this found: on one lead the noise of twelve was broadcast over it."""
    base = BaseViews(
        sigma_mv=0.02, wander_mv=0.05, powerline_mv=0.02, emg_mv=0.02, gain=1.1, fs=FS, names=names
    )
    x = signals(names)
    made = base(x, draws())
    assert made.shape == x.shape
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(made.flatten(0, 1), x.flatten(0, 1), strict=True)]
    assert min(alike) > 0.98


def test_other_leads_than_named_are_refused() -> None:
    for names in (LEADS, ("I",)):
        with pytest.raises(ValueError, match="`names` must name the 2 leads"):
            view("gaussian", names)(signals(("I", "II")), draws())
    for name in SPATIAL:
        with pytest.raises(ValueError, match="`names` must name the 8 leads"):
            view(name, LEADS)(signals(INDEPENDENT), draws())


@pytest.mark.parametrize(
    ("name", "names", "words"),
    [
        ("3kg", ("I", "II", "V1"), "3KG needs I, II, V1, V2, V3, V4, V5, V6, or leads that these follow"),
        ("3kg-projection", LEADS[:6], "3KG needs"),
        ("electrode-swap", INDEPENDENT, "exchanging RA-LA needs lead III"),
        ("electrode-swap", LEADS[:6], "exchanging V1-V2 changes no lead of I, II"),
        ("chest-shift", ("V1", "V2", "V3"), "shifting the chest leads needs V1..V6; without V4, V5, V6"),
        ("lead-subset", ("V1", "V2"), "`fewest` and `most` must be in 1..2"),
    ],
)
def test_a_view_says_which_leads_it_misses(name: str, names: tuple[str, ...], words: str) -> None:
    changes = {"fewest": 3} if name == "lead-subset" else {}
    with pytest.raises(ValueError, match=words):
        view(name, names, **changes)(signals(names), draws())


def test_exchanges_that_the_leads_show_are_made() -> None:
    """Arms exchanged on the six limb leads: I turns over, II and III change places."""
    names = ("III", "II", "I", "aVR", "aVL", "aVF")
    x = signals(names)
    made = view("electrode-swap", names, pairs=("RA-LA",))(x, draws())
    torch.testing.assert_close(made, torch.stack([x[:, 1], x[:, 0], -x[:, 2], x[:, 4], x[:, 3], x[:, 5]], 1))
