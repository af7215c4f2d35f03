from pathlib import Path

import httpx
import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.target import settings, urls
from include.loadtest.target.requests import http_client
from include.loadtest.target.settings import Target, TargetFile, load_target_file, read_target_file, target_names
from tests.helpers.listeners import listener, redirect_to

pytestmark = pytest.mark.unit


def test_the_committed_files_are_valid() -> None:
    """Each loads under its own name and allows loopback only, the compose file's its own service."""
    assert target_names() == ["compose_demo", "demo", "pratikoai"]
    for name in target_names():
        file = load_target_file(name)
        assert file.name == name
        assert file.growth_bytes_a_chat
        own = {"demo-target:8000", "10.213.77.10:8000"} if name == "compose_demo" else {"127.0.0.1", "localhost", "::1"}
        assert set(file.allowed_hosts) == own


def test_load_keeps_away_from_deadlines_unless_the_file_says_that_it_need_not() -> None:
    """The stand-in has no users; a file that says nothing is taken for one that has."""
    assert not load_target_file("demo").blackouts
    assert load_target_file("pratikoai").blackouts
    assert TargetFile.model_validate({"name": "x"}).blackouts


def test_what_the_real_target_does_not_expose_is_null_and_the_stand_in_has_all() -> None:
    """Its revision has neither a query of the audit log nor a search of uploaded documents."""
    real = load_target_file("pratikoai").check_paths.model_dump()
    assert {name for name, path in real.items() if path is None} == {"audit_query", "document_search"}
    assert all(load_target_file("demo").check_paths.model_dump().values())


def test_connections_of_a_second_target_carry_its_name() -> None:
    """The default target's have no suffix."""
    assert load_target_file("pratikoai").connection_id("database") == "loadtest_target_db"
    assert load_target_file("demo").connection_id("base_url") == "loadtest_target__demo"
    assert load_target_file("demo").where_to_set("redis") == ("connection loadtest_target_redis__demo")
    assert load_target_file("demo").connection_id("monitor") == "loadtest_target_monitor__demo"
    assert load_target_file("pratikoai").where_to_set("monitor") == (
        "connection loadtest_target_monitor or environment variable MONITOR_DATABASE_URL"
    )


def test_an_unknown_target_names_the_nearest() -> None:
    """It never becomes another one."""
    with pytest.raises(ConfigError, match=r"unknown target 'dmo'; did you mean demo\?"):
        load_target_file("dmo")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nallowed_host: [a]\n", r"x\.yaml:2: allowed_host: unknown key; did you mean allowed_hosts\?"),
        ("name: x\nforwarded_for: perhaps\n", r"x\.yaml:2: forwarded_for: .*boolean"),
        ("name: x\nallowed_hosts:\n  - 'host:port'\n", r"x\.yaml:2: allowed_hosts: .*'port' is no port"),
        ("api_prefix: /api\n", r"x\.yaml:1: name: missing"),
        (
            "name: x\nundeclared_keys:\n  - {table: a, column: b, to_table: c, to_colum: d}\n",
            r"x\.yaml:3: undeclared_keys\.0\.to_colum: unknown key; did you mean to_column\?",
        ),
        (
            "name: x\ncheck_paths: {audit: /a}\n",
            r"x\.yaml:2: check_paths\.audit: unknown key; did you mean audit_query\?",
        ),
        ("name: x\ncheck_paths: {audit_query: 'http://a/b'}\n", r"x\.yaml:2: check_paths\.audit_query: .*pattern"),
        (
            "name: x\nprometheus:\n  cpu_pc: up\n",
            r"x\.yaml:2: prometheus: .*unknown reading 'cpu_pc'; did you mean cpu_pct\?",
        ),
        ("name: x\nprometheus: {cpu_pct: ''}\n", r"x\.yaml:2: prometheus\.cpu_pct: "),
        ("name: x\nlog_file: app.log\n", r"x\.yaml:2: log_file: .*pattern"),
        ("- a\n", r"x\.yaml:1: expected keys and values"),
        ("name: x\nname: y\n", r"x\.yaml:2: name stands twice"),
    ],
)
def test_a_wrong_file_is_told_by_line(tmp_path: Path, text: str, message: str) -> None:
    """One line: file, line, what is wrong, the nearest valid name."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_target_file(path)
    assert "\n" not in str(caught.value)


def _target(base_url: str, *hosts: str, **changes: object) -> Target:
    file = TargetFile.model_validate({"name": "demo", "allowed_hosts": hosts, **changes}, strict=False)
    return Target.checked(file, base_url)


def test_a_host_that_is_not_listed_is_refused() -> None:
    """The message says what to add, and where."""
    with pytest.raises(ConfigError, match=r"add app\.example\.org in include/profiles/targets/demo\.yaml"):
        _target("http://app.example.org", "127.0.0.1")


def test_each_address_of_a_listed_name_must_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has come to point elsewhere is refused; with its address listed, it is taken."""
    monkeypatch.setattr(settings, "addresses_of", lambda _host, _port: ("127.0.0.1", "203.0.113.7"))
    with pytest.raises(ConfigError, match=r"localhost resolves to 203\.0\.113\.7, which is not allowed"):
        _target("http://localhost:8000", "localhost", "127.0.0.1")
    assert _target("http://localhost:8000", "localhost", "127.0.0.1", "203.0.113.0/24").base_url == (
        "http://localhost:8000"
    )


def test_a_name_that_moves_after_the_check_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once, and what is sent later goes to the addresses of then."""
    answers = [["127.0.0.1", "127.0.0.1"]]

    def look_up(host: str, port: int, **_how: object) -> list[tuple[object, ...]]:
        assert host == "app.example", f"{host} is looked up"
        return [(2, 1, 6, "", (address, port)) for address in answers.pop(0)]

    monkeypatch.setattr(urls.socket, "getaddrinfo", look_up)
    with listener("127.0.0.1") as allowed:
        target = _target(f"http://app.example:{allowed.port}", "app.example", "127.0.0.1")
        assert target.addresses == ("127.0.0.1",)
        monkeypatch.undo()
        with http_client(target, 5) as client:
            assert client.get(f"{target.base_url}/health").status_code == 200
            with pytest.raises(httpx.ConnectError, match="not the server that was checked"):
                client.get("http://127.0.0.2/health")
        assert target.shares_host
        assert answers == []


def test_a_redirect_is_an_answer_and_no_order() -> None:
    """Whoever stands behind it hears nothing, also on the same host."""
    with listener("127.0.0.2") as forbidden:
        for status in (301, 302, 303, 307, 308):
            elsewhere = redirect_to(f"http://127.0.0.2:{forbidden.port}/", status)
            with listener("127.0.0.1", answer=elsewhere) as allowed:
                target = _target(f"http://127.0.0.1:{allowed.port}", "127.0.0.1")
                with http_client(target, 5) as client:
                    assert client.post(f"{target.base_url}/x", json={}).status_code == status
        assert forbidden.connections == 0


def test_secrets_stay_out_of_repr() -> None:
    """A target can be logged."""
    target = Target.checked(
        load_target_file("demo"),
        "http://127.0.0.1",
        "postgres://u:s3cret@h/d",
        "redis://:s3cret@h",
        monitor_url="postgresql+asyncpg://m:s3cret@h/d",
        llm_metrics_url="http://u:s3cret@llm.example.org:4000",
        prometheus_url="https://u:s3cret@prometheus.example.org/base/",
    )
    assert "s3cret" not in repr(target)
    assert target.llm_metrics_url == "http://u:s3cret@llm.example.org:4000/metrics"
    assert target.prometheus_url == "https://u:s3cret@prometheus.example.org/base"
    assert target.monitor_url == "postgresql://m:s3cret@h/d"
    assert target.database_url == "postgresql://u:s3cret@h/d"
    assert target.url("/auth/login") == "http://127.0.0.1/api/v1/auth/login"


def test_what_a_file_asks_of_prometheus_and_a_log_are_the_targets() -> None:
    """Nothing by default; the address of the LLM's page is a connection of its own for each target."""
    target = _target("http://127.0.0.1", "127.0.0.1", prometheus={"cpu_pct": "up"}, log_file="/var/log/app.log")
    assert (dict(target.prometheus_queries), target.log_file) == ({"cpu_pct": "up"}, "/var/log/app.log")
    plain = _target("http://127.0.0.1", "127.0.0.1")
    assert (dict(plain.prometheus_queries), plain.log_file) == ({}, None)
    assert load_target_file("demo").where_to_set("llm") == "connection loadtest_llm__demo"
    assert load_target_file("pratikoai").where_to_set("llm") == (
        "connection loadtest_llm or environment variable LLM_METRICS_URL"
    )


def test_a_loopback_target_shares_the_host_unless_its_file_says_otherwise() -> None:
    """`auto` looks at the addresses."""
    assert _target("http://127.0.0.1", "127.0.0.1").shares_host
    assert not _target("http://127.0.0.1", "127.0.0.1", shares_host=False).shares_host
    assert not _target("http://203.0.113.7", "203.0.113.7").shares_host


def test_the_reference_is_another_target_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in its name is told with the nearest valid one; the target itself is no reference."""
    monkeypatch.setattr("include.loadtest.target.settings.TARGETS_DIR", tmp_path)
    for name, reference in (("current", "null"), ("next", "current"), ("typo", "curent"), ("own", "own")):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nreference_target: {reference}\n")
    assert load_target_file("next").reference_target == "current"
    with pytest.raises(ConfigError, match="did you mean current"):
        load_target_file("typo")
    with pytest.raises(ConfigError, match="is the target itself"):
        load_target_file("own")
