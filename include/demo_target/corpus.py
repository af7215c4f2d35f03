"""The knowledge base: generated Italian regulations, the same on every machine, and their full-text index."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

DOCUMENTS = 12_000
SEED = 20_240_101
INDEX = "regulations_search_idx"
CREATE_INDEX = (
    f"CREATE INDEX IF NOT EXISTS {INDEX} ON regulations USING gin (to_tsvector('italian', title || ' ' || body)); "
    "ALTER TABLE regulations RESET (parallel_workers)"
)
# Read by one process only, the table takes the same time whatever else the machine does.
DROP_INDEX = f"DROP INDEX IF EXISTS {INDEX}; ALTER TABLE regulations SET (parallel_workers = 0)"
COLUMNS = ("id", "title", "regulation_type", "authority", "number", "publication_date", "subjects", "body")

# (kind, authority, beginning of the title)
SOURCES = (
    ("circolare", "Agenzia delle Entrate", "Circolare Agenzia Entrate {year} n. {number}/E"),
    ("risoluzione", "Agenzia delle Entrate", "Risoluzione Agenzia Entrate {year} n. {number}/E"),
    ("provvedimento", "Agenzia delle Entrate", "Provvedimento del Direttore {year} prot. {number}"),
    ("normativa", "Gazzetta Ufficiale", "Normativa {topic} {year} n. {number}"),
    ("decreto", "Ministero dell'Economia", "Decreto ministeriale {year} n. {number}"),
    ("circolare_inps", "INPS", "Circolare INPS {year} n. {number}"),
    ("sentenza", "Corte di Cassazione", "Sentenza Cassazione {year} n. {number}"),
)
TOPICS = (
    "fatturazione elettronica", "regime forfettario", "IVA", "IRPEF", "IMU", "IRES", "IRAP", "ritenuta d'acconto",
    "detrazioni fiscali", "superbonus edilizia", "contributi previdenziali", "dichiarazione dei redditi", "modello F24",
    "modello 730", "certificazione unica", "startup innovative", "trasformazione societaria", "plusvalenze",
    "successioni e donazioni", "crediti d'imposta", "reverse charge", "split payment", "esterometro", "bollo virtuale",
    "transfer pricing", "ravvedimento operoso", "rottamazione delle cartelle", "antiriciclaggio", "welfare aziendale",
    "lavoro autonomo",
)  # fmt: skip
SENTENCES = (
    "Il contribuente presenta la comunicazione entro il {day} {month} mediante i servizi telematici.",
    "La disciplina in materia di {topic} si applica ai soggetti residenti nel territorio dello Stato.",
    "Sono esclusi dall'adempimento i soggetti con ricavi inferiori a {amount} euro.",
    "L'aliquota del {rate} per cento si applica alla base imponibile determinata ai sensi dell'articolo {article}.",
    "In caso di omesso versamento è dovuta la sanzione prevista, ridotta mediante {topic}.",
    "I chiarimenti riguardano {topic} e {other}, con riferimento al periodo d'imposta {year}.",
    "Gli uffici verificano la corretta applicazione delle disposizioni e forniscono assistenza agli intermediari.",
    "Per {other} restano ferme le istruzioni già fornite con i documenti di prassi precedenti.",
)
MONTHS = ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "settembre", "ottobre", "novembre")


def regulations(count: int = DOCUMENTS, seed: int = SEED) -> Iterator[tuple[Any, ...]]:
    """Rows in the order of `COLUMNS`; the same `seed` gives the same rows."""
    rng = random.Random(seed)
    for number in range(1, count + 1):
        kind, authority, title = rng.choice(SOURCES)
        topic, other = rng.sample(TOPICS, 2)
        day = date(2015, 1, 1) + timedelta(days=rng.randrange(3650))
        words = {"topic": topic, "other": other, "year": day.year, "number": number}
        head = title.format(**words)
        yield (
            number,
            f"{head} - {topic}",
            kind,
            authority,
            f"{number}/{day.year}",
            day,
            [topic, other],
            _body(rng, words),
        )


def _body(rng: random.Random, words: dict[str, Any]) -> str:
    return " ".join(
        sentence.format(
            **words,
            day=rng.randrange(1, 29),
            month=rng.choice(MONTHS),
            amount=rng.randrange(5, 85) * 1000,
            rate=rng.choice((4, 5, 10, 22, 23, 35, 43)),
            article=rng.randrange(1, 180),
        )
        for sentence in rng.sample(SENTENCES, 5)
    )


async def load(connection: Any) -> None:
    """Fill the empty knowledge base and build its index; a filled one keeps its rows."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM regulations)"):
        await connection.copy_records_to_table("regulations", records=regulations(), columns=COLUMNS)
    await connection.execute(CREATE_INDEX)
    await connection.execute("ANALYZE regulations")
