"""No redirection takes a token, a message or a file to another server."""

from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from include.loadtest.publishing import slack_client
from include.loadtest.publishing.redirects import open_there
from tests.helpers.listeners import listener, redirect_to

pytestmark = pytest.mark.unit
SECRET = "xoxb-secret"


def _web(url: str) -> None:
    slack_client.WebClient(token=SECRET, base_url=f"{url}/api/").chat_postMessage(channel="C1", text="x")


def _webhook(url: str) -> None:
    assert slack_client.WebhookClient(f"{url}/services/secret").send(text="x").status_code >= 300


def _file(url: str) -> None:
    assert slack_client._put(f"{url}/upload", b"x", 5).error is not None


def _plain(url: str) -> None:
    open_there(Request(url, b"x", {"Authorization": SECRET}), timeout=5)  # noqa: S310 - an address of this test


@pytest.mark.parametrize("send", [_web, _webhook, _file, _plain])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_other_server_hears_nothing(send: Callable[[str], None], status: int) -> None:
    """By the bot's token, by the webhook, with a file: the redirection is the answer."""
    with listener("127.0.0.2") as forbidden:
        elsewhere = redirect_to(f"http://127.0.0.2:{forbidden.port}/", status)
        with listener("127.0.0.1", answer=elsewhere) as asked:
            try:
                send(f"http://127.0.0.1:{asked.port}")
            except (slack_client.SlackApiError, HTTPError) as error:
                assert SECRET not in str(error)
            assert asked.connections == 1
        assert forbidden.connections == 0


def test_an_answer_is_an_answer() -> None:
    """What is no redirection is read as before."""
    with listener("127.0.0.1") as asked, open_there(f"http://127.0.0.1:{asked.port}/", timeout=5) as answer:
        assert (answer.status, answer.read()) == (200, b"{}")
