"""The three kinds of Italian tax documents that users upload, as real PDF files of a few kilobytes."""

from functools import cache
from io import BytesIO
from typing import Literal

DocumentKind = Literal["fattura_elettronica", "f24", "dichiarazione_redditi"]
DOCUMENT_KINDS: tuple[DocumentKind, ...] = ("fattura_elettronica", "f24", "dichiarazione_redditi")

_LINES: dict[DocumentKind, tuple[str, ...]] = {
    "fattura_elettronica": (
        "FATTURA ELETTRONICA",
        "Tipo documento: TD01  Numero: 2024/118  Data: 15/03/2024",
        "Cedente: Esempio Servizi SRL  Partita IVA: IT00000000117",
        "Cessionario: Cliente di Prova SPA  Partita IVA: IT00000000125",
        "Imponibile: 1.000,00 EUR  Aliquota IVA: 22%  Imposta: 220,00 EUR",
        "Totale documento: 1.220,00 EUR  Pagamento: bonifico a 30 giorni",
    ),
    "f24": (
        "MODELLO DI PAGAMENTO UNIFICATO F24",
        "Contribuente: codice fiscale di prova  Anno di riferimento: 2024",
        "Sezione Erario  Codice tributo: 6099  Importo a debito: 1.540,00 EUR",
        "Sezione INPS  Causale: DPPI  Importo a debito: 820,00 EUR",
        "Sezione Regioni  Codice tributo: 3801  Importo a debito: 145,00 EUR",
        "Saldo finale: 2.505,00 EUR",
    ),
    "dichiarazione_redditi": (
        "DICHIARAZIONE DEI REDDITI - MODELLO 730/2024",
        "Quadro C: redditi di lavoro dipendente  35.000,00 EUR",
        "Quadro E: oneri detraibili  1.250,00 EUR",
        "Imposta lorda: 9.150,00 EUR  Detrazioni: 1.990,00 EUR",
        "Addizionale regionale: 560,00 EUR  Addizionale comunale: 245,00 EUR",
        "Differenza da trattenere: 312,00 EUR",
    ),
}


@cache
def document(kind: DocumentKind) -> bytes:
    """The PDF of a kind; the same bytes at every call."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    page = Canvas(buffer, pagesize=A4, invariant=True)
    for row, line in enumerate(_LINES[kind]):
        page.drawString(60, 780 - 22 * row, line)
    page.save()
    return buffer.getvalue()


def multipart(kind: DocumentKind, question: str) -> tuple[bytes, str]:
    """Body and content type of an upload of one document with a question about it."""
    boundary = f"----loadtest-{kind}"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="analysis_query"\r\n\r\n{question}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{kind}.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    return head.encode() + document(
        kind
    ) + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
