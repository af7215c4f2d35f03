"""Which of the runs in some folders are shown: for each verdict the one with most to tell."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import BASELINES
from include.loadtest.verdict import SloResult, slo_reasons

Row = Mapping[str, Any]
SUITE = "suite.json"


@dataclass(frozen=True)
class Told:
    """A run with what it concluded; None for what it has not."""

    bundle: Bundle

    def read(self, name: str) -> dict[str, Any] | None:
        """A document of the bundle."""
        return self.bundle.read(name) if self.bundle.has(name) else None

    @cached_property
    def verdict(self) -> dict[str, Any]:
        """The content of verdict.json, its reasons in today's words."""
        verdict = self.bundle.read(run.VERDICT)
        rows = (self.read(run.METRICS) or {}).get("metrics") or ()
        return verdict | {"reasons": list(reworded(verdict["reasons"], verdict["slos"], rows))}

    @cached_property
    def comparison(self) -> dict[str, Any] | None:
        """The content of comparison.json, in today's words too."""
        comparison = self.read(run.COMPARISON)
        test = (comparison or {}).get("change_test")
        return (comparison or {}) | {"change_test": test | {"text": in_words(test["text"])}} if test else comparison

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest."""
        return self.bundle.read(run.MANIFEST)

    @cached_property
    def profile(self) -> Profile:
        """The profile as it ran."""
        return Profile.model_validate_json(json.dumps(self.manifest["profile"]))

    @property
    def target(self) -> str:
        """The target's name."""
        return str(self.manifest["target"]["name"])

    @cached_property
    def diagnosis(self) -> dict[str, Any] | None:
        """The content of diagnosis.json."""
        return self.read(run.DIAGNOSIS)

    @property
    def cause(self) -> str | None:
        """The first cause of what saturates, None without one."""
        causes = (self.diagnosis or {}).get("causes") or ()
        return str(causes[0]["cause"]) if causes and (self.diagnosis or {}).get("state") == "bottleneck" else None

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """What crossed a threshold during the load."""
        return list((self.read(run.ALERTS) or {}).get("alerts") or ())

    @property
    def richness(self) -> tuple[bool, bool, bool, str]:
        """Of two runs the one with the larger has more to tell, or is the later."""
        has_samples = any(self.bundle.samples_dir.glob("*.parquet"))
        return self.cause is not None, bool(self.alerts), has_samples, self.bundle.run_id


def reworded(reasons: Iterable[Row], slos: Iterable[Row], rows: Iterable[Row]) -> Iterator[Row]:
    """The reasons of a verdict as they would be said today; `slos`: what was judged, `rows`: of metrics.json.

    What was judged and decided stays: a run may be older than the words.
    """
    bounds = {(row["metric"], row["scope"], row["phase"]) for row in rows if row.get("lower_bound")}
    today: dict[tuple[str, str], str] = {
        _about(one.code, one.text): one.text for one in slo_reasons([SloResult(**slo) for slo in slos], bounds)
    }
    for reason in reasons:
        text = str(reason["text"])
        yield {**reason, "text": in_words(today.get(_about(reason["code"], text), text))}


def _about(code: str, text: str) -> tuple[str, str]:
    """A reason's code with the figure, scope and phase that its text begins with."""
    return code, text.partition(": ")[0]


def in_words(text: str) -> str:
    """A change test's text, which named its baseline by a key before."""
    for key, words in BASELINES.items():
        is_about_none = "comparable runs are there" in text
        text = text.replace(f" ({key})", "" if is_about_none else f" (baseline: {words})")
    return text


def told_runs(folders: Iterable[Path]) -> list[Told]:
    """The runs with a verdict, those with most to tell first."""
    found = [Told(Bundle(path.parent)) for folder in folders for path in sorted(folder.glob(f"*/{run.VERDICT}"))]
    complete = [one for one in found if one.manifest.get("profile") and one.manifest.get("target")]
    return sorted(complete, key=lambda one: one.richness, reverse=True)


def suites(folders: Iterable[Path]) -> Iterator[tuple[Bundle, dict[str, Any]]]:
    """The suites that ran, with the content of suite.json."""
    for folder in folders:
        for path in sorted(folder.glob(f"*/{SUITE}")):
            yield Bundle(path.parent), json.loads(path.read_text(encoding="utf-8"))
