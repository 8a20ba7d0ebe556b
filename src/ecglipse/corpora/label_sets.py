"""`LABEL_SETS`: classes of published comparisons, as data: what counts as one class, by code. Pure."""

from ecglipse.corpora.cinc import SCORED

_BY_NAME = {name: code for code, (name, _) in SCORED.items()}


def _set(*classes: str) -> dict[str, frozenset[str]]:
    """Classes named by abbreviations; "PAC|SVPB" is one class of two codes and goes by its first name."""
    return {names.split("|")[0]: frozenset(_BY_NAME[name] for name in names.split("|")) for names in classes}


_COMMON = (
    "AF", "AFL", "Brady", "IAVB", "IRBBB", "LAD", "LAnFB", "LPR", "LQRSV", "LQT", "NSIVCB", "NSR",
    "PAC|SVPB", "PR", "PVC|VPB", "QAb", "RAD", "SA", "SB", "STach", "TAb", "TInv",
)  # fmt: skip
_SPECIAL = ("Brady", "LAD", "RAD", "PR", "LQRSV")

LABEL_SETS: dict[str, dict[str, frozenset[str]]] = {
    "cinc2020-scored": _set(*_COMMON, "LBBB", "RBBB|CRBBB"),
    "cinc2021-scored": _set(*_COMMON, "BBB", "LBBB|CLBBB", "RBBB|CRBBB", "PRWP"),
    "cinc2020-19": _set(*(name for name in _COMMON if name not in _SPECIAL), "LBBB", "RBBB|CRBBB"),
    "cinc2021-21": _set(
        *(name for name in _COMMON if name not in _SPECIAL), "BBB", "CLBBB|LBBB", "CRBBB|RBBB", "PRWP"
    ),
    "code15": {name: frozenset({f"code15:{name}"}) for name in ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")},
}
"""Multi-label tasks by name.

cinc2020-scored: 27 codes, 24 classes; cinc2021-scored: 30 codes, 26 classes (Reyna et al. 2021, Computing in
Cardiology 48: pairs that count as one). cinc2020-19 and cinc2021-21: what Bo et al. 2022 (arXiv:2211.07889)
pretrained beside: the scored classes without bradycardia, axis deviations, pacing and low voltage. code15:
the six abnormalities of CODE-15% (Ribeiro et al. 2020, Nat Commun 11:1760)."""

CHAPMAN_RHYTHMS: dict[str, frozenset[str]] = {
    "AFIB": frozenset({"chapman:AFIB", "chapman:AF"}),
    "GSVT": frozenset(f"chapman:{code}" for code in ("ST", "SVT", "AT", "AVNRT", "AVRT", "SAAWR")),
    "SB": frozenset({"chapman:SB"}),
    "SR": frozenset({"chapman:SR", "chapman:SA", "chapman:SI"}),
}
"""The four groups of the Chapman-Shaoxing database (Zheng et al. 2020, Sci Data 7:48). AF is flutter there,
and counts as AFIB; SA, also written SI, is sinus irregularity."""
