"""Forms: which leads a score speaks for, and over what coverage is exact."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

LIMB = frozenset({"I", "II", "III", "aVR", "aVL", "aVF"})


@dataclass(frozen=True)
class Form:
    """Which leads are hidden together.

    Args:
        groups: scores a segment.
        lead_of: the group of each lead; None if groups are leads, or one group is all leads.
        joint: coverage is exact over the whole record and not in every group.
        factorised: a score is half the sum of one for its time and one for its lead.
    """

    groups: int
    lead_of: tuple[int, ...] | None = None
    joint: bool = False
    factorised: bool = False

    @property
    def scored(self) -> int:
        """Rows of scores that a network gives: one a group, and one for time where they are factorised."""
        return self.groups + self.factorised

    def combined(self, scores: Float[Tensor, "batch scored segment"]) -> Float[Tensor, "batch group segment"]:
        """Make the scores of the groups of those that a network gives.

        Factorised, s(lead, t) = (a(t) + mean_t b(lead, t)) / 2, a the first row.
        """
        if not self.factorised:
            return scores
        return (scores[:, :1] + scores[:, 1:].mean(-1, keepdim=True)) / 2

    def over_groups(
        self, per_lead: Float[Tensor, "batch lead segment"]
    ) -> Float[Tensor, "batch group segment"]:
        """Give the mean over the leads of each group."""
        if self.lead_of is not None:
            members = _members(self.lead_of, self.groups, per_lead.device)
            return torch.stack([per_lead[:, own].mean(1) for own in members], dim=1)
        return per_lead.mean(1, keepdim=True) if self.groups == 1 else per_lead

    def over_leads(self, mask: Float[Tensor, "batch group time"]) -> Float[Tensor, "batch some time"]:
        """Give each lead its group's mask; one group for all leads stays one."""
        if self.lead_of is None:
            return mask
        return mask[:, _index(self.lead_of, mask.device)]


@functools.lru_cache(maxsize=16)
def _index(lead_of: tuple[int, ...], device: torch.device) -> Int[Tensor, " lead"]:
    """On the device once: a copy in each step would make the host wait for it."""
    return torch.tensor(lead_of, device=device)


@functools.lru_cache(maxsize=16)
def _members(
    lead_of: tuple[int, ...], groups: int, device: torch.device
) -> tuple[Int[Tensor, " member"], ...]:
    """The leads of each group, on the device once."""
    return tuple(
        torch.tensor([place for place, own in enumerate(lead_of) if own == group], device=device)
        for group in range(groups)
    )


def shared() -> Form:
    """One mask for all leads."""
    return Form(groups=1)


def per_lead(leads: Sequence[str]) -> Form:
    """One mask a lead, each of the same coverage."""
    return Form(groups=len(leads))


def cells(leads: Sequence[str]) -> Form:
    """Segments of all leads compete for one coverage: a lead may be hidden whole, another not at all."""
    return Form(groups=len(leads), joint=True)


def factorised(leads: Sequence[str]) -> Form:
    """As `cells`, by which times and which leads and not by which times of which leads."""
    return Form(groups=len(leads), joint=True, factorised=True)


def bands(count: int) -> Form:
    """Segments of so many bands of frequency compete for one coverage, for all leads at once."""
    return Form(groups=count, joint=True)


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


FORMS = ("shared", "per-lead", "electrodes", "cells", "factorised")


def form_of(name: str, leads: Sequence[str]) -> Form:
    """Give the form of this name.

    Raises:
        ValueError: if there is none.
    """
    makers = {"per-lead": per_lead, "electrodes": electrodes, "cells": cells, "factorised": factorised}
    if name == "shared":
        return shared()
    if name not in makers:
        raise ValueError(f"`name` must be one of {', '.join(FORMS)}; got {name!r}")
    return makers[name](leads)
