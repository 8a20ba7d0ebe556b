"""LUDB: recordings with waves in every lead, table cells with line breaks, ids that stay in the folder."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ecglipse.corpora import get
from ecglipse.errors import CorpusError, RecordError


def test_ludb_records_have_waves_in_every_lead(pack: Path) -> None:
    record = get("ludb").entries(pack / "ludb")[0].load()
    assert (record.sex, record.age, record.codes) == ("female", 51.0, ("Sinus bradycardia",))
    assert {wave.lead for wave in record.waves} == set(record.leads)
    assert {wave.kind for wave in record.waves} == {"P", "QRS", "T"}
    whole = [w for w in record.waves if not np.isnan([w.onset_s, w.peak_s, w.offset_s]).any()]
    assert len(whole) > 0.95 * len(record.waves)
    assert all(wave.onset_s <= wave.peak_s <= wave.offset_s for wave in whole)


def test_the_table_of_the_pack_is_read_whole(pack: Path) -> None:
    """Every tenth recording; sexes, ages and rhythms have line breaks in their cells."""
    records = [entry.load() for entry in get("ludb").entries(pack / "ludb")[::10]]
    words = get("ludb").vocabulary(pack / "ludb")
    assert all(record.sex in ("female", "male") for record in records)
    assert all(record.age is not None and 0 < record.age <= 90 for record in records)
    assert Counter(len(record.codes) for record in records) == {1: 20}
    assert any(record.codes[0] in words for record in records)
    assert {record.signal.shape for record in records} == {(12, 5000)}
    last = max(wave.peak_s for record in records for wave in record.waves)
    assert last < 10


def table(folder: Path, text: str) -> Path:
    """A folder with this table."""
    (folder / "data").mkdir()
    (folder / "ludb.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", ".hidden", "a\\\\b"])
def test_an_id_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (entry,) = get("ludb").entries(table(tmp_path, f"ID,Sex,Age,Rhythms\n{name},F,51,Sinus rhythm\n"))
    with pytest.raises(RecordError, match="is not a plain file name") as caught:
        entry.load()
    assert caught.value.reason == "unsafe-path"


def test_a_missing_signal_file_and_a_missing_column_are_said(tmp_path: Path) -> None:
    (entry,) = get("ludb").entries(table(tmp_path, "ID,Sex,Age,Rhythms\n1,F,51,Sinus rhythm\n"))
    with pytest.raises(RecordError, match=r"1\.hea: no such file"):
        entry.load()
    (tmp_path / "ludb.csv").write_text("ID,Sex\n1,F\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="without column Age, Rhythms"):
        get("ludb").entries(tmp_path)
    (tmp_path / "ludb.csv").write_text("", encoding="utf-8")
    with pytest.raises(CorpusError, match="not readable as a table"):
        get("ludb").entries(tmp_path)
