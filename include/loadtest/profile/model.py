"""A profile: who, how much, how long, with which limits. Frozen; every number of a run comes from here."""

import math
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from include.loadtest.errors import nearest
from include.loadtest.profile.checks import Checks, planned_longest_s
from include.loadtest.profile.parts import Meaning, Plan, Questions, ThinkTime, WarmUp
from include.loadtest.profile.rules import AutoStop, ChangeTest, LlmCap, Validity
from include.loadtest.profile.shape import Arrival, Finite, Frozen, LoadModel, Recovery, Shape, Stage, Steady
from include.loadtest.profile.slo import Slo
from include.loadtest.profile.vocabulary import (
    REQUIREMENT_METRICS,
    REQUIREMENTS,
    SCENARIO_PATTERN,
    SCENARIOS,
    SCOPE_ALL,
    EngineName,
    StageName,
)

ScenarioName = Annotated[str, Field(pattern=SCENARIO_PATTERN)]
"""A built-in scenario or a further one; whether that exists is checked where a profile is loaded."""
PROFILE_NAME = r"^[a-z0-9][a-z0-9_-]{0,59}$"
DECK_SIZE = 20
"""Cards of one deck; a scenario's share is a whole number of cards, so shares are exact over complete decks."""
MAX_USERS = 200
"""Numbered test users that exist: loadtest_user_1 to loadtest_user_200."""
MAX_DURATION_S = 4 * 3600
MAX_GENERATORS = 16
GATHER_S = 120
"""So long the master of several generators waits for them before the load; without them it is not begun."""
RECOVERY_METRICS = frozenset({"recovery_time_s"})
STAGES_OF_A_REPEAT: tuple[StageName, ...] = (
    "preflight",
    "seed_users",
    "warm_cache",
    "run_profile",
    "collect_metrics",
    "validate_sla",
    "cleanup_users",
)


class Profile(Frozen):
    """All numbers of one kind of run."""

    name: Annotated[str, Field(pattern=PROFILE_NAME)]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    purpose: Annotated[str, Field(min_length=1, max_length=500)]
    engine: EngineName = "locust"
    users: Annotated[int, Field(ge=1, le=MAX_USERS)]
    generators: Annotated[int, Field(ge=1, le=MAX_GENERATORS)] = 1
    ramp_up_s: Annotated[int, Field(ge=0, le=7200)]
    duration_s: Annotated[int, Field(ge=1, le=MAX_DURATION_S)]
    shape: Shape = Steady()
    arrival: Arrival | None = None
    think_time_s: ThinkTime
    mix_pct: dict[ScenarioName, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)
    checks: Checks | None = None
    questions: Questions
    warm_up: WarmUp
    validity: Validity
    auto_stop: AutoStop
    change_test: ChangeTest
    stall_limit_s: Annotated[Finite, Field(gt=0, le=600)]
    warning_margin: Annotated[Finite, Field(ge=0, lt=1)]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    timeout_s: Annotated[Finite, Field(gt=0, le=600)] | None = None
    stage_timeouts_s: dict[StageName, Annotated[int, Field(ge=1, le=7200)]] = Field(default_factory=dict)
    meaning: Meaning | None = None
    plan: Plan | None = None
    throughput_target_rpm: Annotated[Finite, Field(gt=0)] | None = None
    llm: LlmCap | None = None
    slos: tuple[Slo, ...]
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.checks is None:
            self._check_mix()
        else:
            self._check_checks(self.checks)
        self._check_arrival()
        self._check_generators()
        self.stages()
        self._check_slos()
        self._check_reachable()
        return self

    def _check_mix(self) -> None:
        total = sum(self.mix_pct.values())
        if total != 100:
            raise ValueError(f"mix_pct adds up to {total} %; the shares must add up to 100 %")
        step = 100 // DECK_SIZE
        for scenario, share in self.mix_pct.items():
            if share % step:
                raise ValueError(
                    f"mix_pct.{scenario} is {share} %; shares are multiples of {step} % "
                    f"(one card of a deck of {DECK_SIZE})"
                )

    def _check_checks(self, checks: Checks) -> None:
        """Requirements are checked one by one by Locust, with no mix, no ramp, and users of their own."""
        if self.engine != "locust":
            raise ValueError(f"engine is {self.engine}, but checks run on locust only; write engine: locust")
        if self.mix_pct:
            raise ValueError("mix_pct has no meaning beside checks, which run one after the other; remove it")
        if self.users != checks.users:
            raise ValueError(
                f"users is {self.users}, but checks need {checks.users}: documents_at_once ({checks.documents_at_once})"
                " and one more"
            )
        if self.ramp_up_s or self.arrival is not None or not isinstance(self.shape, Steady):
            raise ValueError("ramp_up_s is 0 beside checks, without shape and arrival: one user does all")
        limits = {slo.metric: slo.limit for slo in self.slos}
        missing = [metric for metric in REQUIREMENT_METRICS if metric not in limits]
        if missing:
            raise ValueError(f"slos: checks need a limit on {missing[0]}; add it")
        if checks.index_wait_s <= limits["index_update_s"]:
            raise ValueError(
                f"checks.index_wait_s is {checks.index_wait_s} s, not above the limit of index_update_s "
                f"({limits['index_update_s']:g} s): a document found too late would not be told from one never found"
            )
        longest_s = planned_longest_s(checks, self.slos, self.think_time_s.max)
        if self.duration_s < longest_s:
            raise ValueError(
                f"duration_s is {self.duration_s} s, but the checks may take {math.ceil(longest_s)} s if every answer "
                "is late; the load ends when they are done, so make it longer"
            )

    def _check_arrival(self) -> None:
        if self.arrival is None:
            return
        if self.engine == "k6":
            raise ValueError("engine is k6, but arrival needs locust: in k6 an arrival cannot wait for a free user")
        if self.arrival.max_users != self.users:
            raise ValueError(
                f"users is {self.users}, but arrival.max_users is {self.arrival.max_users}: with arrivals on a "
                "schedule leave users out"
            )
        if not isinstance(self.shape, Steady):
            raise ValueError(f"shape is {self.shape.kind}: arrivals on a schedule come at a steady rate, remove one")

    def _check_generators(self) -> None:
        """Several processes share the users of a closed load; anything else needs all of its users in one place."""
        several = f"generators is {self.generators}, but"
        if self.generators == 1:
            return
        if self.engine != "locust":
            raise ValueError(f"{several} engine is {self.engine}: only locust shares a load; write engine: locust")
        if self.arrival is not None:
            raise ValueError(f"{several} arrival is one queue for all users; write generators: 1, or remove arrival")
        if self.checks is not None:
            raise ValueError(f"{several} checks are one user's work; write generators: 1")
        if self.generators > self.users:
            raise ValueError(f"{several} users is {self.users}: a generator without a user would send nothing")

    def _check_slos(self) -> None:
        seen: set[tuple[str, str]] = set()
        phases = {stage.phase for stage in self.stages()}
        for slo in self.slos:
            if (slo.key, slo.level) in seen:
                raise ValueError(f"slos: {slo.metric} for {slo.scope} in {slo.phase} stands twice; keep one")
            seen.add((slo.key, slo.level))
            scenario = slo.scope.partition(":")[2]
            if self.checks is None and slo.metric in REQUIREMENT_METRICS:
                raise ValueError(f"slos: {slo.metric} is measured by a profile with checks only")
            if scenario and not self.scenario_shares.get(scenario):
                hint = nearest(scenario, [name for name, share in self.scenario_shares.items() if share])
                raise ValueError(f"slos: {slo.metric} limits {scenario!r}, but mix_pct gives it no share; {hint}")
            if slo.metric in RECOVERY_METRICS and self.recovery is None:
                raise ValueError(f"slos: {slo.metric} needs a shape with a recovery: steps or spike")
            if slo.phase not in phases:
                raise ValueError(
                    f"slos: {slo.metric} judges the phase {slo.phase!r}, which this profile does not have; "
                    f"{nearest(slo.phase, phases)}"
                )

    @property
    def scenario_shares(self) -> dict[str, int]:
        """Shares of the mix in per cent; beside checks each built-in scenario is tried, as often as the others."""
        return dict(self.mix_pct) if self.checks is None else dict.fromkeys(SCENARIOS, 100 // len(SCENARIOS))

    @property
    def recovery(self) -> Recovery | None:
        """What counts as recovered after the load; None where the shape watches no recovery."""
        return None if isinstance(self.shape, Steady) else self.shape.recovery

    @property
    def load_model(self) -> LoadModel:
        """Closed: users who think between two requests; open: arrivals on a schedule."""
        return "closed" if self.arrival is None else "open"

    def _check_reachable(self) -> None:
        if self.arrival is not None:
            self._check_rate(self.arrival)
            return
        cycle_s = self.think_time_s.mean_s
        if cycle_s <= 0:
            return
        reachable_rpm = self.users * 60 / cycle_s
        for slo in self.slos:
            wanted = slo.metric == "throughput_rpm" and slo.scope == SCOPE_ALL
            if wanted and slo.limit > reachable_rpm:
                raise ValueError(
                    f"think_time_s (mean {cycle_s:g} s) lets {self.users} users reach at most {reachable_rpm:.0f} "
                    f"req/min even with zero latency, below the profile's own minimum of {slo.limit:g}; shorten it"
                )

    def _check_rate(self, arrival: Arrival) -> None:
        for slo in self.slos:
            wanted = slo.metric == "throughput_rpm" and slo.scope == SCOPE_ALL
            if wanted and slo.limit > arrival.rate_rpm:
                raise ValueError(
                    f"arrival.rate_rpm ({arrival.rate_rpm:g}) is below the profile's own minimum of {slo.limit:g} "
                    "req/min; raise it"
                )

    def stages(self) -> tuple[Stage, ...]:
        """The load shape, in order; offsets in seconds from the first intended start."""
        steady_users = self.users if self.checks is None else 1
        return self.shape.stages(steady_users, self.ramp_up_s, self.duration_s)

    def stage_timeout_s(self, stage: StageName) -> float:
        """How long a stage of the run may take: its time-out beyond what the profile plans for it."""
        gather_s = GATHER_S if self.generators > 1 else 0
        planned_s = {"run_profile": gather_s + self.load_s, "warm_cache": float(self.warm_up.max_s)}
        if stage == "confirm":
            planned_s["confirm"] = sum(self.stage_timeout_s(own) for own in STAGES_OF_A_REPEAT) * self.repeats
        return planned_s.get(stage, 0.0) + self.stage_timeouts_s[stage]

    @property
    def repeats(self) -> int:
        """Runs that a suspicion costs at most: each repeat in turn with one of the current release."""
        return 2 * self.change_test.confirmations

    @property
    def load_s(self) -> float:
        """Seconds from the first intended start to the end of the last stage."""
        return self.stages()[-1].end_s

    def deck(self) -> dict[str, int]:
        """Cards of each scenario in one deck of DECK_SIZE: in the order of SCENARIOS, then further ones by name."""
        further = sorted(set(self.mix_pct) - set(SCENARIOS))
        return {name: self.mix_pct.get(name, 0) * DECK_SIZE // 100 for name in (*SCENARIOS, *further)}

    def request_timeout_s(self, scenario: str) -> float:
        """Patience of one request: `timeout_s`, else twice the larger of its scenario's limit and the P99 limit."""
        if self.timeout_s is not None:
            return self.timeout_s
        if self.checks is not None and scenario in REQUIREMENTS:
            return self.checks.patience_s(scenario, self.requirement_limit_s(scenario))
        scopes = (SCOPE_ALL, f"scenario:{scenario}")
        limits_ms = [
            slo.limit
            for slo in self.slos
            if (slo.metric == "latency_p99_ms" and slo.scope == SCOPE_ALL)
            or (slo.metric.startswith("latency_") and slo.scope == scopes[1])
        ]
        return 2 * max(limits_ms, default=60_000) / 1000

    def requirement_limit_s(self, requirement: str) -> float:
        """The limit of a requirement; documents that are uploaded at once may each take as long as a large one."""
        metric = f"{requirement}_s" if f"{requirement}_s" in REQUIREMENT_METRICS else "large_document_s"
        return next(slo.limit for slo in self.slos if slo.metric == metric)

    def share_of(self, numbers: Sequence[int], generator: int) -> tuple[int, ...]:
        """The test users of one of its generators, counted from 1.

        Locust's master starts users in turns, beginning with the first generator. So whoever starts at some moment of a
        ramp has a test user, and none is played twice.
        """
        return tuple(numbers[: self.users][generator - 1 :: self.generators])

    def users_at(self, offset_s: float) -> int:
        """Planned users at an offset from the first intended start; 0 after the end."""
        for stage in self.stages():
            if stage.start_s <= offset_s < stage.end_s:
                share = (offset_s - stage.start_s) / (stage.end_s - stage.start_s)
                return min(MAX_USERS, math.ceil(stage.users_from + (stage.users_to - stage.users_from) * share))
        return 0
