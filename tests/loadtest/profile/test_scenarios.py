"""Which scenarios exist is what the locustfiles define."""

from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Profile, find_profile, load_profile, load_profile_text
from include.loadtest.profile.scenarios import LOCUSTFILES_DIR, scenario_names, unknown_scenario
from include.loadtest.profile.vocabulary import SCENARIOS

pytestmark = pytest.mark.unit

SMOKE = find_profile("smoke").read_text(encoding="utf-8")
FUNCTION = "def next_call(user):\n    raise NotImplementedError\n"


def test_the_six_come_first_and_every_other_file_with_the_function_follows_by_name() -> None:
    """Modules of the generator itself define none, and are no scenarios."""
    names = scenario_names()
    assert tuple(names[:6]) == SCENARIOS
    assert "studio_settings" in names
    assert names[6:] == sorted(names[6:])
    assert not {"arrivals", "call", "measuring", "pratikoai", "registry", "session", "__init__"} & set(names)
    assert all((LOCUSTFILES_DIR / f"{name}.py").exists() for name in names)


def test_a_file_is_parsed_and_never_run(tmp_path: Path) -> None:
    """Only a plain top-level function counts; what would fail when imported is a scenario all the same."""
    files = {
        "good": f"import not_there\nraise SystemExit(3)\n{FUNCTION}",
        "inside_a_class": "class A:\n    def next_call(self):\n        pass\n",
        "imported": "from x import next_call\n",
        "asynchronous": f"async {FUNCTION}",
        "Capital": FUNCTION,
        "broken": "def next_call(:\n",
        "binary": "\0",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert scenario_names(tmp_path) == [*SCENARIOS, "good"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "studio_setings",
            "unknown scenario 'studio_setings'; did you mean studio_settings, or add "
            "include/locustfiles/studio_setings.py with a function next_call",
        ),
        ("arrivals", "include/locustfiles/arrivals.py defines no function next_call"),
        (
            "Studio_settings",
            "did you mean studio_settings? (a name begins with a-z and has at most 40 of a-z, 0-9 and _)",
        ),
        ("../evil", "(a name begins with a-z"),
        ("simple_query\n", "did you mean simple_query? (a name begins with a-z"),
        ("x" * 41, "(a name begins with a-z"),
        (7, "unknown scenario 7; valid: complex_query, document_upload"),
    ],
)
def test_what_is_no_scenario_is_explained_on_one_line(name: object, said: str) -> None:
    """The nearest name, and what to add."""
    problem = unknown_scenario(name)
    assert problem is not None
    assert said in problem
    assert "\n" not in problem


def test_a_file_with_an_error_is_named_with_its_line(tmp_path: Path) -> None:
    """A scenario under work is not reported as missing."""
    (tmp_path / "mine.py").write_text("x = 1\ndef next_call(:\n")
    problem = unknown_scenario("mine", tmp_path)
    assert problem is not None
    assert "include/locustfiles/mine.py is no valid Python (line 2)" in problem


def test_a_profile_may_give_a_further_scenario_a_share_and_a_limit() -> None:
    """Its cards follow those of the six, whose own order stays; it waits as long as its own limit says."""
    text = SMOKE.replace("  simple_query: 30\n", "  studio_settings: 10\n  simple_query: 20\n")
    own = '  - {metric: latency_p95_ms, comparator: "<", limit: 9000, scope: "scenario:studio_settings"}\n'
    profile = load_profile_text(text + own, "x.yaml")
    assert list(profile.deck()) == [*SCENARIOS, "studio_settings"]
    assert (profile.deck()["simple_query"], profile.deck()["studio_settings"]) == (4, 2)
    assert profile.request_timeout_s("studio_settings") == 18.0
    assert profile.request_timeout_s("simple_query") == 12.0
    assert list(load_profile_text(SMOKE, "x.yaml").deck()) == list(SCENARIOS)


def test_a_profile_of_further_scenarios_only_loads() -> None:
    """For few users a stall is longer than the slowest scenario may take: where no limit says that, the profile's."""
    mix = SMOKE[SMOKE.index("mix_pct:") : SMOKE.index("questions:")]
    text = SMOKE.replace(mix, "mix_pct: {studio_settings: 100}\n").replace("users: 10", "users: 2")
    text = text.replace("limit: 200}", "limit: 40}")
    profile = load_profile_text(text, "x.yaml")
    assert profile.stall_limit_s == 3
    own = '  - {metric: latency_p95_ms, comparator: "<", limit: 7000, scope: "scenario:studio_settings"}\n'
    assert load_profile_text(text + own, "x.yaml").stall_limit_s == 7


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  simple_query: 30",
            "  studio_setting: 30",
            "x.yaml:10: mix_pct: unknown scenario 'studio_setting'; did you",
        ),
        ("  simple_query: 30", "  30: 30", "x.yaml:10: mix_pct: unknown scenario 30"),
        (
            "limit: 4000",
            'limit: 4000, scope: "scenario:simple_qery"',
            "x.yaml:22: slos: latency_p95_ms limits 'simple_qery', but mix_pct gives it no share; did you mean",
        ),
        (
            "limit: 4000",
            'limit: 4000, scope: "scenario:"',
            "scope is unknown: 'scenario:'; write all or scenario:<name>",
        ),
    ],
)
def test_a_wrong_name_in_a_profile_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    """Before anything starts."""
    with pytest.raises(ConfigError) as error:
        load_profile_text(SMOKE.replace(old, new, 1), "x.yaml")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_stored_profile_outlives_its_scenarios_file() -> None:
    """The bundle of an earlier run can be read after a scenario was deleted."""
    stored = load_profile(find_profile("smoke")).model_dump()
    stored["mix_pct"] = {"long_gone": 100}
    stored["slos"] = ()
    assert Profile.model_validate(stored).deck()["long_gone"] == 20
