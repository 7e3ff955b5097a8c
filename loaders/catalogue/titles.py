"""A title of ANEEL's catalogue taken apart: ``Mux_Energia_401_2024-12-31_V11_20250806-1857``.

Belongs here: the grammar, and what is wrong with a title that has another. Not here: which item is
current, whether the distributor exists. What a title says is a prediction: BASE decides.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from loaders.errors import InvalidInput
from loaders.safra import Safra

_SUFFIX = re.compile(r"(\.gdb)?(\.zip)?$", re.IGNORECASE)
_TITLE = re.compile(
    r"(?P<sigla>.+?)_(?P<dist>\d{1,6})_(?P<base>\d{4}-\d{2}-\d{2})_(?P<model>[MV]\d{1,2})"
    r"(?:_(?P<sent>\d{8}(?:-\d{4,6})?))?",
    re.IGNORECASE,
)
_BASE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Title:
    """What a title says.

    Attributes:
        sigla: the distributor's acronym, as the title spells it.
        distribuidora_id: ANEEL's agent code.
        data_base: last day that the base should cover.
        modelo: ``M6``, ``M10``, ``V10``, ``V11``.
        sent_at: when the distributor sent it; None where the title does not say.
    """

    sigla: str
    distribuidora_id: int
    data_base: date
    modelo: str
    sent_at: datetime | None


class OddTitle(ValueError):
    """A title that does not say which base it is; the reason, in Portuguese."""


def bare(title: str) -> str:
    """A title without what makes a file's name of it."""
    return _SUFFIX.sub("", title.strip())


def parse(title: str) -> Title:
    """Take a title, or a file's name, apart.

    Raises:
        OddTitle: it does not say distributor, base date and model.
    """
    text = re.sub(r"\s+", "_", bare(title))
    found = _TITLE.fullmatch(text)
    if not found:
        raise OddTitle(_reason(text))
    try:
        base = date.fromisoformat(found["base"])
        safra = Safra.from_date(int(found["dist"]), base)
    except ValueError:
        raise OddTitle(f"data-base {found['base']} não existe") from None
    except InvalidInput as error:
        raise OddTitle(str(error)) from None
    return Title(
        found["sigla"], safra.distribuidora_id, base, found["model"].upper(), _sent(found["sent"])
    )


def _sent(text: str | None) -> datetime | None:
    """A moment that cannot be is none: the base is known by the rest."""
    digits = (text or "").replace("-", "").ljust(14, "0")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S") if text else None  # noqa: DTZ007 - no zone
    except ValueError:
        return None


def _reason(text: str) -> str:
    if not _BASE.search(text):
        return "título sem data-base (AAAA-MM-DD)"
    if not re.search(r"_\d{1,6}_\d{4}-\d{2}-\d{2}", text):
        return "título sem o código da distribuidora antes da data-base"
    if not re.search(r"\d{4}-\d{2}-\d{2}_[MV]\d{1,2}(?![A-Za-z0-9])", text, re.IGNORECASE):
        return "título sem o modelo (M10, V10, V11) depois da data-base"
    return "título fora da forma SIGLA_CÓDIGO_DATA-BASE_MODELO_ENVIO"
