"""The error that names a broken link."""

from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.selftest.links import AFTER, BrokenLinkError, Link, link

pytestmark = pytest.mark.unit


def test_an_error_of_ours_names_its_link_and_what_to_do() -> None:
    """Its text is kept: it is written for people."""
    with pytest.raises(BrokenLinkError) as caught, link(Link.SLACK, "repair it"):
        raise ConfigError("no token")
    assert str(caught.value) == "broken link: Slack. no token. What to do: repair it"
    assert caught.value.link is Link.SLACK


def test_the_text_of_a_foreign_error_is_not_told() -> None:
    """It may quote a secret."""
    with pytest.raises(BrokenLinkError) as caught, link(Link.ISSUE, "repair it"):
        raise ValueError("https://hooks.example/secret")
    assert "secret" not in str(caught.value)
    assert "ValueError" in str(caught.value)


def test_a_link_that_is_named_already_keeps_its_name() -> None:
    """Whatever block it passes on its way."""
    with pytest.raises(BrokenLinkError) as caught, link(Link.SLACK, "repair it"):
        raise BrokenLinkError(Link.OUTBOX, "full", "empty it")
    assert caught.value.link is Link.OUTBOX


def test_no_link_waits_for_a_later_one() -> None:
    """So the order of the links is one in which they can be tested."""
    order = list(Link)
    assert all(order.index(before) < order.index(name) for name, before in AFTER.items())


def test_the_document_names_every_link() -> None:
    """Whoever reads a red task's error finds it there."""
    text = (Path(__file__).parents[4] / "docs" / "self-test.md").read_text(encoding="utf-8")
    assert all(f"| `{str(name).lower().replace(' ', '_')}` |" in text for name in Link)
