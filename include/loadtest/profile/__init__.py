"""Profiles: the one source of every number of a run."""

from include.loadtest.profile.loading import (
    PROFILES_DIR,
    Overrides,
    find_profile,
    load_profile,
    load_profile_text,
    profile_names,
    unknown_profile,
)
from include.loadtest.profile.model import DECK_SIZE, MAX_USERS, Profile
from include.loadtest.profile.shape import Stage
from include.loadtest.profile.slo import Slo

__all__ = [
    "DECK_SIZE",
    "MAX_USERS",
    "PROFILES_DIR",
    "Overrides",
    "Profile",
    "Slo",
    "Stage",
    "find_profile",
    "load_profile",
    "load_profile_text",
    "profile_names",
    "unknown_profile",
]
