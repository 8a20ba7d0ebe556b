"""What masks hide: how often each wave; whether two seeds agree; what it costs. Pure NumPy."""

from ecglipse.occlusion.applied import Applied, applied
from ecglipse.occlusion.enrichment import (
    Enrichment,
    Tally,
    all_leads,
    band_enrichments,
    enrichments,
    lead_by_lead,
)
from ecglipse.occlusion.findings import Findings
from ecglipse.occlusion.harm import Arm, Harm, arms
from ecglipse.occlusion.shares import BandShare, band_names, band_shares
from ecglipse.occlusion.stability import Stability, stability

__all__ = [
    "Applied", "Arm", "BandShare", "Enrichment", "Findings", "Harm", "Stability", "Tally", "all_leads",
    "applied", "arms", "band_enrichments", "band_names", "band_shares", "enrichments", "lead_by_lead",
    "stability",
]  # fmt: skip
