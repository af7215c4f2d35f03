"""What the page is made of: the policy fits its texts, JSON cannot end its element."""

import base64
import hashlib
import json

import pytest
from jinja2 import UndefinedError

from include.loadtest.reporting.page.render import embedded_json, policy, render, scripts, style
from tests.helpers.report_pages import EVIL_END

pytestmark = pytest.mark.unit


def test_the_policy_names_exactly_the_texts_of_the_page() -> None:
    """Another script would not run; nothing may be fetched but pictures within the page."""
    for text in (*scripts(), style()):
        digest = base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy(style(), scripts())
    assert policy(style(), scripts()).startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy(style(), scripts())


def test_no_text_of_the_page_ends_its_element_or_names_another_host() -> None:
    """But the line of uPlot that says where it is from."""
    for text in (*scripts(), style()):
        assert "</script" not in text
        assert "</style" not in text
        assert "url(" not in text
    assert sum("https://" in text for text in (*scripts(), style())) == 1


def test_embedded_json_is_the_same_content_and_no_markup() -> None:
    """Floats keep five digits, times of today milliseconds."""
    content = {"text": EVIL_END, "t": [1_795_723_200.123456], "value": 0.123456789, "none": None, "yes": True}
    text = embedded_json(content)
    assert "<" not in text
    assert json.loads(text) == content | {"t": [1_795_723_200.123], "value": 0.12346}
    with pytest.raises(ValueError, match="JSON"):
        embedded_json({"value": float("nan")})


def test_a_value_that_a_template_misses_is_an_error() -> None:
    """A page with a hole is none."""
    with pytest.raises(UndefinedError):
        render("report.html.jinja", report={"verdict": "PASS"})
