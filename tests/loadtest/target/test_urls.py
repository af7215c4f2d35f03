import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.loadtest.errors import ConfigError
from include.loadtest.target.urls import (
    is_allowed,
    libpq_url,
    page_url,
    redacted,
    split_base_url,
    split_entry,
    without_passwords,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("postgresql+asyncpg://u:p@h:5433/d", "postgresql://u:p@h:5433/d"),
        ("postgres://u@h/d", "postgresql://u@h/d"),
        ("postgresql+psycopg2://u:p%40@h/d?ssl=require", "postgresql://u:p%40@h/d?sslmode=require"),
        ("postgresql://postgres@/d?host=/tmp/a b&port=1", "postgresql://postgres@/d?host=/tmp/a%20b&port=1"),
    ],
)
def test_database_urls_become_libpqs(given_url: str, expected: str) -> None:
    """Drivers of SQLAlchemy and the old scheme go; what libpq reads stays."""
    assert libpq_url(given_url) == expected


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("http://h:9", "http://h:9/metrics"),
        ("https://u:p@h/", "https://u:p@h/metrics"),
        ("http://h/gateway/metrics/", "http://h/gateway/metrics"),
    ],
)
def test_a_page_has_its_own_path_or_the_default_one(given_url: str, expected: str) -> None:
    """Without a slash at its end; credentials stay."""
    assert page_url(given_url, "here", "/metrics") == expected


@pytest.mark.parametrize("url", ["ftp://u:s3cret@h", "h:9", "http://", "http://u:s3cret@h:x", "http://u:s3cret@h/?a=1"])
def test_what_is_no_page_is_refused_without_its_password(url: str) -> None:
    """The setting is named."""
    with pytest.raises(ConfigError, match=r"^connection loadtest_llm: ") as caught:
        page_url(url, "connection loadtest_llm")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://h/d", "h/d", ""])
def test_another_database_is_refused(url: str) -> None:
    """Only PostgreSQL's schemes are taken."""
    with pytest.raises(ConfigError, match="expected postgresql://"):
        libpq_url(url)


@pytest.mark.parametrize("query", ["service=prod", "sslmode=require&serv%69ce=prod", "servicefile=/tmp/s3cret"])
def test_a_host_out_of_a_file_is_refused(query: str) -> None:
    """The allow-list would see another host than libpq connects to."""
    with pytest.raises(ConfigError, match="takes the host from a file") as caught:
        libpq_url(f"postgresql://u:s3cret@127.0.0.1/app?{query}")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("password", ["s3cret%zz", "pa@s3cret", "a%s3cret"])
def test_a_password_that_libpq_would_quote_is_refused_without_it(password: str) -> None:
    """The text says which signs to write otherwise; nothing of the password is in it, nor in what caused it."""
    with pytest.raises(ConfigError, match="write %25 for %") as caught:
        libpq_url(f"postgresql://user:{password}@127.0.0.1/app")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@given(st.text(alphabet=st.characters(codec="ascii", categories=("L", "N")), min_size=8))
def test_a_password_is_never_shown(password: str) -> None:
    """Neither before the host nor in a parameter."""
    secret = f"X{password}X"
    shown = redacted(f"postgresql://user:{secret}@db.example:5432/app?password={secret}&sslmode=require")
    assert secret not in shown
    assert shown == "postgresql://user:***@db.example:5432/app?password=***&sslmode=require"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at postgresql://app:s3@cret@db:5432/app, then", "at postgresql://app:***@db:5432/app, then"),
        ('{"url": "redis://:s3:cret@127.0.0.1:6379/0"}', '{"url": "redis://:***@127.0.0.1:6379/0"}'),
        ("x?sslmode=require&amp;password=s3cret'", "x?sslmode=require&amp;password=***'"),
        ("x?a=b\\u0026sslpassword=s3cret&c=d", "x?a=b\\u0026sslpassword=***&c=d"),
        ("http://127.0.0.1:8000/a mail me@example.org", "http://127.0.0.1:8000/a mail me@example.org"),
        ('"http://a:80", "me@example.org"', '"http://a:80", "me@example.org"'),
        ("postgresql://u:s3/c#r?et@db/app", "postgresql://u:***@db/app"),
        ("postgresql://u:p%40s3cret@db and redis://:p@s3cret@c", "postgresql://u:***@db and redis://:***@c"),
        ("a://u:s3cret/x@h,b://v:s3cret@g", "a://u:***@h,b://v:***@g"),
        ("https://h/x?Token=s3cret&access_token=s3cret#a", "https://h/x?Token=***&access_token=***#a"),
        ("u=redis%3A%2F%2Fu%3As3cret%40h%3Fpassword%3Ds3cret", "u=redis%3A%2F%2Fu%3A***%40h%3Fpassword%3D***"),
        ("https://h/x?max_tokens=5&design=1", "https://h/x?max_tokens=5&design=1"),
        (
            "http://[::1]:8000/me@h http://h:8000/?q=me@example.org",
            "http://[::1]:8000/me@h http://h:8000/?q=me@example.org",
        ),
    ],
)
def test_no_address_in_a_text_keeps_its_password(text: str, expected: str) -> None:
    """Wherever it stands, and nothing else is changed."""
    assert without_passwords(text) == expected


def test_a_parameter_that_holds_a_secret_is_redacted_too() -> None:
    """By its name, as in a text."""
    assert redacted("https://h/x?access_token=s3cret&a=b") == "https://h/x?access_token=***&a=b"


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("ftp://127.0.0.1", "no http"),
        ("127.0.0.1:8000", "no http"),
        ("http://", "no http"),
        ("http://user:secret@127.0.0.1", "credentials"),
        ("http://127.0.0.1/api", "path"),
        ("http://127.0.0.1:notaport", "not a URL"),
    ],
)
def test_a_base_url_is_scheme_host_and_port(url: str, wrong: str) -> None:
    """Everything else is refused in one line that shows no password."""
    with pytest.raises(ConfigError, match=wrong) as caught:
        split_base_url(url, "connection loadtest_target")
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("connection loadtest_target: ")


@pytest.mark.parametrize(
    "url",
    [
        *("http://2130706433", "http://0x7f000001", "http://0177.0.0.1", "http://127.1", "http://127.0.0.0x1"),
        *("http://0", "http://127.0.0.1:0", "http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]", "http://[fe80::1%25eth0]"),
        *("http://[fe80::1%eth0]", "http://127.0.0.1\\@evil", "http://127.0.0.1\\.evil", "http://evil#@127.0.0.1/"),
        *("http://127.0.0.1:80@evil", "http://127.0.0.1%2f@evil", "http://127.0.0.1%00.evil", "http://127.0.0.1%0d%0a"),
        *("http://127.0.0.1/../x", "http://127.0.0.1;evil", "http://127.0.0.1,evil", "http://ⓛocalhost", "http://127。0。0。1"),
        *("http://локалхост", "http://a..b", "http://-a", "http://*.a", "http://" + 64 * "a", "http://" + 130 * "a."),
        *("http:///127.0.0.1", "http:127.0.0.1", "//127.0.0.1", "file:///etc/passwd", "gopher://127.0.0.1", "http://[::1"),
        *("http://127.0.0.1\x00", "http://local host", "http://127.0.0.1:8000:9000", "http://[127.0.0.1]"),
        *("http://user@127.0.0.1", "http://:p@127.0.0.1", "http://@127.0.0.1"),
    ],
)
def test_what_programs_read_differently_is_no_base_url(url: str) -> None:
    """Other spellings of an address, marks that end a host for some, zones, names that are not ASCII: one line."""
    with pytest.raises(ConfigError) as caught:
        split_base_url(url, "here")
    assert str(caught.value).startswith("here: ")
    assert str(caught.value).isprintable()


def test_what_a_reader_strips_is_gone_before_the_check() -> None:
    """Line ends and tabs never reach a request: what is checked is what is used."""
    assert split_base_url(" http://127.0.0.1\r\n\t:80\n", "x") == ("http://127.0.0.1:80", "127.0.0.1", 80)
    assert split_base_url("http://127.0.0.1\r\n.evil.example", "x")[1] == "127.0.0.1.evil.example"


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "169.254.169.254", "localhost.evil", "::", "127.0.0.2", "127.0.0.1.evil"],  # noqa: S104 - none is bound
)
def test_loopback_is_no_more_than_what_is_listed(host: str) -> None:
    """Every address of this machine, a cloud's metadata, names that begin alike."""
    assert not is_allowed(host, 80, ["127.0.0.1", "localhost", "::1"])


@pytest.mark.parametrize("entry", ["0.0.0.0/0", "::/0"])
def test_a_list_that_allows_every_host_is_none(entry: str) -> None:
    """Whoever wants it has to name networks."""
    with pytest.raises(ValueError, match="every host"):
        split_entry(entry)


def test_a_base_url_is_normalised() -> None:
    """A closing slash and a closing dot go, the scheme's port is known."""
    assert split_base_url("http://LocalHost./", "x") == ("http://localhost", "localhost", 80)
    assert split_base_url("https://[::1]:8443", "x") == ("https://[::1]:8443", "::1", 8443)


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", 8000, True),
        ("127.0.0.1:8000", "127.0.0.1", 8000, True),
        ("127.0.0.1:8000", "127.0.0.1", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]:8000", "::1", 8000, True),
        ("[::1]:8000", "::1", 80, False),
        ("10.1.0.0/16", "10.1.2.3", 80, True),
        ("10.1.0.0/16", "10.2.2.3", 80, False),
        ("staging.example", "STAGING.example", 80, True),
        ("example", "evil-example", 80, False),
        ("127.0.0.1", "2130706433", 80, False),
    ],
)
def test_the_allow_list_covers_what_it_names(entry: str, host: str, port: int, allowed: bool) -> None:
    """Names and addresses exactly, networks by membership, a port where one is given."""
    assert is_allowed(host, port, [entry]) is allowed


@pytest.mark.parametrize("entry", ["host:99999", "host:x", "[::1"])
def test_a_malformed_entry_is_refused(entry: str) -> None:
    """An entry that is no host says so."""
    with pytest.raises(ValueError, match=r"port|address"):
        split_entry(entry)
