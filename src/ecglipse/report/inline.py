"""What all inline pictures share: text on one line, and colours that a dark page may replace. Pure."""


def flat(text: str) -> str:
    """Give text on one line, of printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def short(text: str, most: int) -> str:
    """Give text for a picture: on one line, of printable characters, cut to `most` of them."""
    line = flat(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def themed(colour: str) -> str:
    """Give a colour as CSS that a dark page may replace by a lighter one: `var(--c0072b2, #0072b2)`."""
    return f"var(--c{colour[1:]}, {colour})"
