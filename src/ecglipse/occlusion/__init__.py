"""What masks hide: how often each wave, against chance; how far two seeds agree. Pure NumPy."""

from ecglipse.occlusion.enrichment import Enrichment, Tally, enrichments
from ecglipse.occlusion.stability import Stability, stability

__all__ = ["Enrichment", "Stability", "Tally", "enrichments", "stability"]
