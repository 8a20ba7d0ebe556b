"""Options that verbs have in common, and what `--json` does to what they say."""

import json
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative="")]
Set = Annotated[list[str] | None, Parameter(name="--set", negative="", allow_leading_hyphen=False)]
Flag = Parameter(negative="")


def say(made: Any, *lines: str, as_json: bool) -> None:
    """Print the result to stdout: sentences, or JSON."""
    if as_json:
        content = asdict(made) if is_dataclass(made) and not isinstance(made, type) else made
        print(json.dumps(content, default=str, ensure_ascii=False))
        return
    for line in lines:
        print(line)
