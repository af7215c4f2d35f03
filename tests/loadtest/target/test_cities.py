"""Which postal codes a target knows."""

import pytest

from include.loadtest.target.cities import known_caps
from include.loadtest.target.sessions import Session

pytestmark = pytest.mark.integration


def test_the_first_known_code_of_each_city_is_used(demo, target) -> None:
    """A city without a known code is left out."""
    demo.add_user("cities@pratikoai.it")
    token = demo.login("cities@pratikoai.it")
    session = Session(1, token, demo.session(token), None, 0.0)
    found = known_caps(
        target, session, 1, "run", {"Milano": ("20121",), "Roma": ("99999", "00184"), "Bari": ("70121",)}
    )
    demo.sql("DELETE FROM session")
    demo.sql("""DELETE FROM "user" WHERE email = 'cities@pratikoai.it'""")
    assert found == {"Milano": "20121", "Roma": "00184"}
