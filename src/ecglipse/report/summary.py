"""Everything that a report of a study says in numbers, and who is whose twin, floor and opponent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ecglipse.report.differences import Comparison, Disturbed, Gap, Needed, Uncompared
from ecglipse.report.hidden import Agreement, MaskCost, MethodMasks, WaveShare
from ecglipse.report.methods import CONTROLS, FLOORS, Method
from ecglipse.report.scores import ClassScore, Group, Measure, Reliability, Score, Single


@dataclass(frozen=True)
class Summary:
    """Everything that a report of a study says in numbers."""

    name: str
    methods: tuple[Method, ...]
    baselines: tuple[str, ...]
    tasks: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    """Pairs of probe and validation, the headline first."""
    fractions: tuple[float, ...]
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    classes: tuple[ClassScore, ...]
    synthetic: bool
    cautions: tuple[str, ...]
    """Limits of this very study, one sentence each."""
    missing_floors: tuple[str, ...]
    facts: Mapping[str, Any]
    """`study.json` as read."""
    hardware: Mapping[str, Any] = field(default_factory=dict)
    """Commits, versions and hardware of the ledger's lines; cells, their seconds, reads of test sets."""
    needed: tuple[Needed, ...] = ()
    measures: tuple[Measure, ...] = ()
    gaps: tuple[Gap, ...] = ()
    uncompared: tuple[Uncompared, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    waves: tuple[WaveShare, ...] = ()
    wave_parts: tuple[WaveShare, ...] = ()
    """Of single leads (or bands), and of classes of records."""
    agreements: tuple[Agreement, ...] = ()
    costs: tuple[MaskCost, ...] = ()
    wave_faults: tuple[str, ...] = ()
    disturbed: tuple[Disturbed, ...] = ()
    singles: tuple[Single, ...] = ()
    masks: tuple[MethodMasks, ...] = ()
    mask_faults: tuple[str, ...] = ()
    regressions: tuple[str, ...] = ()
    """Tasks that are numbers: their scores are R2 and not macro AUROC."""
    ranked: bool = True
    """Whether methods may be ranked: the floors are there, or were not asked for."""

    @property
    def shares(self) -> tuple[float, ...]:
        """The label budgets that are shares of all labels, ascending."""
        return tuple(f for f in self.fractions if f > 0)

    @property
    def measured(self) -> str:
        """Say what the scores are: "macro AUROC (R² for age)"."""
        numbers = [task for task in self.tasks if task in self.regressions]
        if not numbers:
            return "macro AUROC"
        return "R²" if len(numbers) == len(self.tasks) else f"macro AUROC (R² for {', '.join(numbers)})"

    def metric(self, task: str) -> str:
        """Give the headline metric's key; higher is better for every one."""
        return "r2" if task in self.regressions else "macro_auroc"

    def method(self, name: str) -> Method:
        """Give the method of that name."""
        return next(m for m in self.methods if m.name == name)

    def score(self, group: Group, method: str) -> Score:
        """Give a method's score on a group; one without a number if there is none."""
        return self._by_place.get((group, method)) or Score(group, method, None, note="n/a")

    @cached_property
    def _by_place(self) -> dict[tuple[Group, str], Score]:
        """Scores by group and method; of two, the first."""
        return {(score.group, score.method): score for score in reversed(self.scores)}

    def seeds_of(self, score: Score) -> tuple[float, ...]:
        """Give a score by each pretraining seed; nothing where there is only one."""
        found = self._by_seed.get((score.group, score.method), ())
        return found if len(found) > 1 else ()

    @cached_property
    def _by_seed(self) -> dict[tuple[Group, str], tuple[float, ...]]:
        """Scores by each seed, by group and method."""
        found: dict[tuple[Group, str], tuple[float, ...]] = {}
        for one in self.singles:
            if one.rotation is None:
                key = (one.group, one.method)
                found[key] = (*found.get(key, ()), one.value)
        return found

    def floor(self, group: Group, method: str) -> Score:
        """Give a method's score; of a floor that is not read so, the score of how it is read.

        From scratch nothing is probed, and measurements and constants cannot be fine-tuned.
        """
        score, kind = self.score(group, method), self.method(method).kind
        if score.n_cells or kind not in FLOORS:
            return score
        probe = "finetune" if kind == "scratch" else "linear"
        return self.score(Group(group.task, probe, "matched", group.fraction), method)

    def candidates(self) -> tuple[Method, ...]:
        """Give the methods the study is about: learned masks, and what has a baseline of its own; or else
        those pretrained and no baseline."""
        asked = tuple(
            m for m in self.methods if m.baseline or (m.masks == "adversarial" and m.network == "learning")
        )
        return asked or tuple(
            m for m in self.methods if m.kind == "pretrained" and m.name not in self.baselines
        )

    def twin(self, name: str) -> Method | None:
        """Give the random masks that differ from a method's learned ones in nothing but being learned."""
        own = self.method(name)
        if own.masks != "adversarial":
            return None
        return next((m for m in self.methods if m.masks == "random" and m.form == own.form), None)

    def controls(self, name: str) -> dict[str, Method]:
        """Give the floors of a learned mask, by kind of `CONTROLS`: the same form, frozen or shuffled.

        Of several the one with the method's own mask network and choice; all but these are of its form.
        """
        own, found = self.method(name), dict[str, Method]()
        if own.masks != "adversarial" or own.network != "learning":
            return found
        for kind in CONTROLS:
            able = [m for m in self.methods if (m.masks, m.network, m.form) == (own.masks, kind, own.form)]
            able.sort(key=lambda m: (m.settings != own.settings) + (m.choice != own.choice))
            found |= {kind: able[0]} if able else {}
        return found

    def opponents(self, name: str) -> dict[str, str]:
        """Give whom a method is compared with, and as what: "random twin", "frozen twin", or ""."""
        twin = self.twin(name)
        roles = {twin.name: "random twin"} if twin else {}
        roles |= {m.name: f"{kind} twin" for kind, m in self.controls(name).items()}
        own = self.method(name).baseline
        others = dict.fromkeys((own, *self.baselines) if own else self.baselines, "")
        return roles | {baseline: "" for baseline in others if baseline not in {name, *roles}}
