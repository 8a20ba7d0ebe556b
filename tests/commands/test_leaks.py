"""`ecglipse leaks`: what it says, what it writes, what it refuses."""

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from ecglipse.cli import main
from ecglipse.commands import leaks
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import StoreError
from ecglipse.store import StoreWriter


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    """Two stores; the second has the first's third recording under another name and patient."""
    records = list(simulate(24, seed=8))
    copy = dataclasses.replace(records[2], record_id="copy", patient_id="somebody", fold=4)
    for name, held in {"one": records[:12], "two": [*records[12:], copy]}.items():
        with StoreWriter(
            tmp_path / name, corpus="ptbxl", fs=100.0, duration_s=10.0, vocabulary={}, processing=[]
        ) as writer:
            for record in held:
                writer.add(record)
            writer.commit()
    return [tmp_path / "one", tmp_path / "two"]


def run(words: list[str]) -> int:
    """The command line's exit status."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    return int(stopped.value.code or 0)


def test_a_pair_is_listed_and_written(
    stores: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = leaks(stores, out=tmp_path / "pairs.csv")
    (pair,) = found.pairs
    assert (pair["row_a"], pair["record_b"], pair["same_patient"], pair["fold_b"]) == (2, "copy", False, 4)
    assert pair["similarity"] == 1.0
    with (tmp_path / "pairs.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["record_b"] == "copy"
    assert any("ptbxl and cinc" in sentence for sentence in found.known)
    assert run(["leaks", *map(str, stores)]) == 0
    said = capsys.readouterr().out
    assert "= copy in" in said
    assert "under two patients" in said
    assert "1 pair of equal recordings in 25 records" in said
    assert run(["leaks", *map(str, stores), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"][0]["record_b"] == "copy"


def test_what_cannot_be_is_refused(stores: list[Path], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        leaks([tmp_path / "none"])
    with pytest.raises(StoreError, match=r"--threshold must be > 0 and <= 1; got 1\.5"):
        leaks(stores, threshold=1.5)
