"""Forms: which leads a score speaks for, and over what coverage is exact."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LIMB = frozenset({"I", "II", "III", "aVR", "aVL", "aVF"})


@dataclass(frozen=True)
class Form:
    """Which leads are hidden together.

    Args:
        groups: scores a segment.
        lead_of: the group of each lead; None if groups are leads, or one group is all leads.
        joint: coverage is exact over the whole record and not in every group.
    """

    groups: int
    lead_of: tuple[int, ...] | None = None
    joint: bool = False

    def over_leads(self, mask: Float[Tensor, "batch group time"]) -> Float[Tensor, "batch some time"]:
        """Give each lead its group's mask; one group for all leads stays one."""
        if self.lead_of is None:
            return mask
        return mask[:, torch.tensor(self.lead_of, device=mask.device)]


def shared() -> Form:
    """One mask for all leads."""
    return Form(groups=1)


def per_lead(leads: Sequence[str]) -> Form:
    """One mask a lead, each of the same coverage."""
    return Form(groups=len(leads))


def cells(leads: Sequence[str]) -> Form:
    """Segments of all leads compete for one coverage: a lead may be hidden whole, another not at all."""
    return Form(groups=len(leads), joint=True)


def electrodes(leads: Sequence[str]) -> Form:
    """The six limb leads are hidden together, each other lead alone.

    Three electrodes make the six limb leads, which span two dimensions: any two of them give the other four
    exactly. So a limb lead is hidden from the encoder only where at most one of them is left; with all
    hidden together it cannot be had linearly from what is left (tested).
    """
    names, lead_of = ["limb"] if LIMB & set(leads) else [], []
    for lead in leads:
        name = "limb" if lead in LIMB else lead
        if name not in names:
            names.append(name)
        lead_of.append(names.index(name))
    return Form(groups=len(names), lead_of=tuple(lead_of))


FORMS = ("shared", "per-lead", "electrodes", "cells")


def form_of(name: str, leads: Sequence[str]) -> Form:
    """Give the form of this name.

    Raises:
        ValueError: if there is none.
    """
    makers = {"per-lead": per_lead, "electrodes": electrodes, "cells": cells}
    if name == "shared":
        return shared()
    if name not in makers:
        raise ValueError(f"`name` must be one of {', '.join(FORMS)}; got {name!r}")
    return makers[name](leads)
