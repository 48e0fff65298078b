"""A report as a PDF file for the printer, drawn by WeasyPrint (the extra `makul[report]`).

WeasyPrint is imported when a file is drawn, because only this needs it, and it loads Pango. It gets
no network and no file: the page names none, and a fetcher without protocols would refuse it. The
file has tags for readers that do not see it (PDF/UA-1). The same page, fonts and versions give the
same bytes, but other fonts give others, so a PDF is not verified by its bytes: the page is.
"""

from typing import Final

_VARIANT: Final = "pdf/ua-1"


class PdfUnavailableError(Exception):
    """No PDF can be drawn on this machine. The message is the cause in the words of Python."""


def render_pdf(page: bytes) -> bytes:
    """Return the PDF of a page. Raises `PdfUnavailableError`."""
    try:
        from weasyprint import HTML  # noqa: PLC0415
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: a library of the system is missing
        raise PdfUnavailableError(str(error).splitlines()[0]) from None
    document = HTML(
        string=page.decode(), url_fetcher=URLFetcher(allowed_protocols=()), media_type="print"
    )
    drawn: bytes = document.write_pdf(pdf_variant=_VARIANT)
    return drawn
