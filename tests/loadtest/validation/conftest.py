"""Bundles with a metrics.json whose rows the test states."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile, Slo, find_profile, load_profile
from include.loadtest.profile.vocabulary import METRICS


def make_row(
    metric: str, value: float | None, n: int = 1000, scope: str = "all", phase: str = "hold", **more: Any
) -> dict[str, Any]:
    return {
        "metric": metric,
        "scope": scope,
        "phase": phase,
        "value": value,
        "unit": METRICS[metric].unit,
        "n": n,
        "ci_low": None,
        "ci_high": None,
        "direction": METRICS[metric].direction,
        **more,
    }


@pytest.fixture
def row() -> Callable[..., dict[str, Any]]:
    return make_row


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path / "smoke-20260301-090000-abcdef")


@pytest.fixture
def with_metrics(bundle: Bundle) -> Callable[..., Bundle]:
    """Write metrics.json with these rows and, unless said otherwise, a thousand requests in the hold."""

    def write(*rows: dict[str, Any], samples: int = 1000) -> Bundle:
        bundle.write(run.METRICS, {"schema": 1, "metrics": [*rows, make_row("latency_p50_ms", None, samples)]})
        return bundle

    return write


@pytest.fixture
def profile_with() -> Callable[..., Profile]:
    """The smoke profile with these limits only."""

    def make(*slos: Slo, margin: float = 0.1) -> Profile:
        smoke = load_profile(find_profile("smoke"))
        return smoke.model_copy(update={"slos": slos, "warning_margin": margin})

    return make
