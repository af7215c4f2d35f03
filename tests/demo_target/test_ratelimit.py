import pytest

from include.demo_target.ratelimit import RateLimiter, client_address

pytestmark = pytest.mark.unit


def test_window_ends_and_addresses_are_apart() -> None:
    """Within a minute the 21st login of an address is refused; the next minute and another address are free."""
    limiter = RateLimiter()
    refused = [limiter.exceeded("login", "198.51.100.1", 120.0 + n) for n in range(21)]
    assert refused[:20] == [None] * 20
    assert refused[20] is not None
    assert limiter.exceeded("login", "198.51.100.2", 140.0) is None
    assert limiter.exceeded("login", "198.51.100.1", 180.0) is None


def test_calls_without_a_limit_are_never_refused() -> None:
    """An upload has no limit of its own."""
    limiter = RateLimiter()
    assert {limiter.exceeded("documents_upload", "198.51.100.1", 0.0) for _ in range(500)} == {None}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [("", "127.0.0.1"), ("198.51.100.9", "198.51.100.9"), ("198.51.100.9, 10.0.0.1", "198.51.100.9")],
)
def test_first_forwarded_address_counts(forwarded: str, address: str) -> None:
    """The first address of X-Forwarded-For counts, without one the peer's."""
    assert client_address(forwarded, "127.0.0.1") == address
