"""When a test is valid, when its load is stopped, and what counts as a change. Defaults: requirements.yaml."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from include.loadtest.profile.shape import Finite, Frozen

Share = Annotated[Finite, Field(ge=0, lt=1)]
Positive = Annotated[Finite, Field(gt=0)]


class Starvation(Frozen):
    """From where on a reading of the generator says that it was held back, so that it adds to latencies itself.

    `loop_lag_ms`: largest delay of a wake-up since the last reading; `cpu_pct` of the cores that it can use, its own
    (Locust: of one, k6: of all); `run_queue_wait_` and `cpu_throttled_ms_per_s`: time that the kernel, or the
    container's quota, made it wait; `cpu_steal_pct`: CPU time of its machine that another one got.
    """

    loop_lag_ms: Positive
    cpu_pct: Positive
    run_queue_wait_ms_per_s: Positive
    cpu_throttled_ms_per_s: Positive
    cpu_steal_pct: Positive


class Validity(Frozen):
    """When a test says nothing about the target.

    `min_users_share`, `min_arrivals_share`: least share of the planned users, or arrivals; `max_starved_share` of the
    hold's readings of the generator may be starved; `max_silence_share` of the hold may pass without readings of a
    source that a required limit needs; `max_foreign_share` of the requests that the target counted may be another's.
    """

    max_rejected_share: Share
    min_users_share: Annotated[Finite, Field(gt=0, le=1)]
    min_arrivals_share: Annotated[Finite, Field(gt=0, le=1)]
    max_starved_share: Share
    max_silence_share: Share
    max_foreign_share: Share
    max_clock_step_ms: Positive
    starvation: Starvation


class AutoStop(Frozen):
    """When a load ends early, by what the last `window_s` seconds hold; null switches a rule off.

    `error_share`: so many of at least `min_requests` requests failed; `latency_p95_ms`: their P95 is above; both are
    the target's doing. `starved_s`: the generator was starved for so long without a break.
    """

    window_s: Annotated[int, Field(ge=5, le=600)]
    min_requests: Annotated[int, Field(ge=1, le=100_000)]
    error_share: Annotated[Finite, Field(gt=0, le=1)] | None
    latency_p95_ms: Positive | None
    starved_s: Annotated[int, Field(ge=10, le=3600)] | None


class ChangeTest(Frozen):
    """When a run counts as slower, or faster, than its baseline.

    `relevant_change`: a smaller one is nobody's concern; `window_runs`: so many of the latest comparable runs are the
    recent level; `min_runs`: with fewer there is no test; `confirmations`: so many repeats decide about a suspicion.
    Both rates are those of an unchanged system, over all its endpoints together: `suspicion_rate` of runs that are
    suspected, and so repeated, `false_alarm_rate` of those that are called slower after it.
    """

    relevant_change: Annotated[Finite, Field(gt=0, lt=1)]
    window_runs: Annotated[int, Field(ge=3, le=100)]
    min_runs: Annotated[int, Field(ge=3, le=100)]
    confirmations: Annotated[int, Field(ge=1, le=5)]
    suspicion_rate: Annotated[Finite, Field(gt=0, lt=0.5)]
    false_alarm_rate: Annotated[Finite, Field(gt=0, lt=0.5)]


class LlmCap(Frozen):
    """The most that the LLM may be asked from the start of a run's warm-up on; either of both ends the load.

    `max_calls` counts every call, whoever makes it; `max_cost_eur` needs the price of a call in the target file.
    """

    max_calls: Annotated[int, Field(ge=1)] | None = None
    max_cost_eur: Positive | None = None

    @model_validator(mode="after")
    def _caps_something(self) -> Self:
        if self.max_calls is None and self.max_cost_eur is None:
            raise ValueError("max_calls or max_cost_eur is missing; write one of them, or remove the key llm")
        return self
