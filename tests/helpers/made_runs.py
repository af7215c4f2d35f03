"""Runs of a made-up system for the change test: levels in ms, seeded noise between runs."""

import math
import random
from collections.abc import Mapping, Sequence

from include.loadtest.analysis.figures import BODY, PERCENTILES_OF, TAIL, Point, RunFigures
from include.loadtest.profile.reference import requirements

SETTINGS = requirements().change_test
STALL_LIMIT_S = requirements().stall_limit_s
LEVELS_MS = {"endpoint:chat": 180.0, "endpoint:tax": 9.0, "endpoint:search": 40.0}
_SPREAD_OF_PLACE = dict(
    zip((*PERCENTILES_OF[BODY], *PERCENTILES_OF[TAIL]), (0.7, 0.85, 1, 1.2, 1.5, 2, 3), strict=True)
)


def made_run(
    name: str,
    generator: random.Random,
    *,
    noise: float = 0.03,
    factors: Mapping[str, float] | None = None,
    tail_factor: float = 1.0,
    cpu: float | None = None,
    probe_ms: float | None = None,
    stall_s: float | None = 0.2,
) -> RunFigures:
    """One run: each endpoint's percentiles move together by the noise, and by its factor; the tail by one more."""
    points: dict[str, dict[str, Point]] = {}
    for scope, level_ms in LEVELS_MS.items():
        shift = generator.gauss(0, noise) + math.log((factors or {}).get(scope, 1.0))
        points[scope] = {
            place: Point(
                math.log(level_ms * spread) + shift + (math.log(tail_factor) if place in PERCENTILES_OF[TAIL] else 0),
                0.03,
            )
            for place, spread in _SPREAD_OF_PLACE.items()
        }
    return RunFigures(name, points, target_cpu_ms_per_request=cpu, cpu_probe_ms=probe_ms, stall_s=stall_s)


def made_runs(count: int, seed: int, **options: object) -> list[RunFigures]:
    """Runs of an unchanged system."""
    generator = random.Random(seed)
    return [made_run(f"run-{index}", generator, **options) for index in range(count)]  # type: ignore[arg-type]


def made_series(values: Sequence[float], *, higher_is_better: bool = False) -> list[RunFigures]:
    """Runs that have one value each."""
    from include.loadtest.analysis.figures import series_run

    return [series_run(f"s:{index}", value, higher_is_better=higher_is_better) for index, value in enumerate(values)]
