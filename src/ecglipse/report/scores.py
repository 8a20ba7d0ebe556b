"""The shapes of what one method reaches: scores, by seed, by class, by other metrics, and calibration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """What one number of a table is about: one task, probe, validation and label budget.

    The budget is a share of the labels, or -k for k of each class.
    """

    task: str
    probe: str
    validation: str
    fraction: float


def percent(fraction: float) -> str:
    """Give a label budget as readers say it: "5 %", "0.5 %", or "10 a class" for -10."""
    if fraction < 0:
        return f"{-fraction:g} a class"
    return f"{100 * fraction:.4g} %"


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
