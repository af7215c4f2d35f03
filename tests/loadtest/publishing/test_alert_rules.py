"""The generated rules are the document's: hand-written tests hold, and with any other threshold they fail."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.loadtest.live.readings import LEVELS
from include.loadtest.profile.thresholds import LIVE_METRICS, SILENCE, THRESHOLDS_FILE, load_thresholds
from include.loadtest.publishing.alert_rules import GUARDS, alert_name, main
from include.loadtest.publishing.expressions import expression
from tests.helpers.programs import program

ROOT = Path(__file__).parents[3]
BY_HAND = ROOT / "tests" / "data" / "alert_rules_test.yml"
pytestmark = pytest.mark.integration


def generated(folder: Path, *options: str) -> Path:
    """All files in a folder, with the hand-written tests beside the rules."""
    assert main(["--out", str(folder), *options]) == 0
    shutil.copy(BY_HAND, folder)
    return folder


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program(command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def rules_test(folder: Path) -> subprocess.CompletedProcess[str]:
    return run("promtool", "test", "rules", BY_HAND.name, cwd=folder)


def test_the_rules_do_what_the_document_asks_for(tmp_path: Path) -> None:
    """Values just below and just above each limit, and the time until an alert fires."""
    done = rules_test(generated(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_by_hand_cover_every_alert() -> None:
    """Each alert is asked for at a time at which it must not fire, and at one at which it must."""
    text = BY_HAND.read_text(encoding="utf-8")
    for own in (*load_thresholds().thresholds, *GUARDS):
        name = alert_name(own.id)
        assert re.search(rf"alertname: {name}, exp_alerts: \[\]", text), name
        assert re.search(rf"alertname: {name}\n +exp_alerts:\n", text), name


def changed(alert: dict[str, Any], key: str, factor: float) -> None:
    """Its limit or its time, and nothing else: the texts, which name both, are kept as they were."""
    if key == "for":
        alert["for"] = f"{int(factor * int(alert['for'].rstrip('s')))}s"
    else:
        expr, _, limit = alert["expr"].rpartition(" ")
        alert["expr"] = f"{expr} {factor * float(limit)!r}"


@pytest.mark.parametrize(("key", "factor"), [("limit", 0.9), ("limit", 1.1), ("for", 0.5), ("for", 1.5)])
def test_a_wrong_threshold_makes_the_tests_fail(tmp_path: Path, key: str, factor: float) -> None:
    """Each, with a limit 10 % off (the guards have none) or another time: it fires, or fires no more."""
    folder = generated(tmp_path)
    rules = yaml.safe_load((folder / "rules.yml").read_text(encoding="utf-8"))
    without = {alert_name(guard.id) for guard in GUARDS} if key == "limit" else set()
    alerts = [
        rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule and rule["alert"] not in without
    ]
    assert len(alerts) == 9 + len(GUARDS) - len(without)
    for alert in alerts:
        changed(alert, key, factor)
    (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    done = rules_test(folder)
    assert done.returncode != 0
    failed = set(re.findall(r"alertname: (\w+), time", done.stdout + done.stderr))
    assert failed == {alert["alert"] for alert in alerts}


def test_the_rules_are_made_of_the_file_of_thresholds(tmp_path: Path) -> None:
    """Another number in the file is another rule."""
    own = tmp_path / "thresholds.yaml"
    own.write_text(THRESHOLDS_FILE.read_text(encoding="utf-8").replace("limit: 5000\n", "limit: 5500\n"))
    done = rules_test(generated(tmp_path / "out", "--thresholds", str(own)))
    assert done.returncode != 0
    assert "LoadTestLatencyP95High" in done.stdout + done.stderr


def secret(folder: Path, text: str, mode: int = 0o600) -> str:
    """A file with an address."""
    file = folder / f"url-{mode:o}"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return str(file)


def test_prometheus_and_alertmanager_take_their_files(tmp_path: Path) -> None:
    """With Slack as with any webhook; what is for information only has a receiver of its own, which tells nobody."""
    hook = secret(tmp_path, "http://127.0.0.1:9/hook\n")
    for options in ((), ("--webhook-url-file", hook), ("--slack-channel", "#ops")):
        folder = generated(tmp_path / "out", *options)
        for command in (
            ("promtool", "check", "config", "prometheus.yml"),
            ("promtool", "check", "rules", "rules.yml"),
            ("amtool", "check-config", "alertmanager.yml"),
        ):
            done = run(*command, cwd=folder)
            assert done.returncode == 0, done.stdout + done.stderr
        for labels, receiver in (
            (("severity=critical", "target=t"), "people"),
            (("severity=critical", "run_id=r"), "people-of-a-run"),
            (("severity=info", "run_id=r"), "nobody"),
        ):
            routes = ("amtool", "config", "routes", "test", "--config.file=alertmanager.yml")
            assert run(*routes, *labels, cwd=folder).stdout.strip() == receiver


def test_no_secret_is_readable_or_an_argument(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A webhook's address comes from a file and goes into one for its owner only, also over an older open one."""
    out, address = tmp_path / "out", "https://hooks.example/geheim"
    assert main(["--out", str(out)]) == 0
    assert (out / "alertmanager.yml").stat().st_mode & 0o077
    assert main(["--out", str(out), "--webhook-url-file", secret(tmp_path, address)]) == 0
    assert (out / "alertmanager.yml").stat().st_mode & 0o777 == 0o600
    assert address in (out / "alertmanager.yml").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--out", str(out), "--webhook", address])
    assert "unrecognized" in capsys.readouterr().err
    for name in (secret(tmp_path, address, 0o644), secret(tmp_path, "geheim", 0o400), str(tmp_path / "none")):
        assert main(["--out", str(tmp_path / "not"), "--webhook-url-file", name]) == 2
    assert [text in caplog.text for text in ("chmod 600", "one URL wanted", "No such file")] == [True] * 3
    assert "geheim" not in caplog.text
    assert not (tmp_path / "not").exists()


def test_slacks_address_is_read_by_alertmanager_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file of it that everybody may read is refused, wherever it lies; one that is not there yet is not missed."""
    folder = generated(tmp_path, "--slack-url-file", "/run/secrets/slack", "--slack-channel", "#ops")
    content = yaml.safe_load((folder / "alertmanager.yml").read_text(encoding="utf-8"))
    (slack,) = content["receivers"][0]["slack_configs"]
    assert (slack["api_url_file"], slack["channel"]) == ("/run/secrets/slack", "#ops")
    assert "api_url" not in slack
    (folder / "slack_webhook_url").touch(mode=0o644)
    assert main(["--out", str(folder)]) == 2
    assert "slack_webhook_url: everybody may read it" in caplog.text
    (folder / "slack_webhook_url").chmod(0o640)
    assert main(["--out", str(folder)]) == 0


def test_every_metric_has_an_expression() -> None:
    """Levels by their readings, the others by rules of their own."""
    assert set(LEVELS) < set(LIVE_METRICS)
    assert all(expression(metric, "60s") for metric in (*LIVE_METRICS, SILENCE))


def test_a_wrong_file_ends_with_2_and_its_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written then."""
    own = tmp_path / "thresholds.yaml"
    own.write_text("window_s: 60\n", encoding="utf-8")
    assert main(["--out", str(tmp_path / "out"), "--thresholds", str(own)]) == 2
    assert "thresholds: missing" in caplog.text
    assert not (tmp_path / "out").exists()
