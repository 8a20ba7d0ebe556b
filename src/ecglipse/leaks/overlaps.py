"""`OVERLAPS`: which public corpora hold the same recordings, as far as their authors or others have said."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Overlap:
    """Two corpora that share recordings or patients.

    Args:
        one: name or source of a corpus, as in `Corpus.name` or a record's `source`.
        other: the other one.
        what: which recordings, and what to do.
    """

    one: str
    other: str
    what: str


OVERLAPS: tuple[Overlap, ...] = (
    Overlap("ptbxl", "cinc", "the challenges' PTB-XL part is PTB-XL 1.0.1 itself (21,837 records)"),
    Overlap("ptb", "cinc", "the challenges' PTB part is the PTB Diagnostic database (516 records)"),
    Overlap("cpsc2018", "cinc", "the challenges' CPSC part is the training set of CPSC 2018"),
    Overlap("chapman", "cinc", "the 2021 challenge holds it; never train on one and test on the other"),
    Overlap("ningbo", "cinc", "the 2021 challenge holds Ningbo"),
    Overlap("georgia", "cinc", "the challenges' Georgia part is the G12EC database (10,344 records)"),
    Overlap("samitrop", "code15", "both from the Telehealth Network of Minas Gerais; patients may be shared"),
    Overlap("ptb", "ptbxl", "recorded by the same institution; PTB patients are not named in PTB-XL"),
    Overlap("chapman", "ningbo", "published together as the Chapman-Shaoxing-Ningbo 12-lead database"),
)  # fmt: skip
"""Source: the data descriptors of the corpora and of the CinC challenges 2020 and 2021."""


def known_overlaps(corpora: Iterable[str]) -> list[Overlap]:
    """The overlaps that concern at least one of these corpora, those between two of them first."""
    names = set(corpora)
    between = [overlap for overlap in OVERLAPS if {overlap.one, overlap.other} <= names]
    return between + [o for o in OVERLAPS if o not in between and {o.one, o.other} & names]
