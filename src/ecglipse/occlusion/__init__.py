"""What masks hide: how often each wave; whether two seeds agree; what it costs. Pure NumPy."""

from ecglipse.occlusion.enrichment import Enrichment, Tally, enrichments
from ecglipse.occlusion.findings import Findings
from ecglipse.occlusion.harm import Arm, Harm, arms
from ecglipse.occlusion.stability import Stability, stability

__all__ = [
    "Arm", "Enrichment", "Findings", "Harm", "Stability", "Tally", "arms", "enrichments", "stability",
]  # fmt: skip
