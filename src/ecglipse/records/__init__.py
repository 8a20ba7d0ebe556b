"""Recordings in memory and the readers that make them, one file per format."""

from ecglipse.records.record import Record as Record
from ecglipse.records.record import Wave as Wave
