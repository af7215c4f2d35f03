import jwt
import pytest

from tests.helpers.demo import PASSWORD, DemoTarget

pytestmark = pytest.mark.integration

SESSION = "/api/v1/auth/session"


def test_sixth_session_drops_the_oldest(demo: DemoTarget) -> None:
    """Five sessions live at once; with the sixth the first one's token gets 404, the others still work."""
    demo.add_user("six@pratikoai.it")
    user = demo.login("six@pratikoai.it")
    sessions = [demo.session(user) for _ in range(6)]
    statuses = []
    with demo.client() as client:
        for session in sessions:
            answer = client.get("/api/v1/payments/invoices", headers={"authorization": f"Bearer {session}"})
            statuses.append(answer.status_code)
    assert statuses == [404, 200, 200, 200, 200, 200]


def test_five_wrong_passwords_lock_the_account(demo: DemoTarget) -> None:
    """The sixth login is refused with 423 even though its password is right."""
    demo.add_user("locked@pratikoai.it")
    with demo.client() as client:
        wrong = [
            client.post("/api/v1/auth/login", data={"username": "locked@pratikoai.it", "password": "x"}).status_code
            for _ in range(5)
        ]
        right = client.post("/api/v1/auth/login", data={"username": "locked@pratikoai.it", "password": PASSWORD})
    assert wrong == [401] * 5
    assert right.status_code == 423


def test_tokens_are_valid_for_two_hours(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """User and session tokens end two hours after they were issued."""
    del demo
    for token in tokens:
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 7200


def test_session_token_is_no_user_token(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """Where a user token is needed a session token is refused."""
    with demo.client(authorization=f"Bearer {tokens[1]}") as client:
        assert client.get("/api/v1/users/me").status_code == 401
        assert client.post(SESSION).status_code == 401


def test_registered_account_can_log_in_and_refresh_once(demo: DemoTarget) -> None:
    """A registration gives tokens, the password logs in, and a refresh token is used up by its use."""
    account = {"email": "new@pratikoai.it", "password": PASSWORD}
    with demo.client() as client:
        made = client.post("/api/v1/auth/register", json=account).raise_for_status().json()
        assert set(made) == {"id", "email", "access_token", "refresh_token", "token_type", "expires_at"}
        again = {"refresh_token": made["refresh_token"]}
        assert client.post("/api/v1/auth/refresh", json=again).status_code == 200
        assert client.post("/api/v1/auth/refresh", json=again).status_code == 401
    assert demo.login("new@pratikoai.it")


def test_seeded_account_gets_one_studio_when_it_is_needed(demo: DemoTarget) -> None:
    """An account inserted by SQL has no studio; the first look at its profile makes one, which stays."""
    demo.add_user("studio@pratikoai.it")
    assert demo.sql("""SELECT studio_id FROM "user" WHERE email = 'studio@pratikoai.it'""") == [(None,)]
    with demo.client(authorization=f"Bearer {demo.login('studio@pratikoai.it')}") as client:
        first, second = (client.get("/api/v1/users/me").json()["studio_id"] for _ in range(2))
    assert first == second is not None


def test_deleting_an_account_needs_its_rows_gone_first(demo: DemoTarget) -> None:
    """No delete cascades from the account: whoever seeds users has to clean up after them."""
    rules = demo.sql(
        """SELECT conrelid::regclass::text, confdeltype::text FROM pg_constraint
        WHERE contype = 'f' AND confrelid = '"user"'::regclass ORDER BY 1"""
    )
    assert rules == [(table, "a") for table in ("chat_messages", "documents", "session", "tax_calculations")]
