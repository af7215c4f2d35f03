from datetime import datetime

from include.loadtest.analysis.capacity.steps import Step
from tests.helpers.stepped_runs import stage_entry

EPOCH_US = int(datetime.fromisoformat("2026-11-20T09:00:00+00:00").timestamp()) * 1_000_000


def made_steps(users_and_rates: list[tuple[int, float]], seconds: int = 60, **figures) -> list[Step]:
    """Steps one after the other, each with its answers a second."""
    return [
        Step(
            users,
            EPOCH_US + place * seconds * 1_000_000,
            EPOCH_US + (place + 1) * seconds * 1_000_000,
            stage_entry(
                f"step_{users}",
                "ramp_up",
                users,
                seconds,
                rate,
                **{key: values[place] for key, values in figures.items()},
            ),
        )
        for place, (users, rate) in enumerate(users_and_rates)
    ]
