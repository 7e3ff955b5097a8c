"""Qualified leads for a CRM: who is worth a call, for what and why, and nobody who has been called.

Belongs here: choosing, writing as CSV or JSON, putting into the outbox. Not here: scores (dbt's
marts), sending (delivery.py).
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TextIO

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Lead = dict[str, object]

# Marts alone: legal persons. Company: BDGD names none, and no registry of companies is here yet.
_QUERY = """
    select
        s.oferta, s.score::double precision as score, s.posicao, s.percentil,
        null::text as empresa, 'sem cadastro de empresas' as empresa_origem,
        l.distribuidora_id, l.distribuidora, l.origem::text as camada, l.cod_id, l.uc_id::text,
        l.ano, l.municipio, l.uf, l.bairro, l.cep, l.latitude, l.longitude, l.origem_coordenada,
        l.segmento_mercado, l.classe_consumo, l.cnae_id, l.cnae, l.subgrupo_tarifario_id,
        l.energia_anual_kwh, l.demanda_contratada_kw, l.demanda_maxima_kw,
        o.potencia_kw, o.capacidade_kwh, o.investimento_brl, o.economia_brl_ano, o.payback_anos,
        s.motivo_1, s.motivo_2, s.motivo_3
    from marts.mart_lead as l
    inner join marts.mart_lead_score as s using (uc_id, ano, distribuidora_id)
    inner join marts.mart_lead_oferta as o using (uc_id, ano, distribuidora_id, oferta)
    where s.score >= %(score)s
        and (%(oferta)s::text is null or s.oferta = %(oferta)s)
        and (%(distribuidora)s::integer is null or l.distribuidora_id = %(distribuidora)s)
        and not exists (
            select from app.contato as c
            where c.distribuidora_id = l.distribuidora_id and c.cod_id = l.cod_id
        )
    order by s.score desc, l.energia_anual_kwh desc nulls last, l.cod_id, s.oferta
    limit %(limite)s"""
_PUSH = """
    insert into app.entrega (assunto, referencia, destino, corpo, criada_em, proxima_em)
    values ('lead', %s, %s, %s, %s, %s) on conflict do nothing"""


@dataclass(frozen=True)
class Choice:
    """Which leads: none of a field says all."""

    score: float = 70
    offer: str | None = None
    distributor: int | None = None
    limit: int | None = None


def leads(conn: psycopg.Connection, choice: Choice) -> tuple[list[str], list[Lead]]:
    """The fields, and the newest year's leads at or above the score, best first."""
    values = {"score": choice.score, "oferta": choice.offer}
    values |= {"distribuidora": choice.distributor, "limite": choice.limit}
    cursor = conn.cursor(row_factory=dict_row).execute(_QUERY, values)
    return [column.name for column in cursor.description], cursor.fetchall()


def best(conn: psycopg.Connection) -> dict[str, float]:
    """Offer → the best score that a lead has for it."""
    query = (
        "select s.oferta, max(s.score)::double precision from marts.mart_lead_score as s"
        " inner join marts.mart_lead as l using (uc_id, ano, distribuidora_id)"
        " group by s.oferta order by s.oferta"
    )
    return dict(conn.execute(query).fetchall())


def write(fields: Sequence[str], found: Sequence[Lead], file: TextIO, form: str) -> None:
    """As CSV (UTF-8, comma, decimal point), the same for Brazil's Excel, or as one JSON list."""
    if form == "json":
        json.dump(found, file, ensure_ascii=False, indent=1)
        file.write("\n")
    elif form == "excel":
        # It tells UTF-8 by the mark, columns by a semicolon, decimals by a comma.
        file.write("\ufeff")
        writer = csv.DictWriter(file, fields, delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({k: _for_excel(v) for k, v in lead.items()} for lead in found)
    else:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def _for_excel(value: object) -> object:
    return str(value).replace(".", ",") if isinstance(value, float | Decimal) else value


def push(conn: psycopg.Connection, found: Sequence[Lead], recipient: str, now: datetime) -> int:
    """Put leads into the outbox, each unit × offer once for a recipient, whatever the year.

    Returns:
        How many had not been there.
    """
    with conn.transaction():
        new = 0
        for lead in found:
            key = "|".join(str(lead[x]) for x in ("oferta", "distribuidora_id", "camada", "cod_id"))
            body = Jsonb({"assunto": "lead", **lead})
            new += conn.execute(_PUSH, [key, recipient, body, now, now]).rowcount
    return new
