"""Text from anywhere before a service's own escapes: one printable line without passwords, and its visible cut."""

from collections.abc import Sequence
from itertools import accumulate

from include.loadtest.errors import printable
from include.loadtest.target.urls import without_passwords

_LONGEST_ADDRESS_CHARS = 2048


def one_line(value: object, limit: int) -> str:
    """The printable beginning; one character longer than `limit` where there is more, so that the cut shows.

    Passwords are masked before anything is cut or escaped: half an address no longer shows that it holds one.
    """
    window = 10 * limit
    text = without_passwords(printable(str(value), window + _LONGEST_ADDRESS_CHARS))
    return " ".join(text[:window].split())[: limit + 1]


def cut(pieces: Sequence[str], limit: int) -> str:
    """The pieces as one text of at most `limit` characters; none is cut in two."""
    sizes = list(accumulate(len(piece) for piece in pieces))
    if not sizes or sizes[-1] <= limit:
        return "".join(pieces)
    return "".join(piece for piece, size in zip(pieces, sizes, strict=True) if size < limit) + "…"
