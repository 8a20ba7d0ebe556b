"""What a store's manifest says of how its signals were treated, in sentences. Pure."""

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecglipse.commands._form import Form
    from ecglipse.records.reading import Reading
    from ecglipse.store import StoreWriter


def reading_sentences(reading: "Reading | None") -> list[str]:
    """Say what the user said of the files, for the manifest."""
    if reading is None:
        return []
    parts = [f"unit {reading.unit}"] if reading.unit else []
    parts += [f"{reading.fs:g} Hz"] if reading.fs else []
    parts += [f"leads {', '.join(reading.leads)}"] if reading.leads else []
    parts += [f"dataset {reading.dataset}"] if reading.dataset else []
    return [f"read as: {'; '.join(parts)}"] if parts else []


def form_sentences(form: "Form") -> list[str]:
    """Say what the form does to the signals, for the manifest; equal sentences mean equal treatment."""
    from ecglipse.leads import LEADS
    from ecglipse.quality import Limits

    names = "twelve leads" if form.leads == LEADS else f"leads {', '.join(form.leads)}"
    window = f"{form.duration_s:g} s"
    longer = {
        "centre": f"the middle {window}",
        "all": f"windows of {window} that share {form.overlap:.0%} with the next",
    }[form.windows]
    shorter = {"reject": "left out", "pad": "zeros put after the end, flagged by n_valid"}[form.short]
    lacking = {"reject": "left out", "zero": "zeros put for the lead, flagged by missing"}[form.missing]
    standard, changed = dataclasses.asdict(Limits()), dataclasses.asdict(form.limits)
    limits = ", ".join(f"{key} {value}" for key, value in changed.items() if value != standard[key])
    return [
        f"{names} put in order",
        f"of longer recordings: {longer}",
        f"shorter recordings: {shorter}",
        f"recordings without a lead: {lacking}",
        f"filters: {'; '.join(form.filters.sentences()) or 'none'}",
        f"quality limits: {limits or 'as documented'}",
    ]


def count_sentences(writer: "StoreWriter", form: "Form") -> list[str]:
    """Say to how many it was done, for the manifest."""
    table = writer.columns("record_id", "source_fs", "source_s", "n_valid", "missing", "flags")
    longer = table[table["source_s"] > form.duration_s + 0.5 / form.fs]["record_id"].nunique()
    counts = {
        "longer recordings": longer,
        "padded records": int((table["n_valid"] < form.n_samples).sum()),
        "records without a lead": int((table["missing"].str.len() > 0).sum()),
    }
    said = [f"{name}: {count}" for name, count in counts.items() if count]
    for rate, count in sorted(table["source_fs"].value_counts().items()):
        same = rate == form.fs
        what = f"kept at {rate:g} Hz" if same else f"resampled from {rate:g} Hz to {form.fs:g} Hz"
        said.append(f"{what}: {count} records")
    flags = Counter(flag for flags in table["flags"] for flag in flags)
    if flags:
        said.append("flagged: " + ", ".join(f"{count} {flag}" for flag, count in sorted(flags.items())))
    return [*said, f"rounded to units of {writer.scale_mv:g} mV"]
