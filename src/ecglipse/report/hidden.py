"""The shapes of what masks hide: waves, alike or not in two runs, at what cost, and how much in all."""

from dataclasses import dataclass


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
