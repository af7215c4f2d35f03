"""The calls of the LLM are read from a real page, within a bound, and only where one process counts them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from include.loadtest.orchestration.llm_count import AnotherProcessError, CallCounter, CountError
from include.loadtest.target.settings import Target, load_target_file

pytestmark = pytest.mark.integration
Serve = Callable[[list[str]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers with these pages in turn, the last one from then on."""
    servers = []

    def start(pages: list[str]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.pop(0) if len(pages) > 1 else pages[0]
                self.send_response(200 if page else 404)
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def counter_of(base_url: str, llm_url: str | None = None) -> CallCounter:
    return CallCounter(Target.checked(load_target_file("demo"), base_url, llm_metrics_url=llm_url))


def page(calls: int, start_s: int = 1000) -> str:
    return f'llm_requests_total{{status="200"}} {calls}\nprocess_start_time_seconds {start_s}\n'


def test_the_page_of_the_llm_counts_before_that_of_the_target(serve: Serve) -> None:
    """All attempts of every status are calls."""
    target, llm = (
        serve([page(7)]),
        serve(['llm_requests_total{status="200"} 5\nllm_requests_total{status="429"} 2.0\n']),
    )
    with closing(counter_of(target, llm)) as counter:
        assert (counter.source, counter.first(), counter.read()) == ("llm", 7, 7)
    with closing(counter_of(target)) as counter:
        assert (counter.source, counter.read()) == ("app", 7)


@pytest.mark.parametrize(
    "pages",
    [[page(3, 1000), page(3, 1001)], [page(9), page(4)]],
    ids=["two start times in turn", "two counts in turn"],
)
def test_several_processes_are_no_counter(serve: Serve, pages: list[str]) -> None:
    """Each would count its own calls only."""
    with closing(counter_of(serve(pages))) as counter, pytest.raises(CountError, match="several processes"):
        counter.first()


def test_two_processes_that_seldom_take_turns_are_told_within_a_second(serve: Serve) -> None:
    """The other one answers after most of a second only."""
    with closing(counter_of(serve([page(3, 1000)] * 4 + [page(8, 1001)]))) as counter:
        begun_s = time.monotonic()
        with pytest.raises(CountError, match="several processes"):
            counter.first()
    assert time.monotonic() - begun_s >= 0.9


def test_a_process_that_answers_later_is_not_counted(serve: Serve) -> None:
    """Its count is higher, so nothing falls; also where the first one was that of an earlier stage."""
    target = serve([page(7, 1000), page(9, 1001)])
    with closing(counter_of(target)) as counter:
        assert (counter.read(), counter.started_s) == (7, (1000.0,))
        with pytest.raises(AnotherProcessError, match="another process answers"):
            counter.read()
    again = CallCounter(Target.checked(load_target_file("demo"), target), [1000.0])
    with closing(again), pytest.raises(AnotherProcessError):
        again.read()


@pytest.mark.parametrize(
    ("pages", "said"),
    [(["up 1\n"], "has no counter of them"), ([""], "is not there"), (["llm_requests_total NaN\n"], "no counter")],
)
def test_what_cannot_be_counted_says_why(serve: Serve, pages: list[str], said: str) -> None:
    """A page without the counter, none at all, or one whose counter is no number."""
    with closing(counter_of(serve(pages))) as counter, pytest.raises(CountError, match=said):
        counter.read()


def test_a_server_that_is_gone_cannot_be_counted() -> None:
    """It says so at once."""
    with closing(counter_of("http://127.0.0.1:9")) as counter, pytest.raises(CountError):
        counter.read()
