"""Load goes to production only from a run that a named operator started by hand and confirmed by the host's name."""

from dataclasses import replace

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.target.production import CONFIRMED_FOR_S, Trigger, production_hosts, refuse_production
from include.loadtest.target.settings import PRODUCTION_HOSTS, Target, TargetFile, load_target_file

pytestmark = pytest.mark.unit
HOST = "app.pratikoai.it"
ANNA = Trigger("manual", "anna", HOST, age_s=5.0)


def _target(base_url: str = f"https://{HOST}", **addresses: str) -> Target:
    file = TargetFile(name="live", allowed_hosts=("0.0.0.1",), production_operators=("anna", "carl"))
    return Target(file, base_url, **addresses)


def test_the_named_operator_who_typed_the_host_may() -> None:
    """And nothing else is asked of a target without such a host."""
    refuse_production(_target(), ANNA)
    refuse_production(_target("http://127.0.0.1:8000"), Trigger("scheduled", None))
    refuse_production(_target(), replace(ANNA, confirmed=f" {HOST} ", age_s=None))


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        (replace(ANNA, run_type="scheduled"), "a run of type scheduled never goes there"),
        (replace(ANNA, run_type="backfill"), "a run of type backfill never goes there"),
        (replace(ANNA, run_type="asset_triggered"), "a run of type asset_triggered never goes there"),
        (replace(ANNA, user=None), "Airflow does not say who started this run"),
        (replace(ANNA, user="bob"), "bob may not confirm it, but anna, carl"),
        (replace(ANNA, user="Anna"), "Anna may not confirm it"),
        (replace(ANNA, confirmed=None), f"type confirm_production: {HOST}"),
        (replace(ANNA, confirmed="yes"), f"type confirm_production: {HOST}"),
        (replace(ANNA, confirmed=HOST.upper()), f"type confirm_production: {HOST}"),
        (replace(ANNA, confirmed=f"{HOST},{HOST}"), f"type confirm_production: {HOST}"),
        (replace(ANNA, age_s=CONFIRMED_FOR_S + 1), "somebody else may have cleared it"),
    ],
)
def test_everybody_else_is_refused_in_one_line(trigger: Trigger, said: str) -> None:
    """It names the host, the pattern, the file, and what to do."""
    with pytest.raises(ConfigError) as caught:
        refuse_production(_target(), trigger)
    text = str(caught.value)
    assert said in text
    assert text.startswith(f"target live: {HOST} (app.pratikoai.*) matches a pattern of production_hosts: ")
    assert "\n" not in text


def test_nobody_may_where_nobody_is_named() -> None:
    """An empty list is the default."""
    target = replace(_target(), file=TargetFile(name="live"))
    with pytest.raises(ConfigError, match="nobody may confirm it; production_operators in include/"):
        refuse_production(target, ANNA)


@pytest.mark.parametrize(
    ("addresses", "hosts"),
    [
        ({"database_url": "postgresql://u:p@prod-db:5432/d"}, ["prod-db"]),
        ({"database_url": "postgresql://u:p@/d?host=/tmp&hostaddr=10.0.0.1"}, []),
        ({"database_url": "postgresql://u:p@a,db.prod.internal/d"}, ["db.prod.internal"]),
        ({"monitor_url": "postgresql://u@replica-production/d"}, ["replica-production"]),
        ({"redis_url": "redis://:p@PROD-cache.:6379/0"}, ["prod-cache"]),
        ({"redis_url": "redis://?host=prod-cache"}, ["prod-cache"]),
        ({"redis_url": "unix:///run/prod.sock"}, []),
        ({"llm_metrics_url": "https://u:p@llm.prod/metrics"}, ["llm.prod"]),
        ({"prometheus_url": "http://prometheus.prod"}, []),
        ({"redis_url": "redis://prod-1", "database_url": "postgresql://prod-2/d"}, ["prod-2", "prod-1"]),
    ],
)
def test_every_address_of_a_target_counts(addresses: dict[str, str], hosts: list[str]) -> None:
    """A test copy of the application on production's database is production; Prometheus is only asked."""
    target = _target("http://127.0.0.1:8000", **addresses)
    assert list(production_hosts(target)) == hosts
    if hosts:
        refuse_production(target, replace(ANNA, confirmed=", ".join(reversed(hosts))))
        with pytest.raises(ConfigError, match="type confirm_production"):
            refuse_production(target, ANNA)


def test_a_password_is_never_in_the_line() -> None:
    """Hosts are named, addresses are not."""
    with pytest.raises(ConfigError) as caught:
        refuse_production(_target("http://127.0.0.1", database_url="postgresql://u:s3cret@prod/d"), ANNA)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("host", ["prod.example", "my-production-1.example", "www.pratikoai.com", "pratikoai.it", HOST])
def test_the_default_patterns_know_productions_usual_names(host: str) -> None:
    """Those of the committed files, too."""
    assert production_hosts(_target(f"https://{host}"))
    for name in ("demo", "pratikoai"):
        assert load_target_file(name).production_hosts == PRODUCTION_HOSTS
        assert load_target_file(name).production_operators == ()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "staging.pratikoai.com", "app", "pratikoai"])
def test_other_names_are_not_taken_for_it(host: str) -> None:
    """Staging, a service's name in a network of containers, this machine."""
    assert not production_hosts(_target(f"http://{host}"))
