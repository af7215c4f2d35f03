"""Whatever a page waits for, Airflow's own answers do not wait for it, and nothing waits for ever."""

import inspect
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient

from include.loadtest.orchestration import storage
from include.loadtest.orchestration.web import sources
from include.loadtest.orchestration.web.app import create_app
from include.loadtest.orchestration.web.threads import PAGES_AT_ONCE, OwnThreads, Readers
from tests.helpers.web_bundles import concluded_run

pytestmark = pytest.mark.unit
LONGEST_S = 0.05
GIVEN_UP_S = 20.0
"""Only a failing test waits so long."""


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """What a silent store waits for; when the test ends it answers."""
    end = threading.Event()
    yield end
    end.set()
    _join()


def _asking() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "loadtest-results"]


def _join() -> None:
    for thread in _asking():
        thread.join(GIVEN_UP_S)


def test_airflows_own_functions_answer_while_all_pages_wait(silence: threading.Event) -> None:
    """More pages are asked for than there are threads for all functions of the server: a few of the app's own wait."""
    asked, router = [], APIRouter()

    @router.get("/page")
    def page() -> None:
        asked.append(threading.current_thread())
        silence.wait(GIVEN_UP_S)

    server, pages = FastAPI(), OwnThreads()
    pages.include_router(router)
    server.include_router(pages)

    @server.get("/own")
    def own() -> str:
        return "heard"

    async def look() -> None:
        client = AsyncClient(transport=ASGITransport(server), base_url="http://airflow.example")
        async with client, anyio.create_task_group() as group:
            try:
                for _ in range(int(current_default_thread_limiter().total_tokens) + 5):
                    group.start_soon(client.get, "/page")
                await anyio.wait_all_tasks_blocked()
                with anyio.fail_after(GIVEN_UP_S / 2):
                    assert (await client.get("/own")).json() == "heard"
                assert 0 < len(asked) <= PAGES_AT_ONCE
            finally:
                silence.set()

    anyio.run(look)


def test_no_page_is_made_in_airflows_threads() -> None:
    """FastAPI calls plain functions in the threads of the whole server: the app gives it none."""
    routes = create_app().routes
    assert [route for route in routes if not inspect.iscoroutinefunction(getattr(route, "endpoint", None))] == []


def test_silence_holds_a_few_threads_and_the_next_questions_fail_at_once(
    silence: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the questions that were given up come back; then all is as before."""
    readers, asked, waits = Readers(2, LONGEST_S), [], []
    acquire = readers._places.acquire

    def noted(timeout: float) -> bool:
        waits.append(timeout)
        return acquire(timeout=timeout)

    monkeypatch.setattr(readers._places, "acquire", noted)

    def question() -> bool:
        asked.append(1)
        return silence.wait(GIVEN_UP_S)

    for _ in range(5):
        with pytest.raises(TimeoutError):
            readers.ask(question)
    assert (len(asked), len(_asking()), waits) == (2, 2, [0] * 5)
    silence.set()
    _join()
    assert [readers.ask(lambda: 1) for _ in range(5)] == [1] * 5


def test_a_question_waits_for_the_place_of_one_that_is_not_late(
    silence: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many pages at a time are no silence."""
    readers, asked = Readers(1, GIVEN_UP_S), threading.Event()
    first = threading.Thread(target=readers.ask, args=(lambda: asked.set() or silence.wait(GIVEN_UP_S),))
    first.start()
    assert asked.wait(GIVEN_UP_S)
    acquire = readers._places.acquire

    def waiting(timeout: float) -> bool:
        silence.set()
        return acquire(timeout=timeout)

    monkeypatch.setattr(readers._places, "acquire", waiting)
    assert readers.ask(lambda: "heard") == "heard"
    first.join(GIVEN_UP_S)


def test_a_question_that_fails_gives_its_place_back() -> None:
    """Its own error is told."""
    readers = Readers(1, GIVEN_UP_S)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            readers.ask(lambda: 1 // 0)


def test_a_machine_without_threads_costs_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started there is an error, and the next question is asked."""
    readers = Readers(1, GIVEN_UP_S)

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(threading.Thread, "start", fail)
        readers.ask(lambda: 1)
    assert readers.ask(lambda: 2) == 2


@pytest.mark.parametrize("silent", ["read_file", "list_folder"])
def test_results_that_do_not_answer(
    viewer: TestClient, results: Path, silence: threading.Event, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    """503 in one line for what needs them, at once after the first few; the rest of the app goes on."""

    def wait(*_: str) -> None:
        silence.wait(GIVEN_UP_S)

    concluded_run(results, "smoke-1")
    monkeypatch.setattr(storage, silent, wait)
    monkeypatch.setattr(sources, "_READERS", Readers(2, LONGEST_S))
    path = "runs/smoke-1/live" if silent == "read_file" else "dag-runs/a/b"
    for _ in range(4):
        answer = viewer.get(f"/loadtest/{path}")
        assert answer.status_code == 503
        assert f"the results at {results}" in answer.json()["detail"]
        assert "cannot be read now (no answer in time)" in answer.json()["detail"]
    assert len(_asking()) == 2
    assert viewer.get("/loadtest/docs/").status_code == 200
    overview = viewer.get("/loadtest/", headers={"Accept": "text/html"})
    assert overview.status_code == 200
    assert "cannot be read now (no answer in time)" in overview.text
