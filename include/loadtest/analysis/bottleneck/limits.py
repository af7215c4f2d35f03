"""From where on something is saturated, slow or relevant: every threshold of the diagnosis, each with its reason.

Those of the specification's section on bottlenecks are marked (spec). The others follow from what a figure means, not
from runs of one target; docs/diagnosis.md explains them.

The alerts of profiles/thresholds.yaml begin where the specification does too, but are a decision of their own: an
operator may want to be told later, and that moves no saturation. A test holds both to the same numbers as delivered.
"""

BUSY_SHARE = 0.8
"""Of all cores, of max_connections, of threads (spec: CPU > 80 %, > 80 of 100 connections).

Also queueing theory: a server that is busy for 80 % of the time makes work wait four times as long as it takes.
"""
BUSY_CORE = 0.7
"""Of the one core that a process with an event loop can use (spec: from 70 % on, scale).

Lower than for a machine, since there is no second core that takes over while this one is busy.
"""
MEMORY_PCT = 85.0
"""Of the machine's or the container's memory (spec)."""
HIT_RATE = 0.7
"""Of the cache (spec)."""
SLOW_STATEMENT_MS = 1000.0
SLOW_STATEMENTS_PER_MIN = 10.0
"""Statements slower than that, that often, are a bottleneck by themselves (spec)."""

RELEVANT_SHARE = 0.2
"""Of the time that requests take: what takes less is not what makes them slow."""
FELT_MS = 100.0
"""A delay that people begin to notice (Nielsen 1993: 0.1 s); a shift of latencies below it is nobody's concern."""
SHIFT_FACTOR = 1.5
"""Latencies, a wait or a statement's time that grow by less may be the noise of a shared machine."""
ERROR_SHARE = 0.01
"""Of requests (spec: < 1 % errors)."""
LEAST_ERRORS = 3
"""Fewer failures are an accident of one request."""

LAG_MS = 200.0
"""An event loop that stands still for so long, again and again, delays everybody by more than is noticed."""
CACHE_MS = 20.0
"""A cache answers within one or two ms on the same network; beyond this it is slower than what it saves."""
SLOW_COMMAND_SHARE = 0.1
"""Of the time during which the cache's server, which does one thing at a time, is blocked by slow commands."""
STATEMENT_MS = 100.0
"""A statement below this is not slow, however often it runs: then its number is the matter."""
LOCK_S = 1.0
"""A wait for a lock of at least so long is none of the usual short ones (PostgreSQL's deadlock_timeout)."""
LLM_ERROR_SHARE = 0.02
"""Of calls to the LLM that it refuses or fails."""
LLM_LIMIT_SHARE = 0.5
"""An LLM that takes half of what a request's limit allows, on average, leaves the tail no room."""
HIT_DROP = 0.1
"""Fall of the hit rate: each of these lookups becomes a call of the LLM."""
EMPTIED_SHARE = 0.5
"""Of the keys, lost between two readings: no expiry does that."""
FULL_SHARE = 0.95
"""Of the cache's memory limit."""
EXHAUSTION_H = 8.0
"""A leak that fills the memory within a working day is one."""
LEAST_LEAK_SHARE = 0.05
LEAST_LEAK_BYTES = 16 * 2**20
"""Growth that is seen at least, of the process's memory and absolutely: below it is the heap's usual wandering."""
LONG_S = 600.0
LEAST_SHORT_LEAK_SHARE = 0.5
"""In a shorter load a warm-up may grow to the end: only growth by half of what was there is called a leak."""
PRESSURE_PCT = 20.0
"""Of the time in which work waits for the disk or for memory (Linux PSI, "some")."""
THROTTLED_MS_PER_S = 100.0
RETRANSMITS_PER_S = 5.0
IDLE_IN_TRANSACTION_S = 10.0
"""No request of a person lasts so long between two statements: a connection that is held like that is forgotten."""
GROWN_SHARE = 0.2
"""Growth of a table, or of what a statement reads, within the load."""
LEAST_ROWS_READ = 1000
"""A scan of fewer rows costs nothing."""
