"""Which safras a ``_pj`` CSV holds, told by DIST and DATA_BASE, and the rows that are of none.

Belongs here: what of a file's keys is refused. Not here: counting them (csv_census.py).
"""

import re

from loaders.bdgd.columns import whole_number
from loaders.bdgd.csv_census import Census
from loaders.errors import InvalidInput
from loaders.safra import Safra, read_date

_NUMBER_OR_DATE = re.compile(r"[-\d.,]{1,8}$|\d{1,4}[-/]\d{1,2}[-/]\d{1,4}|\d{1,2}[A-Za-z]{3}\d{4}")
"""No longer than a DIST or a DATA_BASE: a CPF is a number too."""
_MALFORMED_SHARE = 0.1
"""Of the records: with more of them misshapen the file is not what it says (as in regras.py)."""


def of(
    census: Census, filename: str, *, dated: bool, asked: Safra | None
) -> tuple[dict[tuple[str, str], Safra], dict[tuple[str, str], str]]:
    """Key as written → safra, one per distributor and year, with its latest base date.

    Then the keys of which none can be made, each with the reason.
    """
    if not dated and asked is None:
        raise InvalidInput(f"{filename}: sem coluna DATA_BASE; informe --safra, como 401-2024")
    rows_read: dict[tuple[str, str], Safra] = {}
    lost: dict[tuple[str, str], str] = {}
    for dist, text in census.keys:
        code = whole_number(dist)
        data_base = read_date(text) if dated else asked and asked.data_base
        if code is None or data_base is None:
            column, cell = ("DIST", dist) if code is None else ("DATA_BASE", text)
            lost[dist, text] = f"{column} {'ilegível' if cell.strip() else 'em branco'}"
            continue
        try:
            rows_read[dist, text] = Safra.from_date(code, data_base)
        except InvalidInput as error:
            lost[dist, text] = str(error)
    latest = {safra: safra for safra in sorted(rows_read.values(), key=lambda s: s.data_base)}
    single = {safra.key: safra for safra in latest.values()}
    return {written: single[safra.key] for written, safra in rows_read.items()}, lost


def refuse_misshapen(census: Census, filename: str) -> None:
    """A file without records, cut in one, or of which many have other fields than the header.

    Raises:
        InvalidInput: says which.
    """
    bad = census.malformed.total()
    if not census.records:
        raise InvalidInput(f"{filename}: nenhuma linha; baixe o arquivo de novo")
    if census.cut:
        raise InvalidInput(
            f"{filename}: CSV malformado: a última linha para no meio, o arquivo veio cortado;"
            " baixe o arquivo de novo"
        )
    if bad > _MALFORMED_SHARE * census.records:
        raise InvalidInput(
            f"{filename}: CSV malformado: {bad} de {census.records} linhas não têm os campos do"
            " cabeçalho; baixe o arquivo de novo"
        )


def refuse_many_lost(
    census: Census, lost: dict[tuple[str, str], str], columns: tuple[str, ...], filename: str
) -> None:
    """Rows of no safra are rejected one by one while they are few.

    Raises:
        InvalidInput: they are many, or one is a header of other columns than the first.
    """
    names = {column.casefold() for column in columns}
    if any(dist.strip().casefold() in names for dist, _ in lost):
        raise InvalidInput(
            f"{filename}: no meio do arquivo há outro cabeçalho, de outras colunas; separe os"
            " arquivos que foram juntados e carregue cada um"
        )
    count = sum(census.keys[key] for key in lost)
    if count > _MALFORMED_SHARE * census.records:
        dist, date = key = max(lost, key=lambda key: census.keys[key])
        said = f"({_without_text(dist)}, {_without_text(date)})"
        raise InvalidInput(
            f"{filename}: {count} de {census.records} linhas com DIST ou DATA_BASE ilegível {said}:"
            f" {lost[key]}; corrija o arquivo"
        )


def _without_text(cell: str) -> str:
    """A key cell for a message: text in it is another column's, of a row that lost its shape."""
    if found := _NUMBER_OR_DATE.match(cell.strip()):
        return repr(found[0])
    return "outro texto" if cell.strip() else "vazio"
