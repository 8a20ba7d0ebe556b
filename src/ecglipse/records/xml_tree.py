"""`read_tree`: a file of XML as a tree, without entities, links or more than memory holds."""

from pathlib import Path
from typing import Any

from ecglipse.errors import RecordError
from ecglipse.records.plain_file import read_plain

_LARGEST = 2**27
"""Bytes: 12 leads of half an hour as text."""


def read_tree(path: Path) -> Any:
    """Parse a file; names of elements are without their namespace.

    Returns:
        The root, an `xml.etree.ElementTree.Element`.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "length" or "format" (which entities
            and document types are too).
    """
    content = read_plain(str(path), path.name, most=_LARGEST + 1)
    if len(content) > _LARGEST:
        raise RecordError(f"{path.name}: more than {_LARGEST} bytes", reason="length")
    try:
        from defusedxml.ElementTree import fromstring
    except ImportError:
        raise RecordError(
            f"{path.name}: XML needs defusedxml", reason="format", hint="pip install 'ecglipse[formats]'"
        ) from None
    try:
        root = fromstring(content, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except Exception as error:  # a parser of hostile bytes has many exceptions
        raise RecordError(
            f"{path.name}: not sound XML: {type(error).__name__}: {error!s:.120}", reason="format"
        ) from None
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return root


def text_of(element: Any, name: str) -> str:
    """Text of the first element of that name below, without blanks around; empty if there is none."""
    found = element.find(f".//{name}")
    return "" if found is None or found.text is None else found.text.strip()
