"""The same page on A4, by WeasyPrint.

Belongs here: HTML → PDF, and what the system lacks for it. Not here: how it looks (estilo.css).
WeasyPrint draws text by Pango, which is the operating system's, and cuts fonts by HarfBuzz; it
could do without that, but then the moment stands in them.
"""

import importlib
import logging
import sys
import warnings
from types import ModuleType

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
        _library()
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
    weasyprint = _library()
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    nothing = weasyprint.urls.URLFetcher(allowed_protocols=[], fail_on_errors=True)
    return weasyprint.HTML(string=html, url_fetcher=nothing).write_pdf()


def _library() -> ModuleType:
    """WeasyPrint with all that it needs; another try may find what was installed since.

    Raises:
        CannotWrite: something is not on this system.
    """
    lacking = CannotWrite(
        f"falta o Pango, que escreve o PDF: instale {' '.join(PACKAGES)}, ou digite make report"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            weasyprint = importlib.import_module("weasyprint")
        except OSError:
            raise lacking from None
    if weasyprint.text.ffi.harfbuzz_subset is None:
        for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
            del sys.modules[name]
        raise lacking
    return weasyprint
