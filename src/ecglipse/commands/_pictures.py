"""Pictures of what a preparation left out or flagged, in a page beside the store. Writes that page."""

import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ecglipse.errors import RecordError

if TYPE_CHECKING:
    from ecglipse.commands._form import Form
    from ecglipse.corpora import Entry
    from ecglipse.report.rejects import Picture
    from ecglipse.store import Packed

MOST = 12
"""Recordings that are drawn."""


@dataclass
class Seen:
    """What was left out or flagged: all of it counted, of each reason the first few by number.

    Args:
        left_out: numbers and messages by reason.
        flagged: numbers by reason.
        counts: of recordings left out, by reason.
        flags: of rows with a flag, by reason.
    """

    left_out: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    flagged: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)

    def note(self, number: int, result: "Sequence[Packed] | tuple[str, str, str]") -> None:
        """Take account of a recording's rows, or of its id, reason and message."""
        if isinstance(result, tuple):
            _, reason, message = result
            self.counts[reason] += 1
            _keep(self.left_out, reason, number, message)
            return
        for packed in result:
            self.flags.update(packed.row["flags"])
        for reason in {flag for packed in result for flag in packed.row["flags"]}:
            _keep(self.flagged, reason, number, "")

    def choice(self) -> list[tuple[int, str, str, bool]]:
        """Numbers, reasons, messages and whether it was kept: one of each reason in turn, refusals first."""
        lanes = [(reason, False, held) for reason, held in sorted(self.left_out.items())]
        lanes += [(reason, True, held) for reason, held in sorted(self.flagged.items())]
        return [
            (held[turn][0], reason, held[turn][1], kept)
            for turn in range(MOST)
            for reason, kept, held in lanes
            if turn < len(held)
        ]


def _keep(lanes: dict[str, list[tuple[int, str]]], reason: str, number: int, message: str) -> None:
    held = lanes.setdefault(reason, [])
    if len(held) < MOST:
        held.append((number, message))


def page_beside(store: Path) -> Path:
    """Where the page of a store lies."""
    place = store.resolve()
    return place.with_name(f"{place.name}.rejects.html")


def write_pictures(store: Path, seen: Seen, entries: "Sequence[Entry]", form: "Form") -> Path | None:
    """Write the page, for its owner alone; an older one goes.

    Args:
        store: its folder; the page lies beside it.
        seen: by this preparation.
        entries: all recordings, by number.
        form: of the store: the window that is judged is the one that is drawn.

    Returns:
        The page; None if nothing can be drawn, or there is no room for it on the disk.
    """
    from ecglipse.quality import REASONS
    from ecglipse.report.rejects import Counted, render_rejects

    path = page_beside(store)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pictures = _drawn(seen, entries, form)
        if not pictures:
            path.unlink(missing_ok=True)
            return None
        reasons = sorted(seen.counts.keys() | seen.flags.keys(), key=lambda r: (-seen.counts[r], r))
        counts = [Counted(r, REASONS.get(r, ""), seen.counts[r], seen.flags[r]) for r in reasons]
        facts = {
            "recordings": f"{len(entries):,}, of which {seen.counts.total():,} were left out",
            "drawn": f"up to {MOST}, one of each reason in turn; rejects.jsonl lists all that was left out",
        }
        text = render_rejects(store.resolve().name, facts, counts, pictures)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        return None
    return path


def _drawn(seen: Seen, entries: "Sequence[Entry]", form: "Form") -> "list[Picture]":
    """Read again what can be read."""
    from ecglipse.quality import findings
    from ecglipse.report.rejects import Picture
    from ecglipse.signal import centre_window

    drawn: list[Picture] = []
    done: set[int] = set()
    for number, reason, message, kept in seen.choice():
        if len(drawn) == MOST:
            break
        if number in done:
            continue
        done.add(number)
        try:
            record = entries[number].load()
        except RecordError:
            continue
        except Exception:  # a reader's fault, listed with its type among the rejects
            continue
        signal = record.signal
        needed = round(form.duration_s * record.fs)
        if signal.shape[1] > needed > 0:
            signal, _ = centre_window(signal, needed)
        if not signal.size:
            continue
        if kept:
            found = findings(signal, record.fs, record.leads, limits=form.limits)
            message = next((finding.message for finding in found if finding.reason == reason), "")
        drawn.append(
            Picture(entries[number].record_id, reason, message, kept, signal, record.fs, record.leads)
        )
    return drawn
