"""`Findings`: all that is known of what a run's masks hide, in plain values; what the page is made from."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from ecglipse.occlusion.enrichment import Enrichment
from ecglipse.occlusion.harm import Harm
from ecglipse.occlusion.shares import BandShare
from ecglipse.occlusion.stability import Stability


@dataclass(frozen=True)
class Findings:
    """What the masks of a run hide from the recordings of a store.

    Args:
        run: name of its folder.
        masks: who decides what is hidden, in words.
        learned: whether a network that learned decides.
        control: whether chance alone decides, so that nothing should be found.
        store: facts of the store: corpus, digest, fs, duration_s.
        marks: where the marks of the waves come from, in words.
        records: looked at, with enough marks.
        patients: of these records.
        left_out: records without enough marks.
        draws: of masks, a record.
        shifts: of the null distribution.
        coverage: share hidden within the marked spans, mean over records and over leads or bands.
        segment_s: length of a mask's segment, s.
        groups: of records that were looked at one by one, with their sizes.
        enrichments: of every group, lead or band, and region.
        stability: against other runs, and the levels it is held against.
        harm: what the masks cost a supervised model; None if that was not asked for.
        cautions: sentences that a reader must know.
        provenance: commit, versions, hardware.
        synthetic: whether the recordings are simulated.
        bands: how much of each band of frequency is hidden; none of masks over leads.
    """

    run: str
    masks: str
    learned: bool
    control: bool
    store: dict[str, Any]
    marks: str
    records: int
    patients: int
    left_out: int
    draws: int
    shifts: int
    coverage: float
    segment_s: float
    groups: dict[str, int]
    enrichments: tuple[Enrichment, ...]
    stability: tuple[Stability, ...]
    harm: Harm | None
    cautions: tuple[str, ...]
    provenance: dict[str, Any]
    synthetic: bool
    bands: tuple[BandShare, ...] = ()

    @property
    def rows(self) -> str:
        """What the masks' rows are, in a word."""
        return "band" if self.bands else "lead"

    def overall(self, group: str = "all") -> list[Enrichment]:
        """The regions of one group, all leads or bands together."""
        return [row for row in self.enrichments if row.group == group and row.row is None]

    def leads_alike(self) -> bool:
        """Whether every lead has the very same numbers: masks and marks that are one for all leads."""
        rows = [row for row in self.enrichments if row.group == "all" and row.row is not None]
        seen = {(row.region, row.samples, round(row.hidden, 6)) for row in rows if row.samples}
        return len({row.row for row in rows}) > 1 and len(seen) == len({region for region, _, _ in seen})

    def plain(self) -> dict[str, Any]:
        """Everything as JSON can say it: a number that is none becomes null."""
        found: dict[str, Any] = _plain(asdict(self))
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
