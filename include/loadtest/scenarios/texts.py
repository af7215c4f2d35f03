"""What users of PratikoAI ask, in Italian. The first texts of each kind are those of the load-testing document."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Literal

QuestionKind = Literal["simple_query", "complex_query"]

_OWN_SIMPLE = ("Come calcolare l'IVA?", "Scadenze fiscali per SRL", "Regime forfettario requisiti")
_SIMPLE_FORMS = (
    "Qual è l'aliquota prevista per {}?",
    "Quando si versa {}?",
    "Chi deve pagare {}?",
    "Come si calcola {}?",
    "Quali documenti servono per {}?",
    "Ci sono esenzioni per {}?",
    "Quali sanzioni per il mancato versamento: {}?",
    "Come si corregge un errore su {}?",
    "Dove si dichiara {}?",
    "Come si rateizza {}?",
    "Quale codice tributo si usa per {}?",
)
_TAXES = (
    "l'IVA sui servizi digitali",
    "l'IRPEF del lavoratore autonomo",
    "l'IMU sulla seconda casa",
    "l'IRES di una SRL",
    "l'IRAP",
    "l'imposta di registro",
    "l'imposta di bollo sulle fatture",
    "la cedolare secca",
    "la ritenuta d'acconto",
    "l'addizionale regionale",
    "l'addizionale comunale",
    "il contributo alla gestione separata",
    "la TARI del negozio",
    "il diritto camerale",
    "l'imposta sostitutiva del forfettario",
)
_OWN_COMPLEX = (
    "Analizza le implicazioni fiscali di una SRL che diventa SPA",
    "Strategie di pianificazione fiscale per startup innovative",
)
_COMPLEX_FORMS = (
    "Analizza le conseguenze fiscali e contabili di {} per {}",
    "Confronta le alternative per {} dal punto di vista di {}",
    "Descrivi passo per passo gli adempimenti di {} per {}",
    "Valuta i rischi di contestazione in caso di {} per {}",
    "Prepara una sintesi per il cliente su {} con esempi per {}",
    "Illustra normativa, prassi e giurisprudenza su {} con riguardo a {}",
    "Quali opportunità di risparmio offre {} per {}?",
)
_OPERATIONS = (
    "una scissione societaria",
    "un conferimento d'azienda",
    "una fusione per incorporazione",
    "la cessione di quote",
    "l'assegnazione di beni ai soci",
    "il passaggio dal regime forfettario all'ordinario",
    "l'apertura di una stabile organizzazione all'estero",
    "il credito d'imposta per ricerca e sviluppo",
    "la distribuzione di riserve",
    "il trasferimento della sede legale",
)
_SUBJECTS = (
    "una SRL con tre soci",
    "una startup innovativa",
    "una società cooperativa",
    "un'impresa familiare",
    "uno studio professionale associato",
    "una holding di partecipazioni",
    "un ente del terzo settore",
    "una ditta individuale artigiana",
    "una società agricola",
    "un libero professionista non residente",
)
RESULTS_WANTED = 10
"""So many results a search asks for."""
_OWN_SEARCHES = ("Circolare Agenzia Entrate 2024", "Normativa fatturazione elettronica")
_SEARCH_FORMS = ("circolare {}", "risoluzione {}", "normativa {}", "decreto {}")
_SEARCH_TOPICS = (
    "detrazioni edilizie",
    "reverse charge",
    "esterometro",
    "split payment",
    "bonus investimenti",
    "deduzione auto aziendali",
    "welfare aziendale",
    "dichiarazione IVA",
    "ravvedimento operoso",
    "contributi previdenziali",
)


NEW_QUESTION = "{question} Il caso riguarda la pratica {run_key}-{user}-{number}."


@cache
def question_pool(kind: QuestionKind, pool_size: int) -> tuple[str, ...]:
    """The first `pool_size` questions of a kind, most popular first. Raises ValueError for more than exist."""
    simple = kind == "simple_query"
    own = _OWN_SIMPLE if simple else _OWN_COMPLEX
    made = _filled(_SIMPLE_FORMS, _TAXES) if simple else _filled(_COMPLEX_FORMS, _OPERATIONS, _SUBJECTS)
    return _first([*own, *made], pool_size)


def new_question(question: str, run_key: int, user: int, number: int) -> str:
    """A question of the pool made new by the case it is about; equal arguments give equal texts."""
    return NEW_QUESTION.format(question=question, run_key=run_key, user=user, number=number)


@cache
def search_pool() -> tuple[str, ...]:
    """Search texts, most popular first."""
    return (*_OWN_SEARCHES, *_filled(_SEARCH_FORMS, _SEARCH_TOPICS))


def _filled(forms: Sequence[str], *fillings: Sequence[str]) -> list[str]:
    """All combinations; neighbours differ in the last filling's topic, so a small pool is not one form repeated."""
    combinations = product(*reversed(fillings), forms)
    return [form.format(*reversed(words)) for *words, form in combinations]


def _first(texts: Sequence[str], count: int) -> tuple[str, ...]:
    if count > len(texts):
        raise ValueError(f"only {len(texts)} questions of this kind exist; {count} were asked for")
    return tuple(texts[:count])
