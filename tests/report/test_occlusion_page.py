"""The page on what masks hide: it says what the numbers carry, runs nothing, and opens offline."""

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from test_page import PAYLOAD, Reader

from ecglipse.errors import EcglipseError
from ecglipse.occlusion import Arm, BandShare, Enrichment, Findings, Harm, Stability
from ecglipse.report.band_pictures import BandMasks
from ecglipse.report.gallery import Masks
from ecglipse.report.occlusion import page_style, render_findings, to_csv, words, write_findings
from ecglipse.waves import REGIONS

NAN = float("nan")
RATIOS = {"P": 1.0, "PQ": 1.4, "QRS": 1.6, "ST": 1.4, "T": 1.0, "TP": 0.6}


def rows(group: str = "all", lead: str | None = None, *, sure: bool = True) -> list[Enrichment]:
    return [
        Enrichment(group, lead, region, 9, 900, r / 2, 0.5, r, r - 0.1, r + 0.1, 0.001, p)
        for region, r in RATIOS.items()
        for p in [0.004 if sure and r != 1.0 else 0.9]
    ]


def made(poison: str = "", *, sure: bool = True, learned: bool = True) -> Findings:
    leads = ("II" + poison, "V1")
    table = rows(sure=sure)
    for lead in leads:
        table += rows(lead=lead, sure=sure)
    table[6] = dataclasses.replace(table[6], hidden=0.123, ratio=0.246)  # P in II: the leads are not alike
    table += rows("AF" + poison, sure=sure)
    table[-6] = Enrichment("AF" + poison, None, "P", 0, 0, *(NAN,) * 7)
    arm = Arm("none", 0.9, 0.88, 0.92, 0.08, 0.06, 0.1, 0.001)
    learned_arm = Arm("learned", 0.82, 0.8, 0.84, NAN, NAN, NAN, NAN)
    random_arm = Arm("random", 0.86, 0.84, 0.88, 0.04, 0.02, 0.06, 0.001)
    names = ["the same run" + poison, "seed 1" + poison, "seed 1, of another record", "random"]
    values = [0.9, 0.6, 0.1, 0.0]
    return Findings(
        run="run" + poison,
        masks="adversarial masks" + poison,
        learned=learned,
        control=not learned,
        store={"corpus": "ludb" + poison, "digest": "d" * 64, "records": 9, "fs": 100.0, "duration_s": 10.0},
        marks="marks" + poison,
        records=9,
        patients=9,
        left_out=1,
        draws=8,
        shifts=999,
        coverage=0.5,
        segment_s=0.25,
        groups={"AF" + poison: 4},
        enrichments=tuple(table),
        stability=tuple(
            Stability(n, 9, v, v - 0.05, v + 0.05, v, v - 0.05, v + 0.05, 0.001)
            for n, v in zip(names, values, strict=True)
        ),
        harm=Harm("Rhythm" + poison, "probe", 9, 9, 8, ("AF" + poison,), (), (arm, learned_arm, random_arm)),
        cautions=("Known" + poison,),
        provenance={"commit": "abc" + poison, "ecglipse": "0", "versions": {"numpy" + poison: "2"}},
        synthetic=False,
    )


def gallery(poison: str = "") -> Masks:
    signal = np.zeros((1, 2, 300), np.float32)
    mask = np.zeros((1, 2, 300), np.uint8)
    return Masks(signal, mask, mask.astype(np.float32), 100.0, ("II", "V1"), ("AF" + poison,))


def page(findings: Findings, poison: str = "") -> Reader:
    from ecglipse.report.occlusion import WrittenFindings

    written = WrittenFindings(*(Path(f"masks.{end}") for end in ("html", "json", "csv")))
    return Reader(render_findings(findings, gallery(poison), written))


def test_the_verdict_says_what_survives_and_no_more() -> None:
    main, more = words(made())
    assert main.startswith("The learned masks hide the QRS complex 1.60 times as often as chance (80 % of it")
    assert "95 % interval 1.50–1.70, p = 0.004" in main
    assert "They spare others: the TP segment 0.60 times" in main
    assert "P wave" not in main
    assert "T wave" not in main
    assert "both hide places that depend on the record" in " ".join(more)
    assert "they cost 0.040 more (+0.020 to +0.060, p = 0.001)" in " ".join(more)


def test_without_a_departure_none_is_claimed() -> None:
    main, more = words(made(sure=False, learned=False))
    assert main == (
        "These random masks hide no wave more or less often than chance (smallest p after Holm: 0.900)."
    )
    assert "0 of 12 pairs of lead and region" in more[0]


def test_a_difference_that_is_sure_and_says_nothing_is_not_told() -> None:
    found = made()
    near = [dataclasses.replace(row, ratio=1.002, p_holm=0.004) for row in found.enrichments]
    main, _ = words(dataclasses.replace(found, enrichments=tuple(near)))
    assert main == "The learned masks hide every wave as often as chance, to within 0.5 %."
    near[0] = dataclasses.replace(near[0], ratio=0.99)
    main, _ = words(dataclasses.replace(found, enrichments=tuple(near)))
    assert main.startswith("The learned masks hide the P wave 0.99 times as often as chance")
    assert "QRS" not in main


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.9, 0.05, 0.0, 0.0), "no more than random masks agree"),
        ((0.9, 0.6, 0.58, 0.0), "what they share needs no look at the record"),
        ((0.9, 0.6, 0.1, 0.0), "both hide places that depend on the record"),
    ],
)
def test_agreement_is_held_against_its_levels(values: tuple[float, ...], said: str) -> None:
    found = made()
    table = [
        dataclasses.replace(s, rank_correlation=v, rank_low=v - 0.05, rank_high=v + 0.05)
        for s, v in zip(found.stability, values, strict=True)
    ]
    _, more = words(dataclasses.replace(found, stability=tuple(table)))
    assert said in " ".join(more)


def test_a_cost_that_may_be_chance_is_no_difference() -> None:
    found = made()
    assert found.harm is not None
    arms = (*found.harm.arms[:2], dataclasses.replace(found.harm.arms[2], p_value=0.3))
    _, more = words(dataclasses.replace(found, harm=dataclasses.replace(found.harm, arms=arms)))
    assert "no difference was found" in more[-1]


def test_the_page_has_its_parts_and_nothing_from_elsewhere() -> None:
    read = page(made())
    assert read.open == []
    assert read.tags["svg"] == 3
    labels = [value for tag, name, value in read.attributes if (tag, name) == ("svg", "aria-label")]
    assert all("nrichment" in label for label in labels)
    (alt,) = [value for tag, name, value in read.attributes if (tag, name) == ("img", "alt")]
    assert "25 mm/s" in alt
    sources = [v for _, name, v in read.attributes if name in ("src", "href", "xlink:href") and v]
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "script" not in read.tags
    assert "prefers-color-scheme: dark" in page_style()
    for words_there in ("n/a, not marked in these records", "With 50 % hidden", "Known", "1.60", "0.25"):
        assert words_there in read.text


def test_a_control_is_called_one() -> None:
    assert "A control" in page(made(learned=False)).text
    assert "A control" not in page(made()).text


def test_leads_that_are_alike_have_no_map() -> None:
    found = made()
    same = tuple(row if row.lead is None else r for row, r in zip(
        found.enrichments, [*rows(), *rows(lead="II"), *rows(lead="V1"), *rows("AF")], strict=True
    ))  # fmt: skip
    alike = dataclasses.replace(found, enrichments=same)
    assert page(alike).tags["svg"] == 2
    assert "no lead can differ" in words(alike)[1][0]


def over_bands(*, sure: bool = True) -> Findings:
    """Findings of masks over two bands."""
    table = rows(sure=sure)
    for band in ("1–4 Hz", "4–50 Hz"):
        table += [dataclasses.replace(row, band=band) for row in rows(sure=sure)]
    table[6] = dataclasses.replace(table[6], hidden=0.123, ratio=0.246)
    p = 0.001 if sure else 0.8
    bands = (
        BandShare("1–4 Hz", 1.0, 4.0, 2, 0.2, 0.18, 0.22, 0.5, p, p),
        BandShare("4–50 Hz", 4.0, 50.0, 30, 0.7, 0.68, 0.72, 0.5, p, p),
    )
    return dataclasses.replace(made(), enrichments=tuple(table), bands=bands, groups={}, harm=None)


def test_masks_over_bands_say_band_and_how_much_of_each() -> None:
    main, more = words(over_bands())
    assert main == (
        "The learned masks hide 4–50 Hz most: 70 % (68–72) of it; they spare 1–4 Hz most: "
        "20 % (18–22) of it. Random masks hide 50 % of each."
    )
    assert more[0].startswith("All bands together, the learned masks hide the QRS complex 1.60 times")
    assert "8 of 12 pairs of band and region" in more[1]
    main, _ = words(over_bands(sure=False))
    assert main.startswith("The learned masks hide no band more or less than random masks do, 50 % of each")


def test_the_page_of_masks_over_bands_has_its_table_and_pictures(tmp_path: Path) -> None:
    signal = np.zeros((1, 300), np.float32)
    shown = BandMasks(
        signal,
        signal,
        np.zeros((1, 2, 300), np.float32),
        100.0,
        "II",
        ("0–1 Hz", "1–50 Hz"),
        ("AF",),
    )
    written = write_findings(over_bands(), shown, tmp_path)
    read = Reader(written.html.read_text())
    assert read.open == []
    assert read.tags["svg"] == 3  # regions, bands by regions, shares of bands
    for words_there in (
        "All records and bands",
        "In which bands?",
        "70.0 %",
    ):
        assert words_there in read.text
    assert "lead by lead" not in read.text.lower()
    table = list(csv.DictReader(io.StringIO((tmp_path / "bands.csv").read_text())))
    assert [float(row["hidden"]) for row in table] == [0.2, 0.7]
    assert [row["band"] for row in csv.DictReader(io.StringIO(written.csv.read_text()))][5:7] == [
        "all",
        "1–4 Hz",
    ]


def test_injection_in_every_text_makes_no_element() -> None:
    clean, hurt = page(made()), page(made(PAYLOAD), PAYLOAD)
    drawn = ("g", "path", "use", "text")  # as many as there are ticks
    assert set(hurt.tags) == set(clean.tags)
    for tag in set(hurt.tags) - set(drawn):
        assert (tag, hurt.tags[tag]) == (tag, clean.tags[tag])
    assert hurt.open == []
    assert {(tag, name) for tag, name, _ in hurt.attributes} == {(t, n) for t, n, _ in clean.attributes}
    assert PAYLOAD in " ".join(hurt.texts)


def test_the_files_hold_the_same_numbers_and_no_formula(tmp_path: Path) -> None:
    written = write_findings(made(), gallery(), tmp_path / "new")
    found = json.loads(written.json.read_text())
    table = list(csv.DictReader(io.StringIO(written.csv.read_text())))
    assert [row["region"] for row in table[:6]] == list(REGIONS)
    assert [float(row["ratio"]) for row in table[:6]] == [e["ratio"] for e in found["enrichments"][:6]]
    assert found["harm"]["arms"][1]["p_value"] is None
    poisoned = to_csv((dataclasses.replace(rows()[0], group="=HYPERLINK(1)"),))
    assert re.search(r"^'=HYPERLINK", poisoned, flags=re.M)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EcglipseError, match="cannot be written"):
        write_findings(made(), gallery(), tmp_path / "file")
