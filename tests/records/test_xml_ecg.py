"""GE MUSE and HL7 aECG in miniature: values exact, hostile files refused with their reason."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.errors import RecordError
from ecglipse.leads import INDEPENDENT, LEADS, einthoven_error
from ecglipse.records.xml_ecg import read_xml

STEPS = np.random.default_rng(0).integers(-900, 900, (8, 500)).astype("<i2")


def muse(steps: np.ndarray = STEPS, leads: tuple[str, ...] = INDEPENDENT, per_bit: str = "4.88") -> str:
    def lead(name: str, row: np.ndarray) -> str:
        data = base64.b64encode(row.astype("<i2").tobytes()).decode()
        return (
            f"<LeadData><LeadByteCountTotal>{2 * len(row)}</LeadByteCountTotal>"
            f"<LeadSampleCountTotal>{len(row)}</LeadSampleCountTotal><LeadAmplitudeUnitsPerBit>{per_bit}"
            "</LeadAmplitudeUnitsPerBit><LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
            f"<LeadID>{name}</LeadID><LeadSampleSize>2</LeadSampleSize>"
            f"<WaveFormData>{data[:40]}\n{data[40:]}</WaveFormData></LeadData>"
        )

    def wave(kind: str, rows: np.ndarray) -> str:
        held = "".join(lead(name, row) for name, row in zip(leads, rows, strict=True))
        return (
            f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>500</SampleBase>"
            f"<SampleExponent>0</SampleExponent>{held}</Waveform>"
        )

    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">'
        "<RestingECG>"
        "<PatientDemographics><PatientID>123-A</PatientID><PatientAge>67</PatientAge><AgeUnits>YEARS</AgeUnits>"
        "<Gender>FEMALE</Gender><PatientLastName>DOE</PatientLastName></PatientDemographics>"
        f"{wave('Median', steps[:, :60])}{wave('Rhythm', steps)}</RestingECG>"
    )


def aecg(steps: np.ndarray = STEPS[:3], leads: tuple[str, ...] = ("I", "II", "V1"), unit: str = "uV") -> str:
    rows = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{name.upper()}"/><value xsi:type="SLIST_PQ">'
        f'<origin value="100" unit="{unit}"/><scale value="2.5" unit="{unit}"/>'
        f"<digits>{' '.join(map(str, row))}</digits></value></sequence></component>"
        for name, row in zip(leads, steps, strict=True)
    )
    return (
        '<?xml version="1.0"?><AnnotatedECG xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><componentOf><trialSubject>'
        '<id root="1.2" extension="S-17"/><administrativeGenderCode code="M"/></trialSubject></componentOf>'
        "<component><series><component><sequenceSet><component><sequence>"
        '<code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS"><head value="20021122091000"/>'
        f'<increment value="0.002" unit="s"/></value></sequence></component>{rows}</sequenceSet>'
        "</component></series></component></AnnotatedECG>"
    )


def test_muse_gives_twelve_leads_that_keep_lead_algebra_and_no_name(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(muse(), encoding="latin-1")
    found = read_xml(tmp_path / "a.xml")
    assert (found.leads, found.fs, found.age, found.sex) == (LEADS, 500.0, 67.0, "female")
    independent = [LEADS.index(lead) for lead in INDEPENDENT]
    np.testing.assert_allclose(found.signal[independent], STEPS * 0.00488, rtol=1e-6)
    assert einthoven_error(found.signal) < 1e-5
    assert (found.patient_id, "DOE" in repr(found)) == ("123-A", False)


def test_muse_takes_stored_leads_as_they_are(tmp_path: Path) -> None:
    steps = np.concatenate([STEPS, STEPS[:4]])
    (tmp_path / "a.xml").write_text(muse(steps, LEADS), encoding="latin-1")
    found = read_xml(tmp_path / "a.xml")
    np.testing.assert_allclose(found.signal, steps * 0.00488, rtol=1e-6)


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3)])
def test_aecg_gives_origin_and_scale_in_millivolts(unit: str, factor: float, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(aecg(unit=unit))
    found = read_xml(tmp_path / "a.xml")
    assert (found.leads, found.fs, found.sex, found.patient_id) == (("I", "II", "V1"), 500.0, "male", "S-17")
    np.testing.assert_allclose(found.signal, (100 + STEPS[:3] * 2.5) * factor, rtol=1e-6)


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;&b;</a>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
HOSTILE: dict[str, tuple[Callable[[], str], str, str]] = {
    "entity bomb": (lambda: BOMB, "format", "EntitiesForbidden"),
    "outside entity": (lambda: OUTSIDE, "format", "EntitiesForbidden"),
    "cut": (lambda: muse()[:700], "format", "not sound XML"),
    "another root": (lambda: "<svg/>", "format", "root svg is not one of RestingECG, AnnotatedECG"),
    "no rhythm": (lambda: muse().replace(">Rhythm<", ">Other<"), "format", "0 rhythm waveforms"),
    "unit": (lambda: muse().replace("MICROVOLTS", "FURLONGS"), "unit", "unit FURLONGS is not one of"),
    "gain 0": (lambda: muse(per_bit="0"), "gain", "0 units per bit"),
    "gain nan": (lambda: muse(per_bit="nan"), "gain", "nan units per bit"),
    "lead twice": (lambda: muse().replace("<LeadID>II<", "<LeadID>I<"), "lead-name", "lead I is there twice"),
    "lead unknown": (lambda: muse().replace("<LeadID>II<", "<LeadID>X<"), "lead-name", "lead name 'X'"),
    "count": (lambda: muse().replace("Total>500<", "Total>501<"), "length", "1000 bytes, 501 samples stated"),
    "base64": (lambda: muse().replace("<WaveFormData>", "<WaveFormData>!!"), "format", "not base64"),
    "rate": (lambda: muse().replace("<SampleBase>500", "<SampleBase>0"), "header", "rate 0"),
    "aecg unit": (lambda: aecg(unit="mmHg"), "unit", "unit mmHg"),
    "aecg digits": (lambda: aecg().replace("<digits>", "<digits>x "), "format", "not numbers"),
    "aecg rate": (lambda: aecg().replace('unit="s"', 'unit="d"'), "header", "no increment in s or ms"),
    "aecg length": (lambda: aecg().replace("<digits>", "<digits>1 ", 1), "length", "[500, 501] samples"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_sound_is_refused_with_its_reason(case: str, tmp_path: Path) -> None:
    make, reason, words = HOSTILE[case]
    (tmp_path / "a.xml").write_text(make(), encoding="latin-1")
    with pytest.raises(RecordError) as caught:
        read_xml(tmp_path / "a.xml")
    assert caught.value.reason == reason, caught.value
    assert words in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
