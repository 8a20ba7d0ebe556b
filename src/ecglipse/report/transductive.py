"""Which methods saw recordings while they pretrained that are tested: their rows say "transductive". Pure."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

WORD: Final = "transductive"


def transductive(facts: Mapping[str, Any]) -> frozenset[str]:
    """Give the names of such methods of a study, from the leaks that were found before it was run.

    A recording of the study's own training set is pretrained on by every method that pretrains, one of
    `pretrain.also` by those that have that store. What is trained on with labels in a target alone is not
    pretrained on; see `ecglipse.commands._crossing`, whose sentences these are.

    Args:
        facts: `study.json` as read.
    """
    leaks = [str(leak) for leak in facts.get("leaks") or () if str(leak).endswith("which is tested")]
    config = facts.get("config")
    config = config if isinstance(config, Mapping) else {}
    targets = tuple(f"{name} " for name in config.get("targets") or ())
    study = (config.get("pretrain") or {}).get("also") or ()
    found = set()
    for entry in facts.get("methods", ()):
        if entry.get("kind", "pretrained") == "pretrained":
            also = (entry.get("set") or {}).get("pretrain.also", study)
            if any(_seen(leak, also, targets) for leak in leaks):
                found.add(str(entry["name"]))
    return frozenset(found)


def _seen(leak: str, also: Sequence[str], targets: tuple[str, ...]) -> bool:
    """Whether a leak is of a recording that a method with these other stores pretrained on."""
    if " is trained on, and is " in leak:
        return not leak.startswith(targets)
    return " is pretrained on, and is " in leak and leak.startswith(tuple(f"{PurePath(s)} " for s in also))


def sentence(facts: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Say which rows are transductive, that none is, or that nobody looked.

    Args:
        facts: `study.json` as read.
        titles: of the methods, by name.
    """
    found = transductive(facts)
    if found:
        names = ", ".join(title for name, title in titles.items() if name in found)
        return (
            f"Rows called “{WORD}” are of encoders that saw recordings of the test sets, without labels, "
            f"while they pretrained: {names}."
        )
    if isinstance(facts.get("leaks"), list):
        return (
            f"No row is {WORD}: no encoder saw a recording of a test set while it pretrained, nor a near "
            "duplicate of one, as was looked for before the study was run."
        )
    return f"Whether a row is {WORD} is not known: this study does not say that duplicates were looked for."
