"""One line of any text, without passwords and with a visible cut; the same wherever a service is told of it."""

from collections.abc import Callable
from typing import Any

import pytest

from include.loadtest.publishing import github_text, message_parts
from include.loadtest.publishing.foreign_text import cut, one_line
from include.loadtest.publishing.pull_request_text import short

pytestmark = pytest.mark.unit
SECRETS = (
    "cannot connect: postgresql://u:s3cret@h/db?password=s3cret2",
    "redis://:p@s3cret@h",
    "postgresql://u:p%40s3cret@h",
    "https://h/x?access_token=s3cret&sslpassword=s3cret",
    "next=postgresql%3A%2F%2Fu%3As3cret%40h",
    f"{' ' * 2_980} postgresql://u:s3cret@h",
    f"postgresql://u:s3cret{'x' * 1_000}@h",
)
PLACES: dict[str, Callable[[str], Any]] = {
    "GitHub, in a line": lambda text: github_text.harmless(text, 300),
    "GitHub, at a line's start": lambda text: github_text.plain(text, 300),
    "GitHub, as code": lambda text: github_text.code(text, 300),
    "GitHub, as a link": lambda text: github_text.link("x", f"http://a/?b={text.replace(' ', '+')}"),
    "GitHub, a check's title": lambda text: short(
        {"verdict": "SLA_BREACH", "reasons": [{"code": "slo_missed", "text": text}]}, 140
    ),
    "Slack, in a text": lambda text: message_parts.escaped(text, 300),
    "Slack, as code": lambda text: message_parts.code(text, 300),
    "Slack, as a link": lambda text: list(message_parts.links(("x", f"http://a/?b={text.replace(' ', '+')}"))),
    "Slack, a headline": lambda text: message_parts.assembled(text, [], text),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", SECRETS)
def test_no_password_is_told_anywhere(place: str, text: str) -> None:
    """Before the host or in a parameter, encoded or not, also where the text is cut in the middle of the address."""
    assert "s3cret" not in repr(PLACES[place](text))


def test_a_line_is_printable_and_its_cut_shows() -> None:
    """Any space is one; more than there is room for is one character longer."""
    assert one_line("a\x00b\n\tc\u202ed", 20) == "a b c d"
    assert len(one_line("x" * 100_000, 20)) == 21
    assert cut(list(one_line("x" * 100, 20)), 20) == "x" * 19 + "…"


def test_no_piece_is_cut_in_two() -> None:
    """An entity is whole or not there."""
    assert cut(["a", "&amp;", "&lt;"], 8) == "a&amp;…"
    assert cut(["a", "&amp;"], 6) == "a&amp;"
    assert cut([], 5) == ""
