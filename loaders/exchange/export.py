"""CSV as the R side reads it: ``;``, decimal comma, UTF-8, a header, dates as AAAA-MM-DD.

Belongs here: what is exported, and its spelling. Not here: options (command.py).
No natural person's row: units are legal persons' (the view of marts), everything else is aggregates
without what readers may not see.
"""

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import psycopg

from loaders.errors import DatabaseFailure
from loaders.safra import Safra

SCR = [
    *("data_geracao", "periodo_referencia", "estado", "municipio", "tipo_consumidor"),
    *("classe_consumo", "grupo_tarifario", "potencia_instalada_kw", "quantidade_uc", "latitude"),
    *("longitude", "tensao_fornecimento", "grupo_tensao", "situacao_ativacao", "data_conexao"),
    "fonte_energia",
]
"""The sixteen columns, in SCR's order."""

_NEWEST = """
    with publicada as (
        select distribuidora_id, ano, publicada_em::date as data_geracao
        from marts.safra_publicada
        where %(distribuidora_id)s::integer is null
            or (distribuidora_id, ano) = (%(distribuidora_id)s, %(ano)s)
    ),
    safra as (
        select distinct on (distribuidora_id) * from publicada
        order by distribuidora_id, ano desc
    )"""
_UNITS = f"""{_NEWEST}
    select s.data_geracao, l.ano as periodo_referencia, l.uf as estado, l.municipio,
        l.tipo_cliente as tipo_consumidor, l.classe_consumo,
        l.subgrupo_tarifario_id as grupo_tarifario,
        l.carga_instalada_kw as potencia_instalada_kw, 1 as quantidade_uc,
        l.latitude_final as latitude, l.longitude_final as longitude,
        l.tensao_v / 1000 as tensao_fornecimento, l.grupo_tensao,
        l.situacao_uc as situacao_ativacao, l.data_conexao, null::text as fonte_energia
    from marts.vw_lead_completo_detalhado as l
    inner join safra as s using (distribuidora_id, ano)
    order by l.distribuidora_id, l.origem, l.cod_id"""
_AREAS = f"""{_NEWEST},
    area as (
        select distinct on (r.municipio_id) r.*
        from marts.resumo_municipio as r
        where r.municipio_id is not null and (
            %(ano)s::integer is null
            or r.ano = %(ano)s and r.distribuidora = (
                select max(p.distribuidora) from marts.safra_publicada as p
                where p.distribuidora_id = %(distribuidora_id)s
            )
        )
        order by r.municipio_id, r.ano desc
    )"""
_MUNICIPIOS = f"""{_AREAS}
    select (select max(s.data_geracao) from safra as s) as data_geracao,
        r.ano as periodo_referencia, r.uf as estado, r.municipio, 'todos' as tipo_consumidor,
        null as classe_consumo, null as grupo_tarifario, null as potencia_instalada_kw,
        r.quantidade_leads as quantidade_uc, null as latitude, null as longitude,
        null as tensao_fornecimento, null as grupo_tensao, null as situacao_ativacao,
        null as data_conexao, null as fonte_energia
    from area as r
    where not r.suprimido
    order by r.uf, r.municipio"""
_HIDDEN = f"{_AREAS} select count(*) from area where suprimido"
# The months of all published years: what a model is trained on. Suppressed series stay out whole.
_SERIES = """
    select s.distribuidora_id, s.nivel, s.serie_id,
        make_date(s.ano, m.mes::integer, 1) as competencia, m.energia_kwh
    from intel_lead.safra_serie as s
    inner join intel_lead.safra_publicada as p using (distribuidora_id, ano)
    cross join lateral unnest(s.energia_mes) with ordinality as m (energia_kwh, mes)
    where m.energia_kwh is not null
        and (%(distribuidora_id)s::integer is null or s.distribuidora_id = %(distribuidora_id)s)
        and not exists (
            select from intel_lead.safra_serie as x
            where x.suprimido and x.distribuidora_id = s.distribuidora_id and x.nivel = s.nivel
                and x.serie_id = s.serie_id
        )
    order by 1, 2, 3, 4"""
QUERIES = {"unidades": _UNITS, "municipios": _MUNICIPIOS, "series": _SERIES}
BATCH = 5000


@dataclass(frozen=True)
class Exported:
    """What was written: how many rows, and how many rows were left out as small cells."""

    rows: int
    hidden: int = 0


def export(conn: psycopg.Connection, what: str, safra: Safra | None, file: TextIO) -> Exported:
    """Write the newest published year of each distributor, or one safra, row by row.

    Raises:
        DatabaseFailure: nothing is built yet.
    """
    values = {"distribuidora_id": None, "ano": None}
    if safra:
        values = {"distribuidora_id": safra.distribuidora_id, "ano": safra.ano}
    writer = csv.writer(file, delimiter=";", lineterminator="\n")
    rows = 0
    try:
        with conn.transaction(), conn.cursor(name="exportacao_r") as cursor:
            cursor.itersize = BATCH
            cursor.execute(QUERIES[what], values)
            writer.writerow(column.name for column in cursor.description)
            for row in cursor:
                writer.writerow(map(_spelled, row))
                rows += 1
        hidden = 0
        if what == "municipios":
            (hidden,) = conn.execute(_HIDDEN, values).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise DatabaseFailure(
            f"ainda não há o que exportar ({error.diag.message_primary}): antes, make run"
        ) from None
    return Exported(rows, hidden)


def _spelled(value: object) -> object:
    """As R's read.csv2 reads it; nothing, which it reads as NA, for what is not known."""
    if isinstance(value, float | Decimal):
        return format(value, ".15g").replace(".", ",")
    return value.isoformat() if isinstance(value, date) else value


@contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """A file that is there whole, or as it was before."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        beside.chmod(0o644)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
