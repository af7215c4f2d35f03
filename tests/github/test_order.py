import pytest

from tests.github.conftest import Runner

pytestmark = pytest.mark.integration
NAMES = ("PROFILE", "SUITE", "USERS", "DURATION_S", "ENGINE", "GENERATORS", "TARGET", "TARGET_URL", "IGNORE_BLACKOUT")
EMPTY = dict.fromkeys([f"INPUT_{name}" for name in NAMES], "") | dict.fromkeys(
    ("IS_FOREIGN", "USE_AIRFLOW", "AIRFLOW_URL", "HAS_AIRFLOW_LOGIN", "LOAD_TEST_IMAGE", "LOAD_TEST_BASE_URL"), ""
)
AIRFLOW = {"AIRFLOW_URL": "https://airflow.example", "HAS_AIRFLOW_LOGIN": "true"}
IMAGE = {"LOAD_TEST_IMAGE": "registry.example/pratikoai:1"}
BY_HAND = {"GITHUB_EVENT_NAME": "workflow_dispatch"}


def decide(runner: Runner, **values: str) -> dict[str, str]:
    done = runner.run("load-test", "Decide what to run", **(EMPTY | values))
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: value for name, value in runner.outputs().items() if value}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"way": "demo", "profile": "smoke"}),
        ({"GITHUB_EVENT_NAME": "push", "INPUT_PROFILE": "stress_test"}, {"way": "demo", "profile": "smoke"}),
        ({"GITHUB_EVENT_NAME": "schedule"}, {"way": "demo", "suite": "weekly"}),
        (AIRFLOW | IMAGE, {"way": "airflow", "profile": "smoke"}),
        (AIRFLOW | IMAGE | {"IS_FOREIGN": "true"}, {"way": "demo", "profile": "smoke"}),
        (IMAGE, {"way": "image", "base_url": "http://127.0.0.1:8000", "profile": "smoke", "ignore_blackout": "yes"}),
        ({"LOAD_TEST_BASE_URL": "http://127.0.0.1:9000"}, {
            "way": "address", "base_url": "http://127.0.0.1:9000", "profile": "smoke"}),
        (BY_HAND, {"way": "demo", "profile": "smoke"}),
        (BY_HAND | AIRFLOW | {"USE_AIRFLOW": "false", "INPUT_TARGET_URL": "https://staging.example"}, {
            "way": "address", "base_url": "https://staging.example", "profile": "smoke"}),
        (BY_HAND | {"INPUT_SUITE": "monthly", "INPUT_IGNORE_BLACKOUT": "true"}, {
            "way": "demo", "suite": "monthly", "ignore_blackout": "yes"}),
        (BY_HAND | {"INPUT_PROFILE": "peak_hours", "INPUT_USERS": "20", "INPUT_ENGINE": "k6"}, {
            "way": "demo", "profile": "peak_hours", "users": "20", "engine": "k6"}),
    ],
)  # fmt: skip
def test_an_event_and_the_settings_give_the_order(runner: Runner, values: dict, expected: dict) -> None:
    """What runs comes from the event, where it runs from the repository's settings; a fork only gets the demo."""
    assert decide(runner, **values) == expected


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (BY_HAND | {"INPUT_PROFILE": "smoke\nway=image"}, "profile: "),
        (BY_HAND | {"INPUT_PROFILE": "$(touch hacked)"}, "profile: "),
        (BY_HAND | {"INPUT_USERS": "many"}, "users: "),
        (BY_HAND | {"INPUT_TARGET_URL": "http://x.example/\nway=image"}, "no http or https address"),
        (BY_HAND | {"INPUT_TARGET_URL": "file:///etc/passwd"}, "no http or https address"),
        (BY_HAND | AIRFLOW | {"INPUT_TARGET_URL": "http://127.0.0.1:1"}, "target_url: "),
        ({"AIRFLOW_URL": "https://airflow.example"}, "neither AIRFLOW_TOKEN nor"),
    ],
)
def test_an_order_that_makes_no_sense_is_one_line_and_sets_nothing(runner: Runner, values: dict, text: str) -> None:
    """Exit code 2; an input cannot set an output, run a program or write a line of the log of its own."""
    done = runner.run("load-test", "Decide what to run", **(EMPTY | values))
    assert (done.returncode, runner.outputs()) == (2, {})
    assert done.stdout.startswith("::error::")
    assert text in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert not (runner.checkout / "hacked").exists()
