"""`Manifest`: what a store says of itself in `manifest.json`. Reads it and renders it; writes nothing."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ecglipse.errors import StoreError

FORMAT = "ecglipse-store"
VERSION = 2
FILE = "manifest.json"
TABLES = ("records.parquet", "waves.parquet", "rejects.jsonl")
"""The files that a store may hold beside its shards and its manifest."""

_SHARD = re.compile(r"signals-\d{5,}\.npy")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DAMAGED = "restore it from a copy, or make the store again with `ecglipse prepare ... --replace`"


def belongs(name: str) -> bool:
    """Whether a file of this name may be part of a store."""
    return name == FILE or name in TABLES or _SHARD.fullmatch(name) is not None


def replaceable(place: Path, shown: Path) -> bool:
    """Whether a store is there; an empty folder counts as nothing.

    Raises:
        StoreError: if something is there that is not a store, which must not be removed.
    """
    if not place.exists():
        return False
    names = sorted(entry.name for entry in place.iterdir()) if place.is_dir() else [place.name]
    foreign = [name for name in names if not place.is_dir() or not belongs(name) or (place / name).is_dir()]
    if foreign:
        raise StoreError(f"{shown}: holds `{foreign[0]}`, which no store has", hint="choose another folder")
    return bool(names)


@dataclass(frozen=True)
class ShardFile:
    """A shard: records in the order of the table, one `.npy` array (record, lead, time) of int16."""

    file: str
    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableFile:
    """A file beside the shards."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is in a store; the fields are the keys of `manifest.json`, as docs/architecture.md names them.

    Args:
        corpus: its name.
        fs: samples per second, Hz.
        duration_s: length of every record, s.
        n_samples: fs * duration_s.
        leads: names, in the order of the arrays.
        scale_mv: millivolts a unit, per lead.
        n_records: in all shards together.
        shards: in order.
        tables: the other files.
        vocabulary: what the codes mean: description, superclass, subclass, kinds.
        processing: sentences: what was done to the signals.
        rejects: recordings left out, by reason.
        created: when, UTC; the only field that is not in the digest.
        ecglipse: the version that wrote it.
    """

    corpus: str
    fs: float
    duration_s: float
    n_samples: int
    leads: tuple[str, ...]
    scale_mv: tuple[float, ...]
    n_records: int
    shards: tuple[ShardFile, ...]
    tables: tuple[TableFile, ...]
    vocabulary: dict[str, dict[str, Any]]
    processing: tuple[str, ...]
    rejects: dict[str, int]
    created: str
    ecglipse: str

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON without `created`: equal for equal content, 64 hex digits."""
        return _sha256({key: value for key, value in self._content().items() if key != "created"})

    @property
    def files(self) -> tuple[ShardFile | TableFile, ...]:
        """Every file of the store but the manifest."""
        return (*self.shards, *self.tables)

    def text(self) -> str:
        """Render as the content of `manifest.json`; `checksum` covers all other keys, against bit flips."""
        content = self._content()
        return json.dumps(content | {"checksum": _sha256(content)}, indent=1, ensure_ascii=False) + "\n"

    def _content(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION} | asdict(self)


def read_manifest(store: Path) -> Manifest:
    """Read the manifest of a store.

    Raises:
        StoreError: if it is missing, is not JSON, has another format or a version from the future, lacks a
            key, or contradicts itself.
    """
    where = store / FILE
    try:
        content = json.loads(where.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        missing = "has no manifest.json" if store.is_dir() else "no such folder"
        raise StoreError(
            f"{store}: {missing}", hint="give the folder that `ecglipse prepare` wrote"
        ) from None
    except OSError as error:
        raise StoreError(f"{where}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: not JSON ({error})", hint=_DAMAGED) from None
    return parse_manifest(content, where=str(where))


def parse_manifest(content: Any, *, where: str) -> Manifest:
    """Check decoded JSON and give it as a manifest; `where` begins the messages.

    Raises:
        StoreError: as for `read_manifest`.
    """
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise StoreError(
            f"{where}: format {FORMAT!r} expected, {found!r} found", hint="give the folder of a store"
        )
    version = content.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        hint = "install a newer ecglipse" if newer else _DAMAGED
        raise StoreError(
            f"{where}: version {version!r} of the format; this ecglipse reads version {VERSION}", hint=hint
        )
    keys = {field.name for field in fields(Manifest)}
    missing, unknown = keys - content.keys(), content.keys() - keys - {"format", "version", "checksum"}
    if missing or unknown:
        faults = [f"{what} {', '.join(sorted(names))}" for what, names in
                  (("without", missing), ("with unknown", unknown)) if names]  # fmt: skip
        raise StoreError(f"{where}: {' and '.join(faults)}", hint=_DAMAGED)
    try:
        manifest = _build({key: content[key] for key in keys})
        checksum = _sha256(manifest._content())
    except (ValueError, OverflowError) as error:
        raise StoreError(f"{where}: {error}", hint=_DAMAGED) from None
    if content.get("checksum", checksum) != checksum:
        raise StoreError(f"{where}: does not match its checksum; it was changed or damaged", hint=_DAMAGED)
    return manifest


def _build(raw: dict[str, Any]) -> Manifest:
    """Convert and cross-check; TypeError or ValueError name what is wrong."""
    for name in ("corpus", "created", "ecglipse"):
        _is(isinstance(raw[name], str), name, raw[name])
    for name in ("n_samples", "n_records"):
        _is(_count(raw[name]) and raw[name] > 0, name, raw[name])
    for name in ("fs", "duration_s"):
        _is(_number(raw[name]) and raw[name] > 0, name, raw[name])
    leads, scales, words, rejects = raw["leads"], raw["scale_mv"], raw["processing"], raw["rejects"]
    _is(isinstance(leads, list) and leads and all(isinstance(lead, str) for lead in leads), "leads", leads)
    _is(
        isinstance(scales, list) and all(_number(scale) and scale > 0 for scale in scales), "scale_mv", scales
    )
    _agree("scale_mv has", len(scales), "the leads are", len(leads))
    _is(isinstance(words, list) and all(isinstance(word, str) for word in words), "processing", words)
    _is(isinstance(rejects, dict) and all(_count(count) for count in rejects.values()), "rejects", rejects)
    _vocabulary(raw["vocabulary"])
    shards = tuple(ShardFile(**_file(entry, "shards", {"records"})) for entry in _list(raw, "shards"))
    tables = tuple(TableFile(**_file(entry, "tables", set())) for entry in _list(raw, "tables"))
    names = [shard.file for shard in shards] + [table.file for table in tables]
    _is(len(set(names)) == len(names), "file names", names)
    _is(all(_SHARD.fullmatch(shard.file) and shard.records > 0 for shard in shards), "shards", names)
    _is(all(table.file in TABLES for table in tables) and TABLES[0] in names, "tables", names)
    _agree("n_records is", raw["n_records"], "the shards hold", sum(shard.records for shard in shards))
    _agree("n_samples is", raw["n_samples"], "fs * duration_s is", round(raw["fs"] * raw["duration_s"]))
    typed: dict[str, Any] = {"leads": tuple(leads), "scale_mv": tuple(map(float, scales))}
    typed |= {"shards": shards, "tables": tables, "processing": tuple(words)}
    typed |= {"fs": float(raw["fs"]), "duration_s": float(raw["duration_s"])}
    return Manifest(**(raw | typed))


def _vocabulary(found: Any) -> None:
    _is(isinstance(found, dict), "vocabulary", found)
    wanted = {"description", "superclass", "subclass", "kinds"}
    for code, meaning in found.items():
        _is(isinstance(meaning, dict) and wanted <= meaning.keys(), f"vocabulary of {code!r}", meaning)
        _is(isinstance(meaning["kinds"], list), f"kinds of {code!r}", meaning["kinds"])


def _file(entry: Any, where: str, more: set[str]) -> dict[str, Any]:
    _is(isinstance(entry, dict) and entry.keys() == {"file", "bytes", "sha256"} | more, where, entry)
    _is(isinstance(entry["file"], str), f"{where}: file", entry["file"])
    for name in {"bytes"} | more:
        _is(_count(entry[name]), f"{where}: {name}", entry[name])
    digest = entry["sha256"]
    _is(isinstance(digest, str) and _SHA256.fullmatch(digest), f"{where}: sha256", digest)
    return dict(entry)


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    _is(isinstance(raw[name], list), name, raw[name])
    return list(raw[name])


def _is(right: object, name: str, value: object) -> None:
    if not right:
        raise ValueError(f"{name} cannot be {value!r}"[:300])


def _agree(this: str, value: int, that: str, other: int) -> None:
    if value != other:
        raise ValueError(f"{this} {value}, but {that} {other}")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _sha256(content: dict[str, Any]) -> str:
    """Digest of the canonical JSON: keys sorted, no blanks, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
