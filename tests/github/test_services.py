"""The containers that the job starts itself, with `docker` and `curl` replaced: no image is needed here."""

import json

import pytest

from tests.github.conftest import Runner

pytestmark = pytest.mark.integration
SERVICE = {
    "LOAD_TEST_IMAGE": "registry.example/pratikoai:1",
    "LOAD_TEST_BASE_URL": "http://127.0.0.1:8000",
    "DATABASE_URL": "postgresql://x",
    "REDIS_URL": "redis://x",
    "LLM_API_KEY": "llm-key",
    "TARGET_ENV": "A=1\nB=two words",
    "REGISTRY_USER": "",
    "REGISTRY_PASSWORD": "",
}


def test_the_service_is_started_with_its_settings_and_waited_for(runner: Runner) -> None:
    """Secrets are in no argument of a program; the address that is asked is the one under test."""
    runner.fake("docker", f'[ "$1" = run ] && cp "{runner.temp}/target.env" "{runner.folder}/settings"; true')
    runner.fake("curl", "")
    done = runner.run("load-test", "Start the service", **SERVICE)
    assert done.returncode == 0, done.stderr
    assert (runner.folder / "settings").read_text() == "A=1\nB=two words\n"
    assert not (runner.temp / "target.env").exists()
    [start, asked] = runner.calls
    assert start.startswith("docker run --detach --name load-test-target --network host ")
    assert start.endswith(" registry.example/pratikoai:1")
    assert "llm-key" not in start
    assert asked.endswith(" http://127.0.0.1:8000/health")


def test_a_private_image_is_logged_in_for(runner: Runner) -> None:
    """At the image's own registry, with the password on standard input."""
    runner.fake("docker", f'[ "$1" = login ] && cat >"{runner.folder}/password"; true')
    runner.fake("curl", "")
    done = runner.run("load-test", "Start the service", **SERVICE | {"REGISTRY_USER": "ci", "REGISTRY_PASSWORD": "pw"})
    assert done.returncode == 0, done.stderr
    assert runner.calls[0] == "docker login --username ci --password-stdin registry.example"
    assert (runner.folder / "password").read_text() == "pw"


def test_a_service_that_dies_is_red_and_shows_its_last_lines(runner: Runner) -> None:
    """What it printed is shown, and commands nothing."""
    runner.fake("docker", 'case "$1" in inspect) echo false ;; logs) echo "::error::no database" ;; esac')
    runner.fake("curl", "exit 7")
    done = runner.run("load-test", "Start the service", **SERVICE)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("::error::the service does not answer 200 on http://127.0.0.1:8000/health")
    assert lines[1].startswith("::stop-commands::")
    assert lines[2] == "::error::no database"
    assert lines[3] == f"::{lines[1].removeprefix('::stop-commands::')}::"


SNAPSHOT = '{"status": "success", "data": {"name": "20261129T020000Z-1a2b"}}'
UP = '{"data": {"result": [{"metric": {"instance": "127.0.0.1:8000"}, "value": [0, "24"]}]}}'


def test_prometheus_reads_the_service_and_its_readings_are_saved(runner: Runner) -> None:
    """Started first, told the address when the service has one, its database copied at the end."""
    runner.fake("docker", "")
    runner.fake("curl", f"case \"$*\" in *snapshot*) echo '{SNAPSHOT}' ;; *query*) echo '{UP}' ;; esac")
    assert runner.run("load-test", "Start Prometheus").returncode == 0
    watched = runner.run("load-test", "Let Prometheus read the service", BASE_URL="http://127.0.0.1:8000/")
    assert watched.returncode == 0, watched.stderr
    folder = runner.temp / "prometheus"
    targets = json.loads((folder / "targets.json").read_text())
    assert targets == [{"targets": ["127.0.0.1:8000"], "labels": {"__scheme__": "http"}}]
    block = folder / "data" / "snapshots" / "20261129T020000Z-1a2b" / "block"
    block.mkdir(parents=True)
    saved = runner.run("load-test", "Save Prometheus' readings", FOLDER=str(runner.temp / "saved"))
    assert saved.returncode == 0, saved.stderr
    assert (runner.temp / "saved" / "block").is_dir()
    assert '[{"instance":"127.0.0.1:8000","times":"24"}]' in saved.stdout
    assert "::warning::" not in saved.stdout
    assert runner.calls[-1] == "docker rm --force load-test-prometheus"


def test_the_demo_targets_address_is_found_where_it_wrote_it(runner: Runner) -> None:
    """Without an address of a service the embedded one is read."""
    (runner.temp / "prometheus").mkdir()
    state = runner.checkout / ".embedded" / "demo_target"
    state.mkdir(parents=True)
    (state / "ready.json").write_text('{"base_url": "http://127.0.0.1:45123"}')
    done = runner.run("load-test", "Let Prometheus read the service", BASE_URL="")
    assert done.returncode == 0, done.stderr
    assert "127.0.0.1:45123" in (runner.temp / "prometheus" / "targets.json").read_text()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Start Prometheus", {}),
        ("Let Prometheus read the service", {"BASE_URL": "http://x"}),
        ("Save Prometheus' readings", {"FOLDER": "saved"}),
    ],
)
def test_a_prometheus_that_fails_is_named_and_stops_nothing(runner: Runner, name: str, values: dict) -> None:
    """It observes; the load test has its verdict without it."""
    for program in ("docker", "curl"):
        runner.fake(program, "exit 7")
    done = runner.run("load-test", name, **values)
    assert done.returncode == 0
    assert "::warning::Prometheus (" in done.stdout


def test_everything_is_stopped_though_nothing_was_started(runner: Runner) -> None:
    """The last step comes after any failure."""
    runner.fake("docker", "exit 1")
    runner.fake("make", "")
    assert runner.run("load-test", "Stop what was started").returncode == 0
    assert runner.calls == ["docker rm --force load-test-target", "make down"]
