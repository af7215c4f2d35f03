"""The tables that several profiles share: limits by number of users, and each scenario's own limit."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from include.loadtest.profile.rules import AutoStop, ChangeTest, Validity
from include.loadtest.profile.shape import Finite, Frozen
from include.loadtest.profile.vocabulary import BuiltInScenario, Level, StageName
from include.loadtest.profile.yaml_source import read_yaml

REFERENCE_FILE = Path(__file__).parents[2] / "profiles" / "reference" / "requirements.yaml"


class LatencyRow(Frozen):
    """Limits for runs of up to `users` users, in milliseconds; `target_rpm` is a throughput to aim at, not a limit."""

    users: Annotated[int, Field(ge=1)]
    p95_ms: Annotated[Finite, Field(gt=0)]
    p99_ms: Annotated[Finite, Field(gt=0)]
    error_rate: Annotated[Finite, Field(gt=0, le=1)]
    target_rpm: Annotated[Finite, Field(gt=0)]


class ThroughputRule(Frozen):
    """Least throughput: `rpm_a_user` for each of the first `users` users, `rpm_a_further_user` for the others."""

    users: Annotated[int, Field(ge=1)]
    rpm_a_user: Annotated[Finite, Field(gt=0)]
    rpm_a_further_user: Annotated[Finite, Field(gt=0)]

    def minimum_rpm(self, users: int) -> float:
        """The least acceptable throughput of that many users, in requests a minute."""
        return min(users, self.users) * self.rpm_a_user + max(0, users - self.users) * self.rpm_a_further_user


class ResourceLimit(Frozen):
    """Levels of one resource, in the metric's unit. `required`: a run without readings of it is INCONCLUSIVE."""

    metric: str
    warning: Annotated[Finite, Field(gt=0)]
    critical: Annotated[Finite, Field(gt=0)]
    required: bool


class Requirements(Frozen):
    """The shared tables; the file states where each comes from."""

    by_users: tuple[LatencyRow, ...]
    throughput: ThroughputRule
    scenario_p95_ms: dict[BuiltInScenario, Annotated[Finite, Field(gt=0)]]
    resources: tuple[ResourceLimit, ...]
    stage_timeouts_s: dict[StageName, Annotated[int, Field(ge=1)]]
    validity: Validity
    auto_stop: AutoStop
    change_test: ChangeTest
    stall_limit_s: Annotated[Finite, Field(gt=0)]

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        if list(self.by_users) != sorted(self.by_users, key=lambda row: row.users):
            raise ValueError("by_users must be sorted by users")
        return self

    def completed(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A profile's own keys and values, with the shared rules where it does not say otherwise."""
        shared = self.model_dump(include={"validity", "auto_stop", "change_test", "stall_limit_s"})
        return {**data, **{key: _merged(value, data[key]) if key in data else value for key, value in shared.items()}}

    def _row(self, users: int) -> LatencyRow | None:
        return next((row for row in self.by_users if users <= row.users), None)

    def target_rpm(self, users: int) -> float | None:
        """The throughput that just so many users aim at; None for numbers between the rows: fewer cannot reach it."""
        return next((row.target_rpm for row in self.by_users if row.users == users), None)

    def slos_for_users(self, users: int) -> list[dict[str, Any]] | None:
        """Limits of the next higher row of the table, as SLO mappings; None above the last row: no limit is known."""
        row = self._row(users)
        if row is None:
            return None
        minimum_rpm = self.throughput.minimum_rpm(users)
        return [
            {"metric": "latency_p95_ms", "comparator": "<", "limit": row.p95_ms},
            {"metric": "latency_p99_ms", "comparator": "<", "limit": row.p99_ms},
            {"metric": "error_rate", "comparator": "<", "limit": row.error_rate},
            {"metric": "throughput_rpm", "comparator": ">=", "limit": minimum_rpm},
            {"metric": "throughput_worst_minute_rpm", "comparator": ">=", "limit": minimum_rpm, "level": "warning"},
        ]

    def scenario_slos(self, level: str, mix_pct: Mapping[str, int]) -> list[dict[str, Any]]:
        """Each scenario's own limit at that level, for the scenarios that have a share of the mix."""
        return [
            {"metric": "latency_p95_ms", "comparator": "<", "limit": limit, "scope": f"scenario:{name}", "level": level}
            for name, limit in self.scenario_p95_ms.items()
            if mix_pct.get(name)
        ]

    def resource_slos(self, level: Level) -> list[dict[str, Any]]:
        """The resources' limits: both levels, or the warning level only for a profile that means to load them fully."""
        rows = []
        for row in self.resources:
            base = {"metric": row.metric, "comparator": "<"}
            rows.append({**base, "limit": row.warning, "level": "warning"})
            if level == "critical":
                rows.append({**base, "limit": row.critical, "level": "critical", "required": row.required})
        return rows


def _merged(shared: Any, own: Any) -> Any:
    """Own values over the shared ones, key by key; what is no mapping is left to the model to refuse."""
    if not (isinstance(shared, Mapping) and isinstance(own, Mapping)):
        return own
    return {**shared, **{key: _merged(shared[key], value) if key in shared else value for key, value in own.items()}}


@cache
def requirements() -> Requirements:
    """The committed tables."""
    return Requirements.model_validate(read_yaml(REFERENCE_FILE).data, strict=False)
