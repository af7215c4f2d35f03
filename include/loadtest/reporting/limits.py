"""Every limit of every committed profile as Markdown, from the loaded files: the generated part of docs/limits.md.

`.venv/bin/python -m include.loadtest.reporting.limits` writes that part anew.
"""

from pathlib import Path

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Profile, Slo, find_profile, load_profile, profile_names
from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.reporting.markdown import table

DOCUMENT = Path(__file__).parents[3] / "docs" / "limits.md"
BEGIN, END = "<!-- generated from include/profiles: begin -->", "<!-- generated from include/profiles: end -->"
_HEADER = ("profile", "users", "hold", "limit on", "of", "phase", "level", "limit")


def limits_markdown() -> str:
    """Two tables: what each profile runs, and each limit it is judged by. Raises ConfigError for a profile in error."""
    profiles = [load_profile(find_profile(name)) for name in profile_names()]
    profiles.sort(key=lambda profile: (profile.users, profile.duration_s, profile.name))
    loads = (
        (
            f"`{profile.name}`",
            f"{profile.users}",
            profile.shape.kind if profile.checks is None else "checks",
            f"{profile.duration_s} s",
            _hold_text(profile),
            f"{profile.load_s:g} s",
        )
        for profile in profiles
    )
    limits = (_limit_row(profile, slo) for profile in profiles for slo in profile.slos)
    return "\n\n".join(
        [
            table(("profile", "users", "shape", "duration_s", "hold", "load with ramps"), loads),
            table(_HEADER, limits),
        ]
    )


def hold_s(profile: Profile) -> float:
    """Seconds of the phase `hold`; of a spike test that is the time before the spike."""
    return sum(stage.end_s - stage.start_s for stage in profile.stages() if stage.phase == "hold")


def _hold_text(profile: Profile) -> str:
    """The hold for people: checks end when they are done."""
    return f"{'' if profile.checks is None else '≤ '}{hold_s(profile):g} s"


def _limit_row(profile: Profile, slo: Slo) -> tuple[str, ...]:
    required = ", not required" if slo.level == "critical" and not slo.required else ""
    return (
        f"`{profile.name}`",
        f"{profile.users}",
        _hold_text(profile),
        f"`{slo.metric}`",
        slo.scope,
        slo.phase,
        f"{slo.level}{required}",
        f"{slo.comparator} {limit_text(slo.limit, METRICS[slo.metric].unit)}",
    )


def limit_text(limit: float, unit: str) -> str:
    """A limit exactly as the profile has it, with its unit: ratios as per cent, bytes as GiB."""
    if unit == "ratio":
        return f"{round(100 * limit, 10):g} %"
    if unit == "bytes":
        return f"{limit / 2**30:g} GiB"
    return f"{limit:,g} {unit}"


def with_generated_part(text: str) -> str:
    """A document with the part between its markers replaced. Raises ConfigError where the markers are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"docs/limits.md: the markers are missing; put back {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{limits_markdown()}\n\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_generated_part(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
