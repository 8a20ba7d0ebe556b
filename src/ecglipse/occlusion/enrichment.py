"""How often masks hide each wave, against the same masks at a random place: ratios, intervals, p-values.

For record n, lead l and region k (`waves.REGIONS`), with m the share of draws in which a sample is hidden:

    hidden_nlk   = sum over the region's samples of m
    expected_nlk = samples of the region * mean of m over the record's marked span
    enrichment   = sum of hidden / sum of expected, over records and, where they are pooled, over leads

`expected` is exactly the mean of `hidden` over all circular shifts of the mask within the span. A shift keeps
how much is hidden, the lengths of segments and what is hidden together in several leads, and breaks only
the tie to the waves. Enrichment is at most 1 / coverage, and its mean over the samples of a fully named span
is 1.

Masks of bands of frequency have a row a band instead of a row a lead, and each row hides in every lead.
Then hidden_nbk is the sum over leads of the overlap of the band's mask with that lead's region k, and what
is pooled are bands.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from ecglipse.seeding import numpy_rng
from ecglipse.statistics import holm, interval, resample_patients
from ecglipse.waves import REGIONS, UNSCORED

SHORTEST_SPAN = 50
"""A record with a marked span of fewer samples is left out: there is hardly a place to shift to."""
_TIE = 1e-9


@dataclass(frozen=True)
class Enrichment:
    """One region of one group of records in one lead or band, or in all.

    Args:
        group: of records; "all" or a class.
        lead: its name; None: all leads together, or masks of bands.
        region: of `REGIONS`.
        records: with samples of this region.
        samples: of the region, over records and leads, and over bands where these are pooled.
        hidden: share of these samples that is hidden.
        chance: the same, expected of masks at a random place.
        ratio: hidden / chance.
        low: lower end of the ratio's 95 % interval, bootstrap over patients.
        high: upper end.
        p_value: two-sided, from circular shifts.
        p_holm: adjusted over the regions, and over leads, bands and groups where these were looked at
            one by one.
        band: its name; None: all bands together, or masks of leads.
    """

    group: str
    lead: str | None
    region: str
    records: int
    samples: int
    hidden: float
    chance: float
    ratio: float
    low: float
    high: float
    p_value: float
    p_holm: float
    band: str | None = None

    @property
    def row(self) -> str | None:
        """The lead or band, whichever the mask's rows are; None: all of them together."""
        return self.lead if self.band is None else self.band


def lead_by_lead(regions: Int8[np.ndarray, "lead time"]) -> Int[np.ndarray, "lead region time"]:
    """Say where each region is in each lead, 0 or 1: what a row of a mask over leads can hide."""
    return np.asarray(regions[:, None] == np.arange(len(REGIONS))[:, None], dtype=np.int64)


def all_leads(regions: Int8[np.ndarray, "lead time"]) -> Int[np.ndarray, "1 region time"]:
    """Say in how many leads each region is at a sample: what a band that is hidden in every lead can hide."""
    return np.asarray(lead_by_lead(regions).sum(axis=0, keepdims=True))


class Tally:
    """Adds up records one by one; in memory are sums a record and a null distribution a group.

    Args:
        groups: names of groups of records beside "all".
        n_rows: of each record's mask: leads or bands.
        shifts: random circular shifts of the null distribution; the smallest p-value is 1 / (shifts + 1).
        seed: names the draws of shifts.
        marks: what a row of the mask can hide: `lead_by_lead` or `all_leads`.
    """

    def __init__(
        self,
        groups: Sequence[str],
        *,
        n_rows: int,
        shifts: int,
        seed: int,
        marks: Callable[[np.ndarray], np.ndarray] = lead_by_lead,
    ) -> None:
        if shifts < 1:
            raise ValueError(f"`shifts` must be >= 1; got {shifts}")
        self.groups, self.shifts, self.seed, self.marks = ("all", *groups), shifts, seed, marks
        shape = (n_rows, len(REGIONS))
        self.null = np.zeros((len(self.groups), shifts, *shape), dtype=np.float64)
        self.hidden: list[Float[np.ndarray, "row region"]] = []
        self.expected: list[Float[np.ndarray, "row region"]] = []
        self.size: list[Int[np.ndarray, "row region"]] = []
        self.member: list[Bool[np.ndarray, " group"]] = []
        self.patients: list[int] = []
        self.shares: list[float] = []
        self.left_out = 0

    def add(
        self,
        mask: Float[np.ndarray, "row time"],
        regions: Int8[np.ndarray, "lead time"],
        *,
        member: Bool[np.ndarray, " group"],
        patient: int,
    ) -> None:
        """Add one record; one without enough marked samples is counted in `left_out`.

        Args:
            mask: share of draws in which each sample was hidden, 0 to 1.
            regions: index into `REGIONS` of each sample, or `UNSCORED`.
            member: of which groups (beside "all") the record is.
            patient: code of its patient.
        """
        scored = np.flatnonzero((regions != UNSCORED).any(axis=0))
        if not scored.size or scored[-1] + 1 - scored[0] < SHORTEST_SPAN:
            self.left_out += 1
            return
        span = slice(scored[0], scored[-1] + 1)
        over_shifts, size = overlaps(mask[:, span], self.marks(regions[:, span]))
        number = len(self.patients)
        places = numpy_rng(self.seed, "shifts", number).integers(over_shifts.shape[-1], size=self.shifts)
        shifted = np.moveaxis(over_shifts[..., places], -1, 0)
        for group in (0, *(np.flatnonzero(member) + 1)):
            self.null[group] += shifted
        self.hidden.append(over_shifts[..., 0])
        self.expected.append(size * mask[:, span].mean(axis=1, dtype=np.float64)[:, None])
        self.size.append(size)
        self.member.append(np.concatenate([[True], member]))
        self.patients.append(patient)
        self.shares.append(float(mask[:, span].mean(dtype=np.float64)))

    def coverage(self) -> float:
        """Share hidden within the marked spans, mean over records; NaN without any."""
        return float(np.mean(self.shares)) if self.shares else float("nan")


def overlaps(
    mask: Float[np.ndarray, "row time"], marks: Int[np.ndarray, "some region time"]
) -> tuple[Float[np.ndarray, "row region time"], Int[np.ndarray, "row region"]]:
    """Give how much of each region is hidden under every circular shift of the mask, and the regions' sizes.

    By the correlation theorem: all shifts at the price of a few Fourier transforms.

    Args:
        mask: share of draws in which each sample was hidden.
        marks: how many leads that a row hides in have the region there; a row a row, or one for all.
    """
    spectrum = np.fft.rfft(marks, axis=-1) * np.conj(np.fft.rfft(mask.astype(np.float64)))[:, None]
    over_shifts = np.fft.irfft(spectrum, n=mask.shape[-1], axis=-1)
    return over_shifts, np.broadcast_to(marks.sum(axis=-1), over_shifts.shape[:2])


def enrichments(
    tally: Tally, leads: Sequence[str], *, replicates: int = 2000, seed: int = 0
) -> list[Enrichment]:
    """Give the enrichment of each region: of all leads together and of each, in each group of records.

    p = (1 + #{shifts that move the sum as far from its expectation, or farther}) / (1 + shifts), two-sided.
    Holm over the six regions for all records and leads; over regions and leads; over regions and groups;
    and over all three. A region without samples gives NaN and counts as no test.

    Args:
        tally: of all records.
        leads: their names.
        replicates: of the bootstrap over patients.
        seed: of the bootstrap.
    """
    if not tally.patients:
        return []
    hidden, expected, size = (np.stack(part) for part in (tally.hidden, tally.expected, tally.size))
    member = np.stack(tally.member)
    weights = _patient_weights(np.array(tally.patients), replicates, seed)
    found: list[Enrichment] = []
    for lead_wise, group_wise in ((False, False), (True, False), (False, True), (True, True)):
        family: list[Enrichment] = []
        for group in range(1, len(tally.groups)) if group_wise else (0,):
            own = member[:, group]
            sums = (hidden[own], expected[own], size[own], tally.null[group])
            if not lead_wise:
                sums = tuple(part.sum(axis=-2, keepdims=True) for part in sums)
            names = list(leads) if lead_wise else [None]
            family += _rows(tally.groups[group], names, *sums, weights[:, own])
        found += _adjusted(family)
    return found


def band_enrichments(tally: Tally, bands: Sequence[str]) -> list[Enrichment]:
    """Give the same of masks over bands, whose rows are bands and not leads."""
    return [replace(row, lead=None, band=row.lead) for row in enrichments(tally, bands)]


def _rows(
    group: str,
    leads: Sequence[str | None],
    hidden: Float[np.ndarray, "record lead region"],
    expected: Float[np.ndarray, "record lead region"],
    size: Int[np.ndarray, "record lead region"],
    null: Float[np.ndarray, "shift lead region"],
    weights: Float[np.ndarray, "replicate record"],
) -> Iterator[Enrichment]:
    """One group: estimate, interval and p-value of each lead and region."""
    records, samples = (size > 0).sum(axis=0), size.sum(axis=0)
    seen, chance = hidden.sum(axis=0), expected.sum(axis=0)
    far = np.abs(seen - chance) * (1 - _TIE) - _TIE * np.maximum(chance, 1)
    p_values = (1 + (np.abs(null - chance) >= far).sum(axis=0)) / (1 + len(null))
    flat = (len(hidden), -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        again = (weights @ hidden.reshape(flat)) / (weights @ expected.reshape(flat))
    again = again.reshape(len(weights), *seen.shape)
    for lead, name in enumerate(leads):
        for k, region in enumerate(REGIONS):
            n = int(samples[lead, k])
            if n == 0 or chance[lead, k] <= 0:
                nan = float("nan")
                yield Enrichment(group, name, region, 0, n, nan, nan, nan, nan, nan, nan, nan)
                continue
            low, high = interval(again[:, lead, k])
            yield Enrichment(
                group,
                name,
                region,
                int(records[lead, k]),
                n,
                float(seen[lead, k] / n),
                float(chance[lead, k] / n),
                float(seen[lead, k] / chance[lead, k]),
                low,
                high,
                float(p_values[lead, k]),
                float("nan"),
            )


def _adjusted(family: list[Enrichment]) -> list[Enrichment]:
    """Holm over one family of tests."""
    adjusted = holm(np.array([row.p_value for row in family], dtype=np.float64))
    return [replace(row, p_holm=float(p)) for row, p in zip(family, adjusted, strict=True)]


def _patient_weights(
    patients: Int[np.ndarray, " record"], replicates: int, seed: int
) -> Float[np.ndarray, "replicate record"]:
    """How often each record is in each replicate of a bootstrap over patients."""
    one_stratum = np.zeros((len(patients), 1), dtype=np.int64)
    drawn = resample_patients(
        one_stratum, patients, draws=replicates, rng=numpy_rng(seed, "bootstrap", "masks")
    )
    return np.asarray(drawn, dtype=np.float64)
