"""The shapes of what a report says: a study's methods, their scores, and the differences between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ecglipse.statistics import LabelRatio

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
    settings: Mapping[str, Any] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> tuple[Any, ...]:
        """All that a learned mask and its random twin have in common."""
        shared = {k: v for k, v in self.settings.items() if not k.startswith("mask_network.")}
        return self.leads, self.mix, self.views, self.domain, self.plays, sorted(shared.items())


@dataclass(frozen=True)
class Group:
    """What one number of a table is about: one task, probe, validation and label budget.

    The budget is a share of the labels, or -k for k of each class.
    """

    task: str
    probe: str
    validation: str
    fraction: float


@dataclass(frozen=True)
class Score:
    """A method's macro AUROC (R2 of a regression) on one group, over all its seeds, draws and rotations.

    Args:
        group: what it is about.
        method: the method's name.
        mean: mean over rotations of the mean over cells; None with a `note` where it cannot be had.
        low: lower end of the 95 % interval of the hierarchical bootstrap.
        high: upper end of it.
        sd_seeds: standard deviation of the seeds' means; None below two seeds.
        sd_draws: standard deviation of the draws' means; None below two draws.
        n_seeds: pretraining seeds.
        n_draws: label draws.
        n_rotations: test sets.
        n_cells: cells in the ledger.
        n_test: test records of all rotations together; who is tested in two counts once.
        note: why there is no number.
    """

    group: Group
    method: str
    mean: float | None
    low: float | None = None
    high: float | None = None
    sd_seeds: float | None = None
    sd_draws: float | None = None
    n_seeds: int = 0
    n_draws: int = 0
    n_rotations: int = 0
    n_cells: int = 0
    n_test: int = 0
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """A method's score minus a baseline's, on the same test records, seeds and draws.

    Args:
        group: what it is about.
        method: the method's name.
        baseline: the name of what it is compared with.
        twin: the baseline hides at random, the same leads as the method: the comparison that tells
            whether *learning* what to hide helped.
        control: "frozen twin" or "shuffled twin" where the baseline is one: the same mask network, unlearned,
            or its masks on other records.
        estimate: the mean difference; None with a `note` where it cannot be had.
        low: lower end of its 95 % interval.
        high: upper end of it.
        p_value: two-sided, of the bootstrap.
        p_holm: adjusted over the tasks of the study, at this probe, validation and fraction.
        p_permuted: two-sided, of the permutation test of these very encoders: another seed is no part of it;
            unadjusted. Only where the verdict looks; None elsewhere and where the two cannot be exchanged.
        superiority: share of resamples in which the method is better.
        n_pairs: cells compared with a cell of the baseline.
        note: why there is no number.
    """

    group: Group
    method: str
    baseline: str
    twin: bool
    estimate: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    superiority: float | None = None
    n_pairs: int = 0
    note: str = ""
    control: str = ""
    p_permuted: float | None = None


@dataclass(frozen=True)
class Needed:
    """Labels that a method needs for a baseline's score, over the labels that the baseline had.

    Args:
        group: what the baseline's score is about; its fraction is the baseline's.
        method: the method's name.
        baseline: the name of what it is compared with.
        twin: see `Comparison`; `control` likewise.
        ratio: with its interval and where it is censored; None with a `note` where it cannot be had.
        note: why there is no number.
    """

    group: Group
    method: str
    baseline: str
    twin: bool
    ratio: LabelRatio | None
    note: str = ""
    control: str = ""


@dataclass(frozen=True)
class ClassScore:
    """A method's mean AUROC, AUPRC and F1 for one class; None with a `note` where undefined."""

    group: Group
    method: str
    label: str
    auroc: float | None
    auprc: float | None
    positives: int
    """Test positives of all rotations together, none counted twice."""
    in_macro: bool = True
    """Whether the macro averages have it: in all rotations, or in none."""
    note: str = ""
    f1: float | None = None
    """At the threshold that validation chose."""
    low: float | None = None
    """Lower end of the AUROC's 95 % interval; only at the verdict's share of the labels."""
    high: float | None = None


@dataclass(frozen=True)
class Measure:
    """A method's mean of one metric of the ledger beside the headline; None with a `note` where undefined."""

    group: Group
    method: str
    metric: str
    value: float | None
    note: str = ""
    low: float | None = None
    """Lower end of its 95 % interval; only at the verdict's share of the labels."""
    high: float | None = None


@dataclass(frozen=True)
class Bin:
    """Predictions of like probability: what was said, and how often it was so, with its 95 % interval."""

    n: int
    said: float
    observed: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Reliability:
    """Whether a method's probabilities mean what they say, as they are and after the temperature.

    Args:
        group: what they are about.
        method: the method's name.
        when: "before" or "after" the temperature that validation chose.
        ece: expected calibration error, the mean over cells; None where undefined.
        bins: of equal mass, by rising probability; none where undefined, with a `note`.
        note: why there is nothing.
    """

    group: Group
    method: str
    when: str
    ece: float | None
    bins: tuple[Bin, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Gap:
    """A subgroup's AUROC, TPR or FPR minus that of all other test records, with its 95 % interval."""

    group: Group
    method: str
    variable: str
    name: str
    metric: str
    n: int
    n_rest: int
    value: float
    rest: float
    gap: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Uncompared:
    """A subgroup without a gap: test records in it and others of known value, over all test sets, and why."""

    task: str
    variable: str
    name: str
    n: int
    n_rest: int
    note: str


@dataclass(frozen=True)
class Disturbed:
    """A method's score under a disturbance of the test recordings, minus that without, with its interval."""

    group: Group
    method: str
    name: str
    clean: float
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class WaveShare:
    """How much of one region of the heartbeat a run's masks hide, against circularly shifted masks.

    Args:
        method: the method's name.
        run: whose masks.
        corpus: of the recordings looked at.
        marks: where the marks of the waves come from.
        records: looked at.
        region: P, PQ, QRS, ST, T or TP.
        hidden: share of the region that is hidden.
        chance: the same of masks at a random place.
        ratio: hidden / chance, with its 95 % interval.
        low: lower end.
        high: upper end.
        p_holm: after Holm over the regions; None where undefined, as any other number.
        group: class of the records looked at; "" for all.
        lead: the one looked at, or a band of frequency; "" for all.
    """

    method: str
    run: str
    corpus: str
    marks: str
    records: int
    region: str
    hidden: float | None
    chance: float | None
    ratio: float | None
    low: float | None
    high: float | None
    p_holm: float | None
    group: str = ""
    lead: str = ""


@dataclass(frozen=True)
class Agreement:
    """How alike the masks of two runs are on the same records; see `ecglipse.occlusion.Stability`."""

    method: str
    run: str
    corpus: str
    other: str
    records: int
    rank: float | None
    rank_low: float | None
    rank_high: float | None
    cosine: float | None
    cosine_low: float | None
    cosine_high: float | None
    p_value: float | None


@dataclass(frozen=True)
class MaskCost:
    """A supervised model's AUROC under one way of hiding, and what a run's masks cost beyond it.

    See `ecglipse.occlusion.Arm`.
    """

    method: str
    run: str
    corpus: str
    task: str
    model: str
    tested: int
    arm: str
    auroc: float | None
    low: float | None
    high: float | None
    extra: float | None
    extra_low: float | None
    extra_high: float | None
    p_value: float | None


@dataclass(frozen=True)
class Single:
    """A method's score by one pretraining seed, or on one rotation's test set, or both; means over the rest.

    Args:
        group: what it is about.
        method: the method's name.
        seed: of pretraining; None for all.
        rotation: of the test set; None for all.
        value: mean over label draws and whatever is not named.
    """

    group: Group
    method: str
    seed: int | None
    rotation: int | None
    value: float


@dataclass(frozen=True)
class MethodMasks:
    """What a method's masks hid in all, mean over its runs; see `ecglipse.occlusion.Applied`.

    Args:
        method: the method's name.
        runs: that were measured.
        records: looked at in each, at least.
        draws: of masks, a record, at least.
        coverage: share hidden.
        least: share hidden of the run that hides least.
        most: of the run that hides most.
        run_mean_s: mean length of a hidden stretch of a lead, s; None where nothing is hidden.
        run_s: 5, 50 and 95 % of these lengths, s; none likewise.
        leads_at_once: share of the leads that are hidden where one is; None likewise.
        twin: name of the method's random twin, if it has one.
    """

    method: str
    runs: int
    records: int
    draws: int
    coverage: float
    least: float
    most: float
    run_mean_s: float | None
    run_s: tuple[float, ...]
    leads_at_once: float | None
    twin: str = ""


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
    """Versions, commits, hardware, seconds and times, gathered from the ledger's lines."""
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
        """Give the methods the study is about: learned masks, or else those pretrained and no baseline."""
        learned = tuple(m for m in self.methods if m.masks == "adversarial" and m.network == "learning")
        return learned or tuple(
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
        return roles | {baseline: "" for baseline in self.baselines if baseline not in {name, *roles}}


def percent(fraction: float) -> str:
    """Give a label budget as readers say it: "5 %", "0.5 %", or "10 a class" for -10."""
    if fraction < 0:
        return f"{-fraction:g} a class"
    return f"{100 * fraction:.4g} %"
