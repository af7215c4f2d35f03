"""A 200 is not an answer."""

import pytest

from include.loadtest.scenarios.checks import (
    REFUSED_WITH_REASON,
    check_answer,
    check_keys,
    check_search,
    check_tax,
    check_upload,
    check_upload_at_once,
    fingerprint,
)

pytestmark = pytest.mark.unit
USEFUL = "L'aliquota ordinaria è del 22 per cento."


@pytest.mark.parametrize(
    ("text", "done", "error"),
    [
        (USEFUL, True, None),
        (USEFUL, False, "answer: stream ended before done"),
        ("Sì.", True, "answer: shorter than a useful answer"),
        ("", True, "answer: shorter than a useful answer"),
        (
            "Si è verificato un errore nella generazione della risposta. Prova a riformulare la domanda.",
            True,
            "answer: the target's error sentence",
        ),
    ],
)
def test_a_chat_answer_is_useful_and_complete(text: str, done: bool, error: str | None) -> None:
    """The target's own error sentence, an unfinished stream and a word are no answers."""
    assert check_answer(text, done=done) == error


@pytest.mark.parametrize(
    ("body", "expected_eur", "error"),
    [
        ({"tax_amount": 9150.23}, 9150.0, None),
        ({"tax_amount": 9151.01}, 9150.0, "tax: off by more than 1 euro"),
        ({"tax_amount": True}, 1.0, "tax: no amount in the answer"),
        ({"tax_amount": "9150"}, 9150.0, "tax: no amount in the answer"),
        ({"calculation": {"imposta_dovuta": 655.2}}, 655.2, None),
        ({"calculation": {}}, 655.2, "tax: no amount in the answer"),
        ({"calculation": {"totale": 1}}, None, None),
        ({}, None, "tax: no calculation in the answer"),
        ([], 1.0, "tax: not a JSON object"),
        (None, None, "tax: not a JSON object"),
    ],
)
def test_a_tax_is_right_within_a_euro(body, expected_eur, error) -> None:
    """The rule's cents may be off; a call whose rule is not known is checked for its shape."""
    assert check_tax(body, expected_eur) == error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"success": True, "uploaded_documents": [{}]}, None),
        ({"success": False, "uploaded_documents": []}, "upload: refused (success is not true)"),
        ({"success": True, "uploaded_documents": []}, "upload: not one document for each file"),
        ({"success": True}, "upload: not one document for each file"),
        (None, "upload: not a JSON object"),
    ],
)
def test_an_upload_needs_one_document_for_each_file(body, error) -> None:
    """A refused file comes back with status 200."""
    assert check_upload(body, files=1) == error


def test_a_search_needs_its_list_and_total() -> None:
    """An empty list is an answer; no list is none."""
    assert check_search({"regulations": [], "total": 0}) is None
    assert check_search({"regulations": None, "total": 0}) is not None
    assert check_search("x") is not None


def test_missing_keys_are_named() -> None:
    """The first missing key."""
    assert check_keys({"id": 1}, ("id", "email")) == "answer: email missing"
    assert check_keys({"id": 1, "email": ""}, ("id", "email")) is None


def test_a_fingerprint_is_bounded_and_masks_what_varies() -> None:
    """Two errors that differ in ids and numbers are one; control characters and length are tamed."""
    one = fingerprint("row 17 of 3f2b7c1a-0000-4000-8000-000000000001 failed\n\x1b[31m")
    other = fingerprint("row 99 of aaaaaaaa-0000-4000-8000-00000000ffff failed\n\x1b[31m")
    assert one == other
    assert "\x1b" not in one
    assert len(fingerprint("x" * 10_000)) == 120


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"success": True, "uploaded_documents": [{}]}, None),
        ({"success": True, "uploaded_documents": []}, "upload: not one document for each file"),
        ({"success": False, "errors": [{"error": "503: busy"}]}, REFUSED_WITH_REASON),
        ({"success": False, "errors": []}, "upload: refused (success is not true)"),
        ({"success": None, "errors": ["x"]}, "upload: refused (success is not true)"),
        (None, "upload: not a JSON object"),
    ],
)
def test_an_upload_beside_others_is_taken_or_refused_with_a_reason(body: object, error: str | None) -> None:
    """A refusal that says nothing leaves its sender alone."""
    assert check_upload_at_once(body) == error
