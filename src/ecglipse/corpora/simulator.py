"""Simulated 12-lead ECGs with known rhythm, sex and wave times, for the demonstration and for tests.

A dipole of Gaussian components is turned into eight leads by Dower's matrix and into twelve by the leads'
algebra, which therefore holds exactly, with noise too. See docs/simulator.md for what is and is not in it.
Nothing here reads or writes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ecglipse.corpora.simulation import beat, noise, rhythm
from ecglipse.corpora.simulation.patients import Patients, draw_patients
from ecglipse.leads import DOWER, EXPANSION, LEADS
from ecglipse.records import Record, Wave
from ecglipse.seeding import derive, numpy_rng

RHYTHMS = ("SR", "SB", "ST", "AF")

VOCABULARY: dict[str, dict[str, object]] = {
    "SR": {"description": "sinus rhythm, 60-99 a minute", "superclass": None, "subclass": None, "kinds": ["rhythm"]},
}
"""The codes in the manifest's form."""

BLOCK = 64
"""Recordings computed together. Whole blocks are always computed, so that a recording's last bit does not
depend on how many were asked for."""
