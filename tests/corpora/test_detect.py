"""Corpora are told apart by what a folder holds; what is missing is said."""

import os
import shutil
from pathlib import Path

import pytest

from ecglipse.corpora import CORPORA, detect, get
from ecglipse.corpora.corpus import hashed_patient, headers
from ecglipse.errors import CorpusError


@pytest.mark.parametrize(
    ("folder", "name", "n"),
    [
        ("ptbxl", "ptbxl", 1987),
        ("cinc2021", "cinc", 361),
        ("ludb", "ludb", 200),
        ("cinc2011", "cinc2011", 1000),
    ],
)
def test_real_folders_are_recognised_and_listed(pack: Path, folder: str, name: str, n: int) -> None:
    corpus = detect(pack / folder)
    assert corpus.name == name
    entries = corpus.entries(pack / folder)
    assert len(entries) == len({entry.record_id for entry in entries}) == n


def test_a_folder_of_headers_without_diagnoses_is_just_wfdb(pack: Path) -> None:
    assert detect(pack / "ptbxl" / "records100").name == "wfdb"


def test_one_damaged_header_does_not_change_the_corpus(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "A.hea").write_text("damaged", encoding="utf-8")
    assert detect(tmp_path).name == "wfdb"
    shutil.copy(next((pack / "cinc2021" / "georgia").glob("*.hea")), tmp_path)
    assert detect(tmp_path).name == "cinc"


def test_headers_come_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.hea", "a/10.hea", "a/9.hea", "a/.hidden.hea", "a/9.dat", "c.hea"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in headers(tmp_path)]
    assert found == ["a/10.hea", "a/9.hea", "b/2.hea", "c.hea"]


def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "1.hea").touch()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CorpusError, match=r"locked: cannot be listed \(Permission denied\)"):
        headers(tmp_path)


def test_patients_are_hashed_with_the_users_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGLIPSE_ID_KEY", raising=False)
    plain = hashed_patient("ptbxl", "15709")
    assert plain == hashed_patient("ptbxl", "15709")
    assert plain != hashed_patient("ludb", "15709")
    assert "15709" not in plain
    monkeypatch.setenv("ECGLIPSE_ID_KEY", "secret")
    assert hashed_patient("ptbxl", "15709") != plain


def test_unknown_names_and_empty_folders_say_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus 'ptbx'; did you mean 'ptbxl'") as caught:
        get("ptbx")
    assert "cinc2011" in str(caught.value)
    with pytest.raises(CorpusError, match="no recordings found") as caught:
        detect(tmp_path)
    assert "ptbxl_database.csv" in str(caught.value)
    with pytest.raises(CorpusError, match="no such folder"):
        detect(tmp_path / "none")


@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_says_its_licence_and_its_traps(name: str) -> None:
    corpus = CORPORA[name]
    assert corpus.name == name
    assert corpus.licence
    assert len(corpus.about) > 80
