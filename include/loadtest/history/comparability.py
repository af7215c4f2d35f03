"""Which runs may be compared: what has to be equal, and what differs. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from include.loadtest.profile import Profile

_GIB = 1024**3
_UNSAID = {"generators": 1}
"""What a field means that is left out, so that the key is that of earlier releases."""
_FIGURES_OF_SHAPES = {"recovery", "breaking_point"}
"""What a shape defines beyond its stages; a steady one nothing, so that its key is that of earlier releases."""


def comparability(profile: Profile, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that has to be equal: load, engine, target, hardware, server settings, size band of the data.

    The load is what the profile says after overrides, so a run within a suite is comparable with one by itself that has
    the same numbers. Its seed and its limits do not change what is measured, except those that define a figure (when a
    shape counts as recovered or broken). Versions of the application are not here: they are what is compared. None
    stands for what the run could not find out.
    """
    environment = manifest.get("environment") or {}
    load = profile.model_dump(mode="json", include={"users", "think_time_s", "mix_pct", "questions"})
    return {
        "profile": profile.name,
        **load,
        "stages": [stage.model_dump(mode="json") for stage in profile.stages()],
        **profile.model_dump(mode="json", include={"shape": _FIGURES_OF_SHAPES})["shape"],
        "engine": profile.engine,
        "load_model": profile.load_model,
        **({} if profile.generators == 1 else {"generators": profile.generators}),
        **({} if profile.checks is None else {"checks": profile.checks.model_dump(mode="json")}),
        **({} if profile.arrival is None else {"arrival": profile.arrival.model_dump(mode="json")}),
        "target": (manifest.get("target") or {}).get("name"),
        "hardware": environment.get("hardware"),
        "generator": _generator(environment.get("generator_host")),
        "server_settings": {name: environment.get(name) for name in ("postgres", "redis")},
        "size_band": _size_band(environment.get("row_counts")),
    }


def _generator(host: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Memory in whole GiB: kernels report a few pages more or less from boot to boot."""
    if not host:
        return None
    memory_bytes = host.get("memory_bytes")
    return {
        "cpu_count": host.get("cpu_count"),
        "cpu_model": host.get("cpu_model"),
        "memory_gib": None if memory_bytes is None else round(memory_bytes / _GIB),
    }


def _size_band(row_counts: Mapping[str, int] | None) -> int | None:
    """Order of magnitude of all rows together; up to 999 rows are one band, since they cost nothing to read."""
    if row_counts is None:
        return None
    return max(2, math.floor(math.log10(max(1, sum(row_counts.values())))))


def comparability_key(content: Mapping[str, Any]) -> str:
    """A short text that is equal exactly for equal contents."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def differing_fields(current: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields that differ, as `{"field", "current", "other"}`; a dotted name for a field of a field."""
    mine, theirs = _flat(current), _flat(other)
    return [
        {"field": name, "current": mine.get(name, _UNSAID.get(name)), "other": theirs.get(name, _UNSAID.get(name))}
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name)
    ]


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
