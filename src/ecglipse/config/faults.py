"""What is said of a key or value that does not fit: where, what, and a suggestion."""

import difflib
from typing import Any

from ecglipse.config.evidence import OwnTask, Target
from ecglipse.config.method import Method
from ecglipse.config.section import Section
from ecglipse.views.settings import SETTINGS


def fault(item: Any, *within: str, root: type[Section]) -> str:
    """One line about one fault: where, what, and a suggestion for a misspelt key."""
    location = (*within, *item["loc"])
    place = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        known = _keys(location[:-1], root)
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
        return f"{place}: unknown key; {meant}"
    if item["type"] == "union_tag_invalid":
        near = difflib.get_close_matches(str(item["ctx"]["tag"]), SETTINGS, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known names: {', '.join(SETTINGS)}"
        return f"{place}.name: unknown view `{item['ctx']['tag']}`; {meant}"
    if item["type"] == "union_tag_not_found":
        return f"{place}.name: missing; known names: {', '.join(SETTINGS)}"
    if item["type"] == "missing":
        return f"{place}: missing"
    message = str(item["msg"]).removeprefix("Value error, ")
    if not place:  # of several tables together: it says itself what it is about
        return message
    got = "" if isinstance(item["input"], dict) else f"; got {item['input']!r:.60}"
    return f"{place}: {message[:1].lower()}{message[1:]}{got}"


_TABLES: dict[str, list[type[Section]]] = {"methods": [Method], "targets": [Target], "tasks": [OwnTask]}
"""Tables of the config whose keys are the user's own names."""


def _keys(location: tuple[Any, ...], root: type[Section]) -> list[str]:
    """The keys that a table may have."""
    if location[:2] == ("views", "extra"):
        return sorted(SETTINGS[location[3]].model_fields)
    model: Any = root
    for part in location:
        if model is root and part in _TABLES:
            model = _TABLES[part]
        elif isinstance(model, list):
            (model,) = model
        else:
            model = model.model_fields[part].annotation
    return sorted(model.model_fields)
