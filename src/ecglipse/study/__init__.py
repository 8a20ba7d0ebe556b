"""The grid of a study: method x seed x rotation, and for each task x probe x fraction x draw."""

from ecglipse.study.plan import Cell as Cell
from ecglipse.study.plan import Unit as Unit
from ecglipse.study.plan import cells as cells
from ecglipse.study.plan import units as units
