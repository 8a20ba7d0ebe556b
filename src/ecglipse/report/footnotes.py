"""Why a cell of a table is n/a, as a letter in the cell and its reason below the table. Pure."""

import string


class Footnotes:
    """Collects the reasons of one table; equal ones share a letter."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def mark(self, reason: str) -> str:
        """Give the letter of a reason; none for no reason."""
        if not reason:
            return ""
        count = len(self._letters)
        most = len(string.ascii_lowercase)
        letter = string.ascii_lowercase[count % most] * (1 + count // most)
        return self._letters.setdefault(reason, letter)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Letters and reasons, in the order in which they came."""
        return [(letter, reason) for reason, letter in self._letters.items()]
