"""Who is compared in a study: its methods, the floors among them, and what they have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FLOORS: Final = ("majority", "handcrafted", "init", "scratch")
"""Kinds of methods that pretrain nothing; what a pretrained encoder has to beat."""

CONTROLS: Final = ("frozen", "shuffled")
"""What becomes of a mask network in the floors of a learned mask."""

SEEDLESS: Final = ("handcrafted", "majority")
"""Kinds of methods in which nothing is drawn."""


@dataclass(frozen=True)
class Method:
    """One line of a study's table, as `study.json` has it.

    Args:
        name: its key in the ledger.
        title: what readers see.
        kind: "pretrained", or one of `FLOORS`.
        masks: what hides: "none", "random", "adversarial", or a guide.
        leads: what a mask covers: "shared", "per-lead", "electrodes" or "cells".
        domain: "time" or "spectral".
        network: "learning", "frozen" or "shuffled", of an adversarial mask.
        choice: "drawn" or "decided", of an adversarial mask.
        plays: objective and pairs, where they are not the study's.
        mix: share of the records that a random mask over all leads hides instead.
        views: what makes a view beside the base augmentation.
        baseline: a method that it is compared with beside the study's baselines; "" for none.
        settings: what it has otherwise than the rest of the study, by dotted path.
        runs: run id by seed.
    """

    name: str
    title: str
    kind: str
    masks: str = "none"
    leads: str = "shared"
    mix: float = 0.0
    views: str = "base"
    domain: str = "time"
    network: str = "learning"
    choice: str = "drawn"
    plays: tuple[str, str] = ("", "")
    baseline: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> tuple[Any, ...]:
        """All that a learned mask and its random twin have in common."""
        shared = {k: v for k, v in self.settings.items() if not k.startswith("mask_network.")}
        return self.leads, self.mix, self.views, self.domain, self.plays, sorted(shared.items())
