"""From a TOML file to one checked, frozen object; all faults of a file in one message.

Unknown keys are errors with a suggestion. The only override is by dotted path: `pretrain.epochs=3`.
"""

import logging
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ecglipse.config.experiment import Config
from ecglipse.config.faults import fault
from ecglipse.errors import ConfigError

_log = logging.getLogger(__name__)


def load(path: Path, *, overrides: Sequence[str] = ()) -> Config:
    """Read a TOML file; what is set for all methods and none reads is warned of.

    Args:
        path: of the file.
        overrides: "a.b=value" by dotted path; the value as in TOML, or a bare word.

    Raises:
        ConfigError: if the file is missing, is not TOML, or has keys or values that do not fit.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config", hint="see `configs/` for examples") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    for override in overrides:
        _apply(content, override)
    config = check(content, where=str(path))
    for said in config.unread():
        _log.warning("%s: %s", path, said)
    return config


def check(content: dict[str, Any], *, where: str, recorded: bool = False) -> Config:
    """Make a config of plain values.

    Args:
        content: tables, keys and values.
        where: they are from, for what is said.
        recorded: by a run, whose method need not read all that was set for all methods.

    Raises:
        ConfigError: naming every key or value that does not fit, or that its method does not read.
    """
    try:
        config = Config.model_validate(content)
        faults = [] if recorded else config.idle()
    except ValidationError as error:
        faults = [fault(item, root=Config) for item in error.errors()]
    if faults:
        raise ConfigError(
            f"{where}: {len(faults)} {'fault' if len(faults) == 1 else 'faults'}\n  " + "\n  ".join(faults)
        )
    return config


def _apply(content: dict[str, Any], override: str) -> None:
    """Put one override into the plain values."""
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set {override}: not of the form `a.b=value`")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = content
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override}: `{key}` is a value, not a table")
    table[keys[-1]] = value
