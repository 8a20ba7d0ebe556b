"""Leaks: the same recording twice, within a store or across stores, whatever was done to its copy. Pure."""

from ecglipse.leaks.overlaps import OVERLAPS as OVERLAPS
from ecglipse.leaks.overlaps import Overlap as Overlap
from ecglipse.leaks.overlaps import known_overlaps as known_overlaps
from ecglipse.leaks.search import across_split as across_split
from ecglipse.leaks.search import duplicates as duplicates
