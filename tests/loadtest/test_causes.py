import pytest

from include.loadtest.causes import CAUSES

pytestmark = pytest.mark.unit


def test_each_cause_is_told_apart_from_the_others() -> None:
    """Names are unique words for programs, titles and meanings are for people."""
    assert all(name == cause.cause and name.isidentifier() for name, cause in CAUSES.items())
    for of in ("title", "meaning"):
        texts = [getattr(cause, of) for cause in CAUSES.values()]
        assert len(set(texts)) == len(texts)
    assert all(cause.meaning.endswith(".") for cause in CAUSES.values())
