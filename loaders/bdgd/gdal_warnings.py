"""What GDAL says while it reads: heard in every thread, harmless or a reason to refuse.

Belongs here: GDAL's error handler and the list of harmless messages. Not here: reading a layer.
"""

import ctypes
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pyogrio._err

from loaders.errors import InvalidInput

log = logging.getLogger(__name__)

_WARNING, _FAILURE = 2, 3
_VECTOR = 0x04
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int, ctypes.c_char_p)

HARMLESS = re.compile(
    "|".join(
        [
            # Fields that we do not read, defaults that only an editor would use.
            r"^For field .*, XML definition mentions .* as default value",
            # A hint for software that edits: the rows are whole, and they are counted.
            r"^A corruption in the header of .* has been detected",
            # Domains and relationships between tables: none of them is landed.
            r"^(Cannot find (root 'Domain'|root 'Relationship'|OriginClassName"
            r"|DestinationClassNames|OriginClassKeys)|Unsupported (field )?type (for|of))",
            # An index only speeds up queries that we do not make.
            r"^(Cannot use .*\.spx|Strange \(deleted\?\) index descriptor"
            r"|Index defined for field|There is already one index defined)",
            r"^\.gdbindexes v9 not handled yet",
        ]
    )
)
"""Messages of GDAL 3.12's OpenFileGDB driver after which no row or value is missing."""


@cache
def _gdal() -> ctypes.CDLL:
    """The GDAL that pyogrio brings."""
    library = ctypes.CDLL(pyogrio._err.__file__)
    library.CPLPushErrorHandler.argtypes = [_HANDLER]
    library.CPLPushErrorHandler.restype = None
    library.GDALOpenEx.argtypes = [ctypes.c_char_p, ctypes.c_uint, *[ctypes.c_void_p] * 3]
    library.GDALOpenEx.restype = ctypes.c_void_p
    library.GDALClose.argtypes = [ctypes.c_void_p]
    # What pyogrio echoes in English is told in ours, or known to be harmless.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"(pyogrio|contextlib)\b")
    return library


@contextmanager
def refused(file: str, *, what: str = "geodatabase") -> Iterator[None]:
    """Refuse a file of which GDAL says, in this thread and meanwhile, anything but harmless.

    Pyogrio passes warnings to Python only in the thread that imported it, where ``warnings`` loses
    them again when other threads record theirs; so GDAL itself is asked, thread by thread. What a
    generator reads belongs inside step by step, as another thread may take the next one.

    Args:
        file: what the message calls it.
        what: the kind of file, feminine in Portuguese.

    Raises:
        InvalidInput: quotes GDAL.
    """
    heard: list[str] = []

    def note(kind: int, _: int, message: bytes) -> None:
        if kind in (_WARNING, _FAILURE):
            heard.append(message.decode("utf-8", "replace"))

    handler = _HANDLER(note)
    _gdal().CPLPushErrorHandler(handler)
    try:
        yield
    finally:
        _gdal().CPLPopErrorHandler()
    texts = list(dict.fromkeys(heard))
    if serious := [text for text in texts if not HARMLESS.search(text)]:
        raise InvalidInput(
            f"{file}: {what} danificada ou incompleta, o GDAL avisa: «{short(serious[0])}»;"
            " baixe o arquivo de novo, ou peça-o à distribuidora"
        )
    for text in texts:
        log.info("%s: o GDAL avisa, sem perda: «%s»", file, short(text))


def short(message: object) -> str:
    """One line, without the folder that a zip was unpacked to."""
    return re.sub(r"/\S+/(?=[^/\s]+)", "", " ".join(str(message).split()))[:300]


def open_once(folder: Path) -> None:
    """Open and close a geodatabase: pyogrio keeps to itself what GDAL warns of while it opens."""
    drivers = (ctypes.c_char_p * 2)(b"OpenFileGDB", None)
    if dataset := _gdal().GDALOpenEx(str(folder).encode(), _VECTOR, drivers, None, None):
        _gdal().GDALClose(dataset)
