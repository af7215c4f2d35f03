"""What the generator is told: a JSON file whose path stands in the environment variable LOADTEST_PLAN."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from include.loadtest.profile import Profile, Stage
from include.loadtest.profile.checks import Checks

PLAN_VARIABLE = "LOADTEST_PLAN"


@dataclass(frozen=True)
class GeneratorPlan:
    """One generator's part of a run. `user_numbers` are the test users that it drives, one virtual user each.

    `addresses`: the IP addresses of the target's host that were checked. `starter_pid`: the process that watches this
    one; when it is gone, the load ends. `worker`: w0 for the only generator of a load, or the master of several, which
    are w1, w2, …
    """

    run_id: str
    base_url: str
    api_prefix: str
    profile: Profile
    bundle: Path
    sessions_file: Path
    user_numbers: tuple[int, ...]
    forwarded_for: bool
    caps: tuple[str, ...]
    worker: str
    check_paths: Mapping[str, str | None] = field(default_factory=dict)
    lease_file: Path | None = None
    addresses: tuple[str, ...] = ()
    starter_pid: int = field(default_factory=os.getppid)

    @property
    def number(self) -> int:
        """Of this generator among several, from 1; 0 for a master, and for the only one."""
        return int(self.worker.removeprefix("w"))

    @property
    def is_master(self) -> bool:
        """Whether others send this load, and this one leads them."""
        return self.profile.generators > 1 and self.number == 0

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The load shape."""
        return self.profile.stages()

    @property
    def checks(self) -> Checks:
        """How requirements are checked. Raises ValueError for a profile of another kind."""
        if self.profile.checks is None:
            raise ValueError(f"{self.profile.name} has no checks")
        return self.profile.checks

    def stage_at(self, offset_s: float) -> Stage | None:
        """The stage at an offset from the first intended start; None after the end."""
        return next((stage for stage in self.stages if stage.start_s <= offset_s < stage.end_s), None)


def read_plan() -> GeneratorPlan:
    """The plan of this process. Raises KeyError where the variable is not set."""
    content: dict[str, Any] = json.loads(Path(os.environ[PLAN_VARIABLE]).read_text(encoding="utf-8"))
    content["profile"] = Profile.model_validate_json(json.dumps(content["profile"]))
    content["bundle"], content["sessions_file"] = Path(content["bundle"]), Path(content["sessions_file"])
    content["user_numbers"], content["caps"] = tuple(content["user_numbers"]), tuple(content["caps"])
    content["addresses"] = tuple(content["addresses"])
    content["lease_file"] = Path(content["lease_file"]) if content["lease_file"] else None
    return GeneratorPlan(**content)
