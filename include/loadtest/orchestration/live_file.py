"""Keeps live.json: which stage of a run works, its signs of life, and what its load shows. Costs no stage anything.

Threads of their own write it, here and where bundles are kept, so that neither a slow disk nor a slow store holds up
the load, its alerts, or a stage. Whatever goes wrong in that is one line in the log, and costs the live page only.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from include.loadtest import run
from include.loadtest.errors import printable
from include.loadtest.history.locks import TargetHeldError
from include.loadtest.live.page import LoadPage, closed
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.storage import is_local, write_file
from include.loadtest.profile.thresholds import Thresholds

if TYPE_CHECKING:
    from include.loadtest.live.tail import LiveRun  # pyarrow, which a stage without a load does without

LOG = logging.getLogger("loadtest")
BEAT_S = 5.0
"""A stage gives a sign of life so often; while load is sent, each look at it is one (see `live_watch.POLL_S`)."""
NOT_YET_S = 0.5
"""So often preflight is asked whether there is a run at all."""
JOIN_S, STORE_JOIN_S = 2.0, 1.0
"""How long the end of a stage waits for its last word, which is a small local file, and for a copy under way."""
MAX_STAGES, MAX_TEXT_CHARS = 40, 500

State = Literal["running", "waiting", "ended", "failed"]
_OPEN: ContextVar["LiveFile | None"] = ContextVar("live_file", default=None)


@dataclass(frozen=True)
class StageNote:
    """One attempt at a stage. `waiting`: for the target, without a process; `text`: for whom, or why it failed."""

    name: str
    state: State
    began: str
    ended: str | None = None
    text: str | None = None


@contextmanager
def shown_live(context: RunContext, name: str) -> Iterator[None]:
    """The run's page follows a stage."""
    file = LiveFile(context, name)
    file.begin()
    token = _OPEN.set(file)
    state: State = "failed"
    text: str | None = None
    try:
        yield
        state = "ended"
    except TargetHeldError as held:
        state, text = "waiting", str(held)
        raise
    except BaseException as error:
        text = str(error) or type(error).__name__
        raise
    finally:
        _OPEN.reset(token)
        file.end(state, text)


class LiveFile:
    """The live.json of a run while one of its stages works."""

    def __init__(self, context: RunContext, name: str) -> None:
        self._context, self._name = context, name
        self._faults = _Faults()
        self._began = _now()
        self._earlier: list[dict[str, Any]] = []
        self._load: Mapping[str, Any] | None = None
        self._last: StageNote | None = None
        self._changed = threading.Event()
        self._store = None if is_local(context.bundle_uri) else _StoreCopy(context.bundle_uri, self._faults)
        self._writer = threading.Thread(target=self._write_on, name="live-file", daemon=True)

    def begin(self) -> None:
        """Go on with what earlier stages have left."""
        with self._faults.only_noted():
            if self._context.bundle.has(run.LIVE):
                before = self._context.bundle.read(run.LIVE)
                self._earlier = list(before["stages"])[1 - MAX_STAGES :]
                self._load = None if before["load"] is None else closed(before["load"])
        self._writer.start()

    def show(self, load: Mapping[str, Any]) -> None:
        """What the load shows now. Waits for nothing."""
        self._load = load
        self._changed.set()

    def end(self, state: State, text: str | None) -> None:
        """The stage's last word; waits for it a little."""
        told = None if text is None else printable(text, MAX_TEXT_CHARS)
        self._last = StageNote(self._name, state, self._began, _now(), told)
        self._changed.set()
        self._writer.join(JOIN_S)
        if self._store is not None:
            self._store.end()

    def _write_on(self) -> None:
        is_last = is_run = False
        while not is_last:
            self._changed.clear()
            is_last = self._last is not None
            with self._faults.only_noted():
                is_run = self._context.bundle.has(run.MANIFEST)  # an order that is refused leaves no bundle
                if is_run:
                    self._write()
            self._changed.wait(0 if is_last else BEAT_S if is_run else NOT_YET_S)

    def _write(self) -> None:
        text = json.dumps(self._document(), ensure_ascii=False, allow_nan=False)
        self._context.bundle.write_text(run.LIVE, text)
        if self._store is not None:
            self._store.take(text.encode())

    def _document(self) -> dict[str, Any]:
        stage = self._last or StageNote(self._name, "running", self._began)
        profile = self._context.manifest().get("profile") or {}
        return {
            "schema": 1,
            "run_id": self._context.bundle.run_id,
            "profile": profile.get("name", self._context.order.profile),
            "title": profile.get("title"),
            "target": self._context.target_name,
            "at": _now(),
            "stages": [*self._earlier, asdict(stage)],
            "load": self._load,
        }


class _StoreCopy:
    """Copies the latest content to where bundles are kept, in a thread: the next one when the last has arrived."""

    def __init__(self, uri: str, faults: "_Faults") -> None:
        self._uri, self._faults = uri, faults
        self._content: bytes | None = None
        self._ended = False
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._copy_on, name="live-file-store", daemon=True)
        self._thread.start()

    def take(self, content: bytes) -> None:
        """Copy this next. Waits for nothing."""
        self._content = content
        self._changed.set()

    def end(self) -> None:
        """The task itself copies the whole bundle now."""
        self._ended = True
        self._changed.set()
        self._thread.join(STORE_JOIN_S)

    def _copy_on(self) -> None:
        while not self._ended:
            self._changed.wait()
            self._changed.clear()
            content = self._content
            if content is None or self._ended:
                continue
            with self._faults.only_noted():
                write_file(self._uri, run.LIVE, content)


class _Faults:
    """Says each kind of fault once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    @contextmanager
    def only_noted(self) -> Iterator[None]:
        """Nothing that goes wrong in the block leaves it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the stage and the load go on
            kind = type(error).__name__  # a store's text may quote a secret
            if kind not in self._told:
                self._told.add(kind)
                LOG.warning("the live page of this run is not kept up to date: %s", kind)


class ShownLoad:
    """What the watch beside a load tells the run's page; without a page, as in a test of the watch, nothing."""

    def __init__(self, context: RunContext) -> None:
        self._context, self._file = context, _OPEN.get()
        self._faults = _Faults()
        self._page: LoadPage | None = None

    def begin(self, thresholds: Thresholds) -> None:
        """Before the first look."""
        if self._file is not None:
            with self._faults.only_noted():
                shares_host = self._context.target.shares_host
                self._page = LoadPage(self._context.profile(), thresholds, shares_host=shares_host)

    def look(self, live: "LiveRun", alerts: Sequence[Mapping[str, Any]]) -> None:
        """What is known now."""
        if self._file is not None and self._page is not None:
            with self._faults.only_noted():
                self._file.show(self._page.look(live, time.time(), alerts))

    def ended(self, live: "LiveRun", alerts: Sequence[Mapping[str, Any]]) -> None:
        """The load is over."""
        if self._file is not None and self._page is not None:
            with self._faults.only_noted():
                self._file.show(self._page.ended(live, time.time(), alerts))


def _now() -> str:
    return run.utc_text(datetime.now(UTC))
