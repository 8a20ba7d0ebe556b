"""`show` tells what a thing is, and draws what is a signal."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecglipse.commands._show import show
from ecglipse.corpora import CORPORA
from ecglipse.errors import ConfigError, EcglipseError, RecordError, StoreError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.seeding import numpy_rng
from ecglipse.store import StoreWriter


def write_record(folder: Path, name: str = "rec1", *, n_time: int = 1000, fs: int = 100) -> Path:
    """A WFDB record of twelve leads, format 16, 1000 units a mV; lead aVR is flat."""
    units = numpy_rng(0, "record").integers(-800, 801, size=(12, n_time)).astype("<i2")
    units[3] = 0
    units[0, 0], units[0, 1] = -900, 1250
    units.T.tofile(folder / f"{name}.dat")
    lines = [f"{name} 12 {fs} {n_time}"]
    for lead, trace in zip(LEADS, units, strict=True):
        checksum = int(np.int16(np.uint16(int(trace.astype(int).sum()) % 65536).astype(np.int16)))
        lines.append(f"{name}.dat 16 1000.0(0)/mV 16 0 {trace[0]} {checksum} 0 {lead}")
    (folder / f"{name}.hea").write_text("\n".join([*lines, "#Dx: 426783006", ""]))
    return folder / f"{name}.hea"


def write_store(folder: Path) -> Path:
    """A store of four records of three patients."""
    with StoreWriter(
        folder, corpus="mine", fs=100.0, duration_s=10.0, vocabulary={}, processing=["nothing"]
    ) as writer:
        for n in range(4):
            writer.add(
                Record(
                    signal=(0.3 * numpy_rng(n).standard_normal((12, 1000))).astype(np.float32),
                    fs=100.0,
                    leads=LEADS,
                    record_id=f"r{n}",
                    patient_id=f"p{n % 3}",
                    source="mine",
                    age=None if n == 3 else 40.0 + n,
                    sex=("female", "female", "male", None)[n],
                    codes=("SR",) if n else ("SR", "LVH"),
                    fold=n + 1,
                )
            )
        writer.reject("bad", "flat-lead", "bad: lead V1 is flat")
        writer.commit()
    return folder


def width(picture: Path) -> int:
    with Image.open(picture) as image:
        return image.size[0]


def test_a_recording_is_told_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    header = write_record(tmp_path)
    shown = show(str(header))
    assert shown.picture == Path("rec1.png")
    assert width(tmp_path / "rec1.png") == pytest.approx((250 + 20) / 25.4 * 110, abs=1)
    assert "12: I, II, III, aVR" in shown.text
    assert "10 s, 1000 samples" in shown.text
    first = next(line for line in shown.text.splitlines() if line.startswith("I "))
    assert first.split() == ["I", "-0.900", "1.250"]
    assert "aVR         0.000       0.000  flat" in shown.text
    assert shown.data["ranges"]["I"] == {
        "low_mv": pytest.approx(-0.9),
        "high_mv": pytest.approx(1.25),
        "undefined": 0,
    }
    json.dumps(dict(shown.data), allow_nan=False)


def test_a_recording_may_be_named_without_its_ending(tmp_path: Path) -> None:
    header = write_record(tmp_path)
    out = tmp_path / "pictures" / "x.png"
    assert show(str(header.with_suffix("")), out=out).picture == out
    assert out.is_file()


def test_a_long_recording_is_drawn_in_part_and_says_so(tmp_path: Path) -> None:
    header = write_record(tmp_path, n_time=6000)
    out = tmp_path / "x.png"
    assert "the first 10 s of 60 s" in show(str(header), out=out).text
    assert width(out) == pytest.approx((250 + 20) / 25.4 * 110, abs=1)


def test_a_real_recording_is_drawn(pack: Path, tmp_path: Path) -> None:
    header = sorted((pack / "ptbxl").rglob("*.hea"))[0]
    shown = show(str(header), out=tmp_path / "x.png")
    assert shown.data["leads"] == list(LEADS)
    assert shown.data["seconds"] == 10.0
    assert 15_000 < (tmp_path / "x.png").stat().st_size < 300_000


def test_a_missing_recording_is_a_record_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        show(str(tmp_path / "none.hea"))


def test_a_store_is_counted(tmp_path: Path) -> None:
    shown = show(str(write_store(tmp_path / "store")))
    assert shown.picture is None
    assert shown.data["n_records"] == 4
    assert shown.data["n_patients"] == 3
    assert shown.data["sexes"] == {"female": 2, "male": 1, "unknown": 1}
    assert shown.data["codes"] == {"SR": 4, "LVH": 1}
    assert shown.data["folds"] == {"1": 1, "2": 1, "3": 1, "4": 1}
    assert shown.data["rejects"] == {"flat-lead": 1}
    assert "41 years (median; quartiles 40 to 42; n=3)" in shown.text
    assert "4 of 3 patients" in shown.text
    json.dumps(dict(shown.data), allow_nan=False)


def test_a_row_of_a_store_is_drawn(tmp_path: Path) -> None:
    store = write_store(tmp_path / "store")
    shown = show(str(store), row=0, out=tmp_path / "row.png")
    assert shown.picture == tmp_path / "row.png"
    assert shown.data["row"] == 0
    with pytest.raises(StoreError, match="row 4 is not there") as caught:
        show(str(store), row=4)
    assert caught.value.hint == "it has rows 0 to 3"


def test_a_run_tells_its_steps(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "a-s0-12"
    (run / "checkpoints" / "step-00000003").mkdir(parents=True)
    (run / "config.json").write_text(json.dumps({"format": "ecglipse-run", "seed": 5}))
    steps = [{"step": n, "epoch": 0, "loss": 4.0 / n, "coverage": 0.5} for n in (1, 2, 3)]
    (run / "steps.jsonl").write_text("\n".join(map(json.dumps, steps)) + "\n")
    shown = show(str(run))
    assert "4.0000, 2.0000, 1.3333" in shown.text
    assert "step-00000003" in shown.text
    assert '"seed": 5' in shown.text
    assert shown.data["last_step"]["step"] == 3
    (run / "config.json").write_text("{")
    with pytest.raises(EcglipseError, match=r"config\.json: not JSON"):
        show(str(run))


def test_a_study_tells_what_is_done(tmp_path: Path) -> None:
    methods = [{"name": "a", "title": "Method A"}, {"name": "b", "kind": "init"}]
    (tmp_path / "study.json").write_text(
        json.dumps({"name": "mine", "methods": methods, "plan": {"cells": 3}})
    )
    lines = [{"cell": f"{n:016x}", "method": "a", "task": "sex"} for n in range(2)]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = show(str(tmp_path))
    assert "2 of 3 done" in shown.text
    assert shown.data["by_method"] == {"a": 2}
    assert shown.data["by_task"] == {"sex": 2}
    assert f"next: `ecglipse report {tmp_path}`" in shown.text


def test_a_config_is_shown_as_resolved(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('name = "a"\nstore = "s"\nout = "o"\n[methods.simclr]\n')
    shown = show(str(path))
    assert json.loads(shown.text)["masks"]["coverage"] == 0.5
    assert shown.data["kind"] == "config"
    path.write_text('name = "a"\n')
    with pytest.raises(ConfigError, match="missing"):
        show(str(path))


def test_a_corpus_is_told_with_licence_and_citation() -> None:
    shown = show("ptbxl")
    assert shown.data["kind"] == "corpus"
    assert "licence" in shown.text
    assert "citation" in shown.text


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (None, "no such file or folder, and no corpus of that name"),
        ("folder", "a folder without `study.json`, `config.json` or `manifest.json`"),
        ("file", "a file that is neither a .hea header nor a .toml config"),
    ],
)
def test_what_is_unknown_says_what_was_tried(tmp_path: Path, make: str | None, words: str) -> None:
    thing = tmp_path / "thing"
    if make == "folder":
        thing.mkdir()
    if make == "file":
        thing.write_text("")
    with pytest.raises(EcglipseError, match=words) as caught:
        show(str(thing))
    assert caught.value.hint


def test_an_unwritable_picture_is_an_error(tmp_path: Path) -> None:
    header = write_record(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(EcglipseError, match="cannot be written"):
        show(str(header), out=tmp_path / "file" / "x.png")


def test_the_current_folder_is_not_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EcglipseError, match="a folder without"):
        show(".")


def test_corpora_are_listed_and_each_says_how_to_get_it_and_what_to_learn(tmp_path: Path) -> None:
    listed = show("corpora")
    assert set(listed.data["read"]) == set(CORPORA)
    assert "mimic-iv-ecg 1.0" in listed.text
    for name in CORPORA:
        assert show(name).text.split()[:2] == ["name", name]
    cinc = show("cinc").text
    assert "`ecglipse fetch cinc2021 FOLDER`" in cinc
    assert "cinc2011" not in cinc
    assert "cinc2021-scored (26)" in cinc
    assert "ptbxl and cinc" in show("ptbxl").text


def test_recordings_of_other_formats_are_drawn(tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    found = show(str(get_testdata_file("waveform_ecg.dcm", download=False)), out=tmp_path / "d.png")
    assert (found.data["fs"], len(found.data["leads"])) == (1000.0, 12)
    assert (tmp_path / "d.png").stat().st_size > 20_000
    np.savez(tmp_path / "a.npz", ecg=np.eye(2, 600), fs=100.0, unit="mV", leads=["I", "II"])
    assert show(str(tmp_path / "a.npz"), out=tmp_path / "a.png").data["leads"] == ["I", "II"]
    np.savez(tmp_path / "b.npz", ecg=np.eye(2, 600), fs=100.0, leads=["I", "II"])
    with pytest.raises(RecordError, match="nothing says which unit"):
        show(str(tmp_path / "b.npz"))
