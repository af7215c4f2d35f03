"""CPU, the event loop and the threads of the application: who has no time left, and who stands still with time left."""

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, Strength, counted
from include.loadtest.analysis.bottleneck.series import Run, Series, sustained
from include.loadtest.analysis.capacity.usage import ONE_CORE
from include.loadtest.verdict import shown

_CPU_STEP = "Profile the application under this load (py-spy), or give it more cores or worker processes."
_LOOP_STEP = (
    "Look for a blocking call in an async handler (py-spy dump while it stands still, or asyncio's debug mode); "
    "move it to a thread or use an async client."
)
_POOL_STEP = "Raise the number of threads or workers if CPU is left, or make what they do shorter."
_LEAST_CORES, _DEARER = 0.2, 3.0
"""CPU that matters on a full machine, and by how much a request has to cost more: caches and noise do less."""
_LEAST_REQUESTS = 8
_ONCE = 10
"""A single stop so many times as long as a relevant one is a fault, not a hiccup."""
_OFTEN = 0.15
"""Of the readings of the metrics page, those that are late: a loop that is blocked for less delays few."""
_CONSTANT = 0.25
"""Relative spread of delays below which they are a constant delay: a loop that is blocked now and then varies."""


def app_cores(case: Case) -> Series | None:
    """Cores that the busiest process of the application uses; its own counter where nobody else looks at it.

    An asyncio application uses one core a process at most. A page that several processes answer in turn gives none.
    """
    seen = case.readings.get("process", "app_busiest_process_cpu_cores")
    if seen is not None:
        return seen
    counter = case.readings.get("app", "process_cpu_seconds_total")
    started = case.readings.get("app", "process_start_time_seconds")
    if counter is None or (started is not None and len(np.unique(started.values)) > 1):
        return None
    rate = counter.rate()
    return rate.replaced(rate.at_s, rate.values, "cores")


def own_cores(case: Case, span: Span) -> float | None:
    """Cores that the application and its servers use together on this machine; None where nobody looks at them."""
    app = case.mean(case.readings.first(("process", "app_cpu_cores")) or app_cores(case), span)
    if app is None:
        return None
    servers = (case.mean(case.readings.get("process", f"{name}_cpu_cores"), span) for name in ("postgres", "redis"))
    return app + sum(cores or 0.0 for cores in servers)


def cpu(case: Case) -> list[Candidate]:
    """A process of the application at a whole core, the target's machine without a free one, or a quota reached."""
    found = [one for one in (_process(case), _throttled(case), _machine(case), _demand(case)) if one is not None]
    return found[:1]


def _process(case: Case) -> Candidate | None:
    series = app_cores(case)
    run = sustained(series, case.load, limits.BUSY_CORE)
    if series is None or run is None or _has_several_cores(series.within(case.load)):
        return None
    text = f"a process of the application used {100 * run.mean:.0f} % of the one core that it can use"
    evidence = [case.evidence(series, run, run.mean, text, unit="cores", limit=limits.BUSY_CORE)]
    evidence += _lag(case, run.span)
    return Candidate("cpu", "strong", text, _CPU_STEP, tuple(evidence), None, plain=True, since_s=run.since_s)


def _has_several_cores(own: Series) -> bool:
    """A process whose threads compute at the same time: one core is not its limit. A single such reading is jitter."""
    return int((own.values > ONE_CORE).sum()) > 1


def _throttled(case: Case) -> Candidate | None:
    series = case.readings.first(
        ("container", "container_cpu_throttled_ms_per_s"), ("prometheus", "container_cpu_throttled_ms_per_s")
    )
    run = sustained(series, case.load, limits.THROTTLED_MS_PER_S)
    if series is None or run is None:
        return None
    text = f"the container's CPU quota held the application back for {shown(run.mean)} ms of each second"
    evidence = (case.evidence(series, run, run.mean, text, limit=limits.THROTTLED_MS_PER_S),)
    step = "Raise the container's CPU limit, or remove it; then measure again."
    return Candidate("cpu", "strong", text, step, evidence, None, plain=True, since_s=run.since_s)


def _machine(case: Case) -> Candidate | None:
    series = case.readings.first(("prometheus", "cpu_pct"), ("host", "cpu_pct"), ("app", "cpu_usage_percent"))
    run = sustained(series, case.load, 100 * limits.BUSY_SHARE)
    if series is None or run is None:
        return None
    own, cores = own_cores(case, run.span), case.mean(case.readings.get("host", "cores"), run.span)
    # On a shared machine the generator and whatever else runs here are in this figure: only the target's part counts.
    if case.shares_host and (own is None or cores is None or own < limits.BUSY_SHARE * cores):
        return None
    text = f"the target's machine was busy to {shown(run.mean)} %"
    evidence = [case.evidence(series, run, run.mean, text, limit=100 * limits.BUSY_SHARE)]
    # No finding of its own: a machine that is well used, and whose users notice nothing, is what it was bought for.
    return Candidate("cpu", "moderate", text, _CPU_STEP, tuple(evidence), None, since_s=run.since_s)


def _demand(case: Case) -> Candidate | None:
    """A machine without a free core, on which a request costs the application far more CPU time than it did.

    A process that is kept from a busy machine's cores shows neither a full core nor what it would use.
    """
    series = case.readings.first(("process", "app_cpu_cores")) or app_cores(case)
    host = case.readings.get("host", "cpu_pct")
    cores, usual_ms = case.mean(series, case.window), _usual_ms(case, series)
    busy = sustained(host, case.window, 100 * limits.BUSY_SHARE)
    if series is None or host is None or busy is None or not cores or not usual_ms or not case.per_s:
        return None
    now_ms = 1000 * cores / case.per_s
    if cores < _LEAST_CORES or now_ms < _DEARER * usual_ms:
        return None
    text = (
        f"a request cost the application {shown(now_ms)} ms of CPU time, {shown(usual_ms)} ms before, "
        f"on a machine that was busy to {busy.mean:.0f} %"
    )
    evidence = (
        case.evidence(series, case.window, now_ms, text, unit="ms", limit=usual_ms, against="usual"),
        case.evidence(host, busy, busy.mean, f"the machine was busy to {busy.mean:.0f} %"),
    )
    since = None if case.before is None else case.window.start_s
    return Candidate("cpu", "moderate", text, _CPU_STEP, evidence, case.share_of_waiting(cores), since_s=since)


def _usual_ms(case: Case, series: Series | None) -> float | None:
    """CPU time a request before latencies rose, else in the last comparable run."""
    cores = case.mean(series, case.before)
    if case.before is None or cores is None:
        return case.reference.get("target_cpu_ms_per_request")
    ended = case.requests.ended(case.before)
    return 1000 * cores * case.before.seconds / ended if ended else None


def event_loop(case: Case) -> list[Candidate]:
    """The loop stands still again and again while its process has CPU time left."""
    lag, page = case.readings.get("app", "event_loop_lag_ms"), case.readings.get("app", "metrics_page_ms")
    series = lag or page
    # A page that is asked now and then meets a blocked loop only now and then.
    run = sustained(lag, case.load, limits.LAG_MS) if lag is not None else _now_and_then(page, case.load)
    if series is None or run is None:
        return _stopped(case)
    cores = case.mean(app_cores(case), run.span)
    if (cores is not None and cores >= limits.BUSY_CORE) or _is_the_machine(case, run):
        return []
    what = "its event loop stood still" if lag is not None else "its metrics page, asked alone, waited"
    text = f"{what} for up to {shown(float(run.values.max()))} ms, again and again,"
    text += " while CPU was free" if cores is None else f" while its process used {100 * cores:.0f} % of a core"
    first = case.evidence(series, run, run.mean, text, limit=limits.LAG_MS)
    text += _blocking(case, run)
    strength: Strength = "strong" if lag is not None and cores is not None else "moderate"
    is_plain = strength == "strong" and run.span.seconds >= case.load.seconds / 4
    evidence = (first, *(one for one in _lag(case, run.span) if one.metric != first.metric))
    return [Candidate("event_loop", strength, text, _LOOP_STEP, evidence, None, plain=is_plain, since_s=run.since_s)]


def _blocking(case: Case, run: Run) -> str:
    """The endpoint whose requests always take as long as the loop stands still, where there is one alone."""
    own = case.requests.within(case.window)
    own = own.chosen(~own.asks_llm)
    least_ms = {name: rows.quantile_ms(0.1) for name in own.endpoints if len(rows := own.of(name)) >= _LEAST_REQUESTS}
    slow = [name for name, value in least_ms.items() if value >= run.mean / 2]
    return f"; requests to {slow[0]} never take less" if len(slow) == 1 < len(least_ms) else ""


def _now_and_then(page: Series | None, load: Span) -> Run | None:
    """A page that is late in a part of the readings, and not always by the same: that would be a delay of its own."""
    if page is None:
        return None
    own = page.within(load)
    late = own.values >= limits.LAG_MS
    if int(late.sum()) < max(2, _OFTEN * len(own.values)):
        return None
    values = own.values[late]
    if len(values) == len(own.values) and float(values.std()) < _CONSTANT * float(values.mean()):
        return None
    at_s = own.at_s[late]
    since = float(at_s[0]) if float(at_s[0]) > load.start_s + load.seconds / 4 else None
    return Run(Span(float(at_s[0]), float(at_s[-1]) + 1e-3), values, since)


def _is_the_machine(case: Case, run: Run) -> bool:
    """The generator's loop on the same machine is late too: then nobody gets the CPU, whatever the code does."""
    other = case.mean(case.readings.get("generator", "loop_lag_ms"), run.span)
    return case.shares_host and other is not None and other >= run.mean / 2


def _stopped(case: Case) -> list[Candidate]:
    """The application stood still once, for long: its loop says so, or its page gave no answer while servers did."""
    lag = case.readings.get("app", "event_loop_lag_ms")
    longest_ms = 0.0 if lag is None else float(lag.within(case.load).values.max(initial=0.0))
    if lag is not None and longest_ms >= _ONCE * limits.LAG_MS:
        own = lag.within(case.load)
        at_s = float(own.at_s[int(np.argmax(own.values))])
        run = Run(Span(at_s - longest_ms / 1000, at_s), np.array([longest_ms]), at_s - longest_ms / 1000)
        if _is_the_machine(case, run):
            return []
        text = f"its event loop stood still for {shown(longest_ms / 1000)} s at once"
        evidence = case.evidence(lag, run, longest_ms, text, limit=limits.LAG_MS)
        return [Candidate("event_loop", "moderate", text, _LOOP_STEP, (evidence,), None, since_s=run.since_s)]
    silence = case.unanswered("app", "postgres", "redis")
    if silence is None:
        return []
    text = f"the application gave no answer to its metrics page for {silence.span.seconds:.0f} s"
    seen = Evidence("app", "", "metrics_page_ms", silence.span.seconds * 1000, "ms", silence.span, text)
    return [Candidate("event_loop", "moderate", text, _LOOP_STEP, (seen,), None, since_s=case.since(silence))]


def _lag(case: Case, span: Span) -> list[Evidence]:
    """How late the application answers what costs it nothing: a consequence of both."""
    found = []
    for metric, what in (
        ("event_loop_lag_ms", "its event loop was late by"),
        ("metrics_page_ms", "its metrics page took"),
    ):
        series = case.readings.get("app", metric)
        value = case.mean(series, span)
        if series is not None and value is not None and value >= limits.CACHE_MS:
            found.append(case.evidence(series, span, value, f"{what} {shown(value)} ms"))
    return found


def thread_pool(case: Case) -> list[Candidate]:
    """All threads are busy, and work waits for one; or documents queue for a worker."""
    queue, busy = case.readings.get("app", "thread_pool_queue"), case.readings.get("app", "thread_pool_busy")
    size, waiting = case.mean(case.readings.get("app", "thread_pool_size"), case.window), _waiting(case, queue)
    used = case.mean(busy, case.window)
    if not size or queue is None or busy is None or waiting is None or used is None or used < limits.BUSY_SHARE * size:
        return _documents(case)
    text = f"{counted(used)} of {counted(size)} threads were busy and {counted(waiting)} calls waited for one"
    evidence = (
        case.evidence(busy, case.window, used, f"{counted(used)} busy threads", limit=size, against="size"),
        case.evidence(queue, case.window, waiting, f"{counted(waiting)} calls waited"),
    )
    weight = case.share_of_waiting(waiting)
    is_plain = weight >= limits.RELEVANT_SHARE
    since = case.window.start_s if case.shift is not None else None
    return [Candidate("thread_pool", "strong", text, _POOL_STEP, evidence, weight, plain=is_plain, since_s=since)]


def _documents(case: Case) -> list[Candidate]:
    """Documents that wait for a worker, of whom nobody knows how many there are."""
    queue = case.readings.get("app", "document_queue")
    waiting = _waiting(case, queue)
    if queue is None or waiting is None:
        return []
    text = f"{counted(waiting)} documents waited for a worker at a time"
    evidence = (case.evidence(queue, case.window, waiting, text),)
    since = case.window.start_s if case.shift is not None else None
    weight = case.share_of_waiting(waiting)
    return [Candidate("thread_pool", "moderate", text, _POOL_STEP, evidence, weight, since_s=since)]


def _waiting(case: Case, queue: Series | None) -> float | None:
    """What waits in a queue at a time, where that is a tenth of what users wait for or more; queues come and go."""
    if queue is None:
        return None
    values = queue.within(case.window).values
    if int((values >= 1).sum()) < 2 or case.share_of_waiting(float(values.mean())) < limits.RELEVANT_SHARE / 2:
        return None
    return float(values.mean())
