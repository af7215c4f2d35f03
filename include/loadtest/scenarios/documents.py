"""Italian tax documents as real PDF files: three kinds of a few kilobytes, and scanned ones of a wanted size."""

import math
import random
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
    return _one_page(_LINES[kind])


_BYTES_A_SCAN = 250_000
_ENCODED = 1.2505
"""reportlab writes an image as Flate and ASCII85: five characters for four bytes, and noise does not compress."""
_BYTES_A_PAGE = 1_200
"""What a page needs besides its image."""


@cache
def scanned_document(size_bytes: int) -> bytes:
    """A tax return as a scanner gives it: pages of text, each with an image; its size is within 2 % of the wanted one.

    The images are noise, so nothing compresses away. The same bytes at every call. Takes about half a second of CPU for
    10 MB: ask for it before anything is measured.
    """
    from PIL import Image
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    pages = max(1, round(size_bytes / _BYTES_A_SCAN))
    side = math.isqrt(round((size_bytes / pages - _BYTES_A_PAGE) / _ENCODED))
    noise = random.Random(size_bytes)  # noqa: S311 - no secret
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True)
    for page in range(1, pages + 1):
        for row, line in enumerate((f"Pagina {page} di {pages}", *_LINES["dichiarazione_redditi"])):
            canvas.drawString(60, 780 - 22 * row, line)
        scan = Image.frombytes("L", (side, side), noise.randbytes(side * side))
        canvas.drawImage(ImageReader(scan), 60, 60, width=400, height=400)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def text_document(text: str) -> bytes:
    """A PDF of one page with one line of text."""
    return _one_page((text,))


def _one_page(lines: tuple[str, ...]) -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    page = Canvas(buffer, pagesize=A4, invariant=True)
    for row, line in enumerate(lines):
        page.drawString(60, 780 - 22 * row, line)
    page.save()
    return buffer.getvalue()


UPLOAD_QUESTION = "Riassumi il documento"
"""What an upload asks about its document."""


def multipart(kind: DocumentKind, question: str) -> tuple[bytes, str]:
    """Body and content type of an upload of one document with a question about it."""
    return multipart_of(f"{kind}.pdf", document(kind), question)


def multipart_of(filename: str, content: bytes, question: str) -> tuple[bytes, str]:
    """The same for any PDF; no content of ours holds the boundary."""
    boundary = f"----loadtest-{filename.removesuffix('.pdf')}"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="analysis_query"\r\n\r\n{question}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{filename}"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
