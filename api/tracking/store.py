"""Following a lead up, by distributor and COD_ID: a newer vintage of the same unit keeps it.

Belongs here: reading and writing app.acompanhamento, and app.contato, which keeps the lead from
going to the CRM again. Not here: HTTP.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from api.leads.safra import safra_of
from api.listings.parameters import Day

Status = Literal["novo", "em_contato", "proposta", "ganho", "perdido", "descartado"]
CONTACT_OF = {
    "em_contato": "em_contato",
    "proposta": "em_contato",
    "ganho": "cliente",
    "perdido": "recusou",
    "descartado": "recusou",
}
"""What a status says of the unit to the CRM; a new one says nothing."""

NOTHING = "nenhum"
"""Of whom nothing has been said."""
Standing = Literal[Status, "nenhum"]
Unit = tuple[int, str]
"""Distributor and COD_ID."""

_UNIT = """
    select l.distribuidora_id, l.cod_id from marts.mart_lead_safra as l
    where l.uc_id = %s and l.ano = %s and l.distribuidora_id = %s"""
_UNITS = """
    select l.uc_id, l.distribuidora_id, l.cod_id from marts.mart_lead as l
    where l.uc_id = any(%s) order by l.uc_id"""
_NEWEST = """
    select distinct on (a.distribuidora_id, a.cod_id, a.oferta) a.distribuidora_id, a.cod_id,
        a.oferta, a.situacao, a.resultado_em, a.responsavel, a.observacao, a.alterado_em,
        u.nome as alterado_por
    from app.acompanhamento as a
    inner join unnest(%s::integer[], %s::text[]) as d (distribuidora_id, cod_id)
        using (distribuidora_id, cod_id)
    inner join app.usuario as u on a.alterado_por = u.id
    order by a.distribuidora_id, a.cod_id, a.oferta, a.id desc"""
_STANDING = """
    select distinct d.distribuidora_id, d.cod_id from (
        select distinct on (a.distribuidora_id, a.cod_id, a.oferta)
            a.distribuidora_id, a.cod_id, a.situacao
        from app.acompanhamento as a
        where %(oferta)s::text is null or a.oferta = %(oferta)s
        order by a.distribuidora_id, a.cod_id, a.oferta, a.id desc
    ) as d where %(situacoes)s::text[] is null or d.situacao = any(%(situacoes)s)"""
_ADD = """
    insert into app.acompanhamento (distribuidora_id, cod_id, oferta, situacao, resultado_em,
        responsavel, observacao, alterado_por)
    values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_CONTACT = """
    insert into app.contato (distribuidora_id, cod_id, situacao) values (%s, %s, %s)
    on conflict (distribuidora_id, cod_id) do update
    set situacao = excluded.situacao, quando = now()
    where contato.situacao <> 'cliente'"""


class Change(BaseModel):
    """What is said of a lead and an offer now."""

    model_config = ConfigDict(extra="forbid")
    status: Status = Field(alias="situacao", examples=["ganho"])
    closed_on: Day | None = Field(
        None,
        alias="resultado_em",
        description="O dia em que se ganhou ou perdeu; só e sempre com essas situações.",
        examples=["2026-11-20"],
    )
    owner: str | None = Field(None, alias="responsavel", max_length=100, examples=["Ana"])
    note: str | None = Field(
        None, alias="observacao", max_length=2000, examples=["Quer proposta para 500 kW."]
    )

    @field_validator("owner", "note")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("não é texto")
        return value

    @model_validator(mode="after")
    def _result_has_its_day(self) -> "Change":
        if (self.status in ("ganho", "perdido")) != (self.closed_on is not None):
            raise ValueError("resultado_em vai com ganho e perdido")
        return self


def unit_of(conn: psycopg.Connection, uc_id: UUID) -> Unit | None:
    """The unit of a lead that readers see, on a reading connection."""
    safra = safra_of(conn, uc_id)
    return conn.execute(_UNIT, [uc_id, *safra]).fetchone() if safra else None


def units_of(conn: psycopg.Connection, uc_ids: Sequence[UUID]) -> dict[UUID, Unit]:
    """The units of leads of the newest safras, on a reading connection."""
    found = conn.execute(_UNITS, [list(uc_ids)])
    return {uc_id: (distributor, code) for uc_id, distributor, code in found}


def newest(conn: psycopg.Connection, units: Iterable[Unit]) -> list[dict[str, Any]]:
    """What was last said of each offer to each unit."""
    columns = [list(c) for c in zip(*units, strict=True)] or [[], []]
    return conn.cursor(row_factory=dict_row).execute(_NEWEST, columns).fetchall()


def standing(
    conn: psycopg.Connection, statuses: Iterable[str] | None, offer: str | None
) -> list[Unit]:
    """Units of which one of these (None: anything) was said last, of an offer or of any."""
    asked = {"situacoes": None if statuses is None else list(statuses), "oferta": offer}
    return conn.execute(_STANDING, asked).fetchall()


def add(conn: psycopg.Connection, unit: Unit, offer: str, change: Change, user: UUID) -> None:
    """Say something new of an offer; what was said before stays."""
    said = (offer, change.status, change.closed_on, change.owner, change.note, user)
    with conn.transaction():
        conn.execute(_ADD, (*unit, *said))
        if contact := CONTACT_OF.get(change.status):
            conn.execute(_CONTACT, (*unit, contact))
