"""What the stages of a run, and of a suite, know: where they write, what they test, who they are."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.calendar import load_calendar, refusal
from include.loadtest.errors import ConfigError, InfrastructureError, InvalidTestError
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import Profile
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.suites import Suite
from include.loadtest.publishing.services import Services
from include.loadtest.runners.generator import LOOPBACK
from include.loadtest.target.settings import Target, load_target_file


@dataclass(frozen=True, kw_only=True)
class Context:
    """Common to a run and a suite. `owner` is the DAG run that holds the target's lock; `bundle` is its directory.

    `stop_requested` asks the operator's switch; `work_dir` is private to this user and holds the users' tokens. `link`:
    page of the DAG run. `find_services`: where people are told; by default nowhere.
    """

    bundle: Bundle
    bundle_uri: str
    target_name: str
    load_target: Callable[[str], Target]
    history_url: str
    work_dir: Path
    owner: str
    stop_requested: Callable[[], bool] = lambda: False
    ignore_blackout: bool = False
    link: str | None = None
    find_services: Callable[[], Services] = Services

    @cached_property
    def services(self) -> Services:
        """Slack and GitHub as they are set up here; asked once in a process. What preflight has seen stays expected."""
        return self.find_services().as_before(self.manifest().get("services") or ())

    @cached_property
    def target(self) -> Target:
        """The target with its addresses. Raises ConfigError where it has none, or one that is not allowed.

        Once preflight has used it, it is there: Airflow says of a connection that it cannot read that it does not
        exist, so then that is an InfrastructureError, which is tried again.
        """
        try:
            return self.load_target(self.target_name)
        except ConfigError as error:
            if "environment" in self.manifest():
                raise InfrastructureError(f"{error} (it was there in preflight)") from error
            raise

    @property
    def sessions_file(self) -> Path:
        """The users' tokens: mode 0600, outside the bundle, removed at clean-up."""
        return self.work_dir / "sessions.json"

    @property
    def lease_file(self) -> Path:
        """The target's lease for the load generator of this machine; removed at clean-up."""
        return self.work_dir / "lease.json"

    def manifest(self) -> dict[str, Any]:
        """The manifest so far; empty where there is none yet."""
        return self.bundle.read(run.MANIFEST) if self.bundle.has(run.MANIFEST) else {}

    @property
    def has_blackouts(self) -> bool:
        """Whether the calendar's blackouts hold for the target. Raises ConfigError for an unknown target."""
        return load_target_file(self.target_name).blackouts

    def refuse_in_blackout(self, lasts_s: float) -> None:
        """Raise InvalidTestError (`blackout`) on a day that the calendar keeps free, unless a person wants it so.

        `lasts_s`: seconds until the load ends that is about to be sent; it may not last into such a day either.
        """
        now = datetime.now(UTC)
        text = refusal(load_calendar(), self.has_blackouts, now, self.ignore_blackout, lasts_s=lasts_s)
        if text:
            raise InvalidTestError("blackout", text)

    def refuse_if_stopped(self) -> None:
        """Raise InvalidTestError (`operator`) while the switch is on."""
        if self.stop_requested():
            raise InvalidTestError("operator", "the switch that stops all load is on: nothing is sent while it is")


@dataclass(frozen=True, kw_only=True)
class SuiteContext(Context):
    """A suite: users are made before its first run and removed after its last."""

    suite: Suite
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RunContext(Context):
    """One run, by itself or within a suite. `files_tickets`: its findings become GitHub issues.

    `repeats`: a suspected run is repeated before anything is final; without that a suspicion is a note, no more.
    `holds_parents_target`: a repeat, whose suspected run has the target's lock and users. `bundle_of` opens the bundle
    of another run, a repeat; None: they lie beside each other in a local folder. `master_host`: where the master of
    several generators listens; `on_listening` is told its address.
    """

    order: RunOrder
    suite: SuiteContext | None = None
    not_configured: tuple[str, ...] = ()
    files_tickets: bool = False
    repeats: bool = True
    holds_parents_target: bool = False
    bundle_of: Callable[[str], AbstractContextManager[Bundle]] | None = None
    master_host: str = LOOPBACK
    on_listening: Callable[[str], None] = lambda _: None

    @property
    def sessions_file(self) -> Path:
        """A suite's runs share the tokens: a login costs the target 0.7 s of CPU."""
        return super().sessions_file if self.suite is None else self.suite.sessions_file

    def refuse_own_rival(self) -> None:
        """Raise ConfigError where a candidate would be measured against itself."""
        current = self.order.current_target
        if current is None or self.holds_parents_target:
            return
        if self.order.load_profile().generators > 1:
            raise ConfigError(
                "current_target: a candidate is measured in turns with the current release by one task, which has no "
                "other machines, so its profile has generators: 1; leave current_target empty, or set that"
            )
        if current == self.target_name or self.load_target(current).base_url == self.target.base_url:
            raise ConfigError(
                f"current_target: {current} is the candidate's own target ({self.target_name}), or has its address; "
                "name the target that runs the current release, or leave it empty"
            )

    def repeat_bundle(self, run_id: str) -> AbstractContextManager[Bundle]:
        """The bundle of a repeat, kept as this run's is."""
        if self.bundle_of is not None:
            return self.bundle_of(run_id)
        return nullcontext(Bundle(self.bundle.path.parent / run_id))

    def profile(self) -> Profile:
        """The run's resolved profile, as preflight wrote it."""
        stored = requirements().completed(self.bundle.read(run.MANIFEST)["profile"])  # of an earlier release, perhaps
        return Profile.model_validate_json(json.dumps(stored))
