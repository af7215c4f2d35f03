import pytest

from include.loadtest.bundle import Bundle

HOSTILE = "<script>alert(1)</script> | `rm` [x](http://evil) *bold* @everyone\x1b[31m"
ROW = {"scope": "all", "phase": "hold", "n": 100, "ci_low": 1.0, "ci_high": 2.0, "direction": "lower"}


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    """A judged run with one missed limit, an unmeasured figure and hostile text of the target."""
    bundle = Bundle(tmp_path / "smoke-1")
    profile = {"title": "Smoke", "users": 10, "duration_s": 60, "engine": "locust", "notes": []}
    bundle.update_manifest(profile=profile, target={"name": "demo"}, environment={"app": HOSTILE}, faults={})
    slo = {
        "metric": "latency_p95_ms", "scope": "all", "phase": "hold", "level": "critical", "required": True,
        "comparator": "<", "observed": 4100.0, "n": 100, "ci_low": 3900.0, "ci_high": None, "limit": 4000.0,
        "unit": "ms", "outcome": "missed", "close": True,
    }  # fmt: skip
    reason = {
        "code": "slo_missed",
        "text": HOSTILE,
        "metric": None,
        "scope": None,
        "observed": 1,
        "limit": 1,
        "unit": "",
    }
    bundle.write("verdict.json", {"verdict": "SLA_BREACH", "reasons": [reason], "slos": [slo]})
    metrics = [
        ROW | {"metric": "latency_p95_ms", "value": 4100.0, "unit": "ms", "lower_bound": True},
        ROW | {"metric": "error_rate", "value": 0.005, "unit": "ratio"},
        ROW | {"metric": "cache_hit_rate", "value": None, "unit": "ratio", "n": 0},
    ]
    bundle.write("metrics.json", {"schema": 1, "metrics": metrics})
    error = {"fingerprint": HOSTILE, "count": 3, "outcome": "http_error", "endpoint": "chat_simple"}
    bundle.write("errors.json", {"schema": 1, "errors": [error], "other": {"fingerprints": 0, "count": 0}})
    return bundle
