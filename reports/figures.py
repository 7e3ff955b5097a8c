"""What a report says, asked of schema marts in one snapshot.

Belongs here: which queries (queries/*.sql), their parameters, refusals. Not here: how a figure
looks (words.py, charts.py, templates/).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from loaders.errors import InvalidInput
from loaders.snapshot import snapshot as of_one_moment
from reports.choice import Choice
from reports.period import Period

Row = Mapping[str, Any]
Figures = Mapping[str, Sequence[Row]]

OF_SAFRA = (
    *("resumo", "localizacao", "municipios", "ofertas", "leads", "excluidos", "perfis"),
    *("mapa_leads", "hexagonos", "contorno", "mensal", "conjuntos"),
    *("alimentadores", "balanco", "transformadores", "historia", "previsao", "previsao_series"),
    *("anomalias", "anomalias_maiores", "alertas_abertos", "camadas", "suprimidas"),
)
OF_DAYS = ("alertas_periodo", "publicadas_periodo", "mudancas_periodo", "aicss_periodo")
OF_PLACES = {
    "resumo": "resumo_municipios",
    "mensal": "mensal_municipios",
    "conjuntos": "qualidade_municipios",
    "hexagonos": None,
    "perfis": None,
    "alimentadores": None,
    "balanco": None,
    "transformadores": None,
    "historia": None,
    "previsao": None,
    "aicss_periodo": None,
}
"""Query → what is asked instead of municípios; none: no mart says it of one."""
LIMITS = {"leads": 8, "lugares": 3000, "hexagonos": 1500}
"""What fits on paper: positions of an offer, discs of a map, cells of a map."""

SHOWN = 20
"""Municípios that a refusal names."""


@dataclass(frozen=True)
class Safra:
    """A published safra."""

    distribuidora_id: int
    ano: int
    distribuidora: str
    publicada_em: datetime
    newest: bool

    @property
    def key(self) -> str:
        """As people type it."""
        return f"{self.distribuidora_id}-{self.ano}"


@contextmanager
def snapshot(conn: psycopg.Connection) -> Iterator[None]:
    """One moment's figures, with twelve digits.

    The last ones of a sum depend on the order in which it was added.
    """
    with of_one_moment(conn):
        conn.execute("set local extra_float_digits = -3")
        yield


def chosen(
    conn: psycopg.Connection, keys: Sequence[str], places: Sequence[int] = ()
) -> list[Safra]:
    """The published safras of these keys; of no key, each distributor's newest with these places.

    Raises:
        InvalidInput: none is published, or not one of these, or a município is not in them.
    """
    safras = _published(conn, keys)
    if not places:
        return safras
    of_safra = {safra: _places(conn, safra) for safra in safras}
    for safra, there in of_safra.items():
        if keys and (unknown := sorted({*places} - there.keys())):
            raise InvalidInput(_not_there(f"na safra {safra.key}", unknown, there))
    every = {code: name for there in of_safra.values() for code, name in there.items()}
    if unknown := sorted({*places} - every.keys()):
        raise InvalidInput(_not_there("nas safras mais novas", unknown, every))
    return [safra for safra, there in of_safra.items() if there.keys() & {*places}]


def _places(conn: psycopg.Connection, safra: Safra) -> dict[int, str]:
    query = (
        "select distinct municipio_id, municipio from marts.mart_lead_safra"
        " where ano = %s and distribuidora_id = %s and municipio_id is not null"
        " order by municipio, municipio_id"
    )
    with conn.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(query, [safra.ano, safra.distribuidora_id]).fetchall())


def _not_there(where: str, unknown: Sequence[int], there: Mapping[int, str]) -> str:
    some = ", ".join(f"{code} {name}" for code, name in [*there.items()][:SHOWN])
    more = f" e mais {len(there) - SHOWN}" if len(there) > SHOWN else ""
    said = ", ".join(map(str, unknown))
    return f"{where} não há leads em {said}; há em: {some or 'nenhum município'}{more}"


def _published(conn: psycopg.Connection, keys: Sequence[str]) -> list[Safra]:
    if conn.execute("select to_regclass('marts.safra_publicada') is null").fetchone()[0]:
        raise InvalidInput(_NOTHING)
    published = [Safra(**row) for row in _asked(conn, "safras", {})]
    if not published:
        raise InvalidInput(_NOTHING)
    if not keys:
        return [safra for safra in published if safra.newest]
    by_key = {safra.key: safra for safra in published}
    if unknown := [key for key in keys if key not in by_key]:
        raise InvalidInput(
            f"safra não publicada: {', '.join(unknown)}; publicadas: {', '.join(sorted(by_key))};"
            " make status diz o que falta às outras"
        )
    return [by_key[key] for key in keys]


_NOTHING = (
    "nenhuma safra publicada: antes, make run BDGD=ARQUIVO (ou make run, para um exemplo inventado)"
)


def read(conn: psycopg.Connection, safra: Safra, period: Period, choice: Choice) -> Figures:
    """Query → its rows, of one safra or of some of its places, and of the days if there are any.

    Raises:
        InvalidInput: a mart is not there: an earlier version of the code built this warehouse.
    """
    values = {"ano": safra.ano, "distribuidora_id": safra.distribuidora_id} | LIMITS
    values |= {"inicio": period.start, "fim": period.end}
    values |= {"municipios": [*choice.places] or None, "ofertas": [*choice.offers] or None}
    names = OF_SAFRA + (OF_DAYS if period.start else ())
    files = {name: OF_PLACES.get(name, name) if choice.places else name for name in names}
    try:
        return {name: _asked(conn, file, values) if file else [] for name, file in files.items()}
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise InvalidInput(
            f"este armazém é de uma versão anterior ({error.diag.message_primary}): antes, make"
            " build"
        ) from None


def _asked(conn: psycopg.Connection, name: str, values: Mapping[str, Any]) -> list[Row]:
    query = resources.files("reports").joinpath(f"queries/{name}.sql").read_text(encoding="utf-8")
    return conn.cursor(row_factory=dict_row).execute(query, values or None).fetchall()
