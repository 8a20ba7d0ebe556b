"""`ARCHIVES`: where the public corpora lie, in which version. Data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Archive:
    """A corpus on the network.

    Args:
        name: of the corpus, as on the command line.
        version: pinned.
        base: address of the folder that holds the files, or of the list of them; ends with "/" for a folder.
        kind: "sums": a folder with `SHA256SUMS.txt`; "zenodo": a record's JSON with MD5 sums.
        licence: of the recordings.
        citation: to be given when they are used.
        hosts: where redirects may lead, beside the base's own host.
        restricted: what must be signed first; empty for open data.
        rates: rates that can be fetched apart, and the folder that each is in, Hz.
    """

    name: str
    version: str
    base: str
    kind: Literal["sums", "zenodo"]
    licence: str
    citation: str
    hosts: tuple[str, ...] = ()
    restricted: str = ""
    rates: tuple[tuple[int, str], ...] = ()


_PHYSIONET = "https://physionet.org/files"
_ODC = "Open Data Commons Attribution 1.0"
_CC = "Creative Commons Attribution 4.0"

ARCHIVES: dict[str, Archive] = {
    archive.name: archive
    for archive in (
        Archive(
            "ptbxl", "1.0.3", f"{_PHYSIONET}/ptb-xl/1.0.3/", "sums", _CC,
            "Wagner et al. 2020, Sci Data 7:154", rates=((100, "records100/"), (500, "records500/")),
        ),
        Archive(
            "ludb", "1.0.1", f"{_PHYSIONET}/ludb/1.0.1/", "sums", _ODC,
            "Kalyakulina et al. 2020, IEEE Access 8:186181"
        ),
        Archive(
            "cinc2020", "1.0.2", f"{_PHYSIONET}/challenge-2020/1.0.2/", "sums", _CC,
            "Perez Alday et al. 2020, Physiol Meas 41:124003",
        ),
        Archive(
            "cinc2021", "1.0.3", f"{_PHYSIONET}/challenge-2021/1.0.3/", "sums", _CC,
            "Reyna et al. 2021, Computing in Cardiology 48",
        ),
        Archive(
            "cinc2011", "1.0.0", f"{_PHYSIONET}/challenge-2011/1.0.0/", "sums", _ODC,
            "Silva et al. 2011, Computing in Cardiology 38:273",
        ),
        Archive(
            "chapman", "1.0.0", f"{_PHYSIONET}/ecg-arrhythmia/1.0.0/", "sums", _CC,
            "Zheng et al. 2020, Sci Data 7:48; Zheng et al. 2020, Sci Rep 10:2898",
        ),
        Archive(
            "mimic-iv-ecg", "1.0", f"{_PHYSIONET}/mimic-iv-ecg/1.0/", "sums", "Open Database License 1.0",
            "Gow et al. 2023, PhysioNet",
        ),
        Archive(
            "code15", "1.0.0", "https://zenodo.org/api/records/4916206", "zenodo", _CC,
            "Ribeiro et al. 2021, Zenodo 4916206",
        ),
        Archive(
            "samitrop", "1.0.0", "https://zenodo.org/api/records/4905618", "zenodo", _CC,
            "Ribeiro et al. 2021, Zenodo 4905618",
        ),
    )
}  # fmt: skip
"""By name. The versions are those that the readers were written for."""
