"""Where the waves of a beat lie: from marks to regions, a delineator, and how well it agrees."""

from ecglipse.waves.agreement import MARKS, Agreement, agreement
from ecglipse.waves.regions import REGIONS, UNSCORED, region_map, region_maps

__all__ = ["MARKS", "REGIONS", "UNSCORED", "Agreement", "agreement", "region_map", "region_maps"]
