"""What users type."""

import pytest

from include.loadtest.scenarios.texts import question_pool, search_pool

pytestmark = pytest.mark.unit


def test_the_documents_own_questions_are_the_most_popular() -> None:
    """The spec's texts stand first, word for word."""
    assert question_pool("simple_query", 3) == (
        "Come calcolare l'IVA?",
        "Scadenze fiscali per SRL",
        "Regime forfettario requisiti",
    )
    assert question_pool("complex_query", 2) == (
        "Analizza le implicazioni fiscali di una SRL che diventa SPA",
        "Strategie di pianificazione fiscale per startup innovative",
    )
    assert search_pool()[:2] == ("Circolare Agenzia Entrate 2024", "Normativa fatturazione elettronica")


def test_a_pool_that_does_not_exist_is_refused() -> None:
    """More questions than there are texts is an error, not a shorter pool."""
    with pytest.raises(ValueError, match="only"):
        question_pool("simple_query", 10_000)
