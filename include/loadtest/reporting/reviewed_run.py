"""One run as a review sees it: which of its figures may be used, and for what. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.suite import SuiteEntry
from include.loadtest.verdict import Verdict

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ReviewedRun:
    """A suite's run with the content of its metrics.json and diagnosis.json, None where it has none."""

    entry: SuiteEntry
    metrics: Row | None
    diagnosis: Row | None = None

    @property
    def profile(self) -> Row:
        """The resolved profile; empty where preflight did not get so far."""
        profile: Row = (self.entry.manifest or {}).get("profile") or {}
        return profile

    @property
    def target(self) -> Row:
        """The target as the manifest has it."""
        target: Row = (self.entry.manifest or {}).get("target") or {}
        return target

    @property
    def shape(self) -> str:
        """Kind of the load's shape; empty where it is not known."""
        return str((self.profile.get("shape") or {}).get("kind", ""))

    @property
    def slos(self) -> Sequence[Row]:
        """The judged limits of verdict.json."""
        return list((self.entry.verdict or {}).get("slos") or ())

    @property
    def reasons(self) -> Sequence[Row]:
        """The reasons of verdict.json."""
        return list((self.entry.verdict or {}).get("reasons") or ())

    @property
    def is_trusted(self) -> bool:
        """Whether its samples say something about the target, complete or not: judged, and nothing speaks against them.

        A reason that this program does not know speaks against them.
        """
        codes = [REASON_CODES.get(reason["code"]) for reason in self.reasons]
        known = all(code is not None and code.kind != "untrusted" for code in codes)
        return self.metrics is not None and self.entry.verdict is not None and known

    @property
    def is_whole(self) -> bool:
        """Whether it is trusted and its load was not ended early."""
        return self.is_trusted and self.entry.outcome != Verdict.ABORTED

    @property
    def stages(self) -> Sequence[Row]:
        """The stages of metrics.json."""
        return list((self.metrics or {}).get("stages") or ())

    @property
    def hold_users(self) -> int | None:
        """Users of the hold: before its spike, a spike test has few."""
        users = [stage["users"] for stage in self.stages if stage["phase"] == "hold" and stage["users"] is not None]
        return max(users) if users else self.profile.get("users")

    def figure(self, metric: str) -> Row | None:
        """The metric's row for all requests of the hold; None where there is none."""
        rows = (self.metrics or {}).get("metrics") or ()
        wanted = (metric, SCOPE_ALL, "hold")
        return next((row for row in rows if (row["metric"], row["scope"], row["phase"]) == wanted), None)
