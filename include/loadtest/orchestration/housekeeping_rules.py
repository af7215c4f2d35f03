"""The numbers of the daily housekeeping: what `include/profiles/housekeeping.yaml` says."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from include.loadtest.profile import PROFILES_DIR
from include.loadtest.profile.shape import Frozen
from include.loadtest.profile.yaml_source import model_of, read_yaml

FILE = PROFILES_DIR / "housekeeping.yaml"
SHOWN_FILE = "include/profiles/housekeeping.yaml"
"""The file, for messages."""


class Retention(Frozen):
    """Samples and readings of runs older than `samples_days` days are removed; the rest of a bundle never is."""

    samples_days: Annotated[int, Field(ge=7, le=36_500)]


class OrphanRules(Frozen):
    """Locks, waiters and work folders that ended runs left go `older_than_h` hours after their last sign of life."""

    older_than_h: Annotated[int, Field(ge=1, le=24 * 365)]


class DiskRules(Frozen):
    """What has to be free where the results are kept; `named_bundles` of the biggest are named when it is not."""

    min_free_bytes: Annotated[int, Field(ge=0)]
    min_free_inodes: Annotated[int, Field(ge=0)]
    named_bundles: Annotated[int, Field(ge=1, le=50)]


class DeliveryRules(Frozen):
    """A delivery that waits for more than `late_h` hours is an alarm; delivered ones are kept for `kept_days` days."""

    late_h: Annotated[int, Field(ge=1, le=24 * 30)]
    kept_days: Annotated[int, Field(ge=1, le=36_500)]


class HousekeepingRules(Frozen):
    """The whole file; its comments explain each key."""

    daily_utc: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    retention: Retention
    orphans: OrphanRules
    disk: DiskRules
    deliveries: DeliveryRules

    @property
    def cron(self) -> str:
        """Every day at `daily_utc`."""
        hour, minute = self.daily_utc.split(":")
        return f"{int(minute)} {int(hour)} * * *"


_PARTS: dict[str, type[Frozen]] = {
    "retention": Retention,
    "orphans": OrphanRules,
    "disk": DiskRules,
    "deliveries": DeliveryRules,
}


def load_rules(path: Path = FILE) -> HousekeepingRules:
    """Read and check the file. Raises ConfigError with `file:line`."""
    return model_of(read_yaml(path), HousekeepingRules, _PARTS, SHOWN_FILE)
