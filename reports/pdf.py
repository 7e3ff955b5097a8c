"""The same page on A4, by WeasyPrint.

Belongs here: HTML → PDF, and what the system lacks for it. Not here: how it looks (estilo.css).
WeasyPrint draws text by Pango, which is the operating system's.
"""

import logging

from server import system_packages

PACKAGES = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"]


class CannotWrite(Exception):
    """No PDF here; the message says what to install."""


def install() -> None:
    """Install what is missing, if anything is.

    Raises:
        CannotWrite: it is missing, and we may not install it.
    """
    try:
        written("")
    except CannotWrite:
        try:
            system_packages.install(PACKAGES)
        except system_packages.CannotInstall as error:
            raise CannotWrite(f"falta o Pango, que escreve o PDF: {error}") from None


def written(html: str) -> bytes:
    """The PDF of a page; the same bytes for the same page.

    Raises:
        CannotWrite: Pango is not on this system.
    """
    try:
        import weasyprint
    except OSError:
        raise CannotWrite(
            f"falta o Pango, que escreve o PDF: instale {' '.join(PACKAGES)}, ou digite make report"
        ) from None
    logging.getLogger("weasyprint").setLevel(logging.ERROR)

    def refuse(url: str) -> None:
        raise ValueError(f"a página pede {url}")

    return weasyprint.HTML(string=html, url_fetcher=refuse).write_pdf()
