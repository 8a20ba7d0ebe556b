"""The shapes of what differs: methods from each other, subgroups from the rest, disturbed from clean."""

from dataclasses import dataclass

from ecglipse.report.scores import Group
from ecglipse.statistics import LabelRatio


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
