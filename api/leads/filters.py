"""What may be asked of marts.mart_lead, and the statement that it becomes.

Belongs here: filters, orders. Not here: one lead (detail.sql), HTTP.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import psycopg
from psycopg import sql
from pydantic import Field, StringConstraints, field_validator, model_validator

from api.listings.parameters import Integer, Paging, Text
from api.listings.query import Question, Sort
from api.tracking import store

RELATION = "mart_lead"
Figure = Annotated[float, Field(allow_inf_nan=False)]


class Offer(StrEnum):
    """What may be offered to a lead."""

    MIGRATION = "migracao"
    ARBITRAGE = "arbitragem"
    BACKUP = "backup"
    NETWORK = "gtd"
    EFFICIENCY = "eficiencia"


class Order(StrEnum):
    """By what leads may be ordered."""

    SCORE = "-score"
    ENERGY = "-energia"
    DEMAND = "-demanda"
    INTERRUPTION = "-dic"
    KEY = "uc_id"


_COLUMN_OF = {
    Order.ENERGY: "energia_anual_kwh",
    Order.DEMAND: "demanda_contratada_kw",
    Order.INTERRUPTION: "dic_anual_h",
}
_EQUAL = {
    "uf": "l.uf = any(%(uf)s)",
    "municipio": "l.municipio_id = any(%(municipio)s)",
    "distribuidora": "l.distribuidora_id = any(%(distribuidora)s)",
    "segmento": "l.segmento_mercado_id = any(%(segmento)s)",
    "subgrupo": "l.subgrupo_tarifario_id = any(%(subgrupo)s)",
    "situacao": "l.situacao = any(%(situacao)s)",
    "layer": "l.origem::text = any(%(layer)s)",
    "livre": "l.livre = %(livre)s",
    "geracao": "l.possui_geracao = %(geracao)s",
    "demanda_min": "l.demanda_contratada_kw >= %(demanda_min)s",
    "demanda_max": "l.demanda_contratada_kw <= %(demanda_max)s",
    "energia_min": "l.energia_anual_kwh >= %(energia_min)s",
    "energia_max": "l.energia_anual_kwh <= %(energia_max)s",
}
_FOLLOWED = """(l.distribuidora_id, l.cod_id) {} (
    select * from unnest(%(seguidas_distribuidora)s::integer[], %(seguidas_cod)s::text[])
)"""
_BOX = "l.geom && st_makeenvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, 4674)"


class LeadFilters(Paging):
    """Filters of leads; all that are given must hold, and of a repeated one any value."""

    uf: list[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]] = Field(
        [], max_length=27, description="Sigla do estado. Repetível."
    )
    municipio: list[Integer] = Field(
        [], max_length=50, description="Código IBGE do município. Repetível."
    )
    distribuidora: list[Integer] = Field(
        [], max_length=50, description="Código ANEEL da distribuidora. Repetível."
    )
    segmento: list[Text] = Field(
        [], max_length=50, description="Segmento de mercado (segmento_mercado_id). Repetível."
    )
    subgrupo: list[Text] = Field(
        [], max_length=50, description="Subgrupo tarifário (A4, B3 …). Repetível."
    )
    situacao: list[Text] = Field([], max_length=10, description="Situação da UC. Repetível.")
    layer: list[Annotated[str, StringConstraints(pattern="^UC[ABM]T$")]] = Field(
        [], max_length=3, alias="camada", description="Camada da BDGD: UCAT, UCMT, UCBT. Repetível."
    )
    livre: bool | None = Field(None, description="Se já está no mercado livre.")
    geracao: bool | None = Field(None, description="Se tem geração distribuída.")
    demanda_min: Figure | None = Field(None, description="Demanda contratada, kW: no mínimo.")
    demanda_max: Figure | None = Field(None, description="Demanda contratada, kW: no máximo.")
    energia_min: Figure | None = Field(None, description="Energia do ano, kWh: no mínimo.")
    energia_max: Figure | None = Field(None, description="Energia do ano, kWh: no máximo.")
    oferta: Offer | None = Field(None, description="Só leads a quem esta oferta se faz.")
    score_min: float | None = Field(
        None, ge=0, le=100, description="Score no mínimo: da oferta, ou o melhor do lead."
    )
    bbox: str | None = Field(
        None,
        max_length=100,
        description="Retângulo: oeste,sul,leste,norte em graus.",
        examples=["-52.3,-28.3,-51.7,-27.9"],
    )
    standing: list[store.Standing] = Field(
        [],
        max_length=7,
        alias="acompanhamento",
        description="O que se disse por último da oferta, ou de alguma: novo, em_contato, proposta,"
        " ganho, perdido, descartado; nenhum: nada se disse. Repetível; não para parceiros.",
    )
    order: Order = Field(
        Order.SCORE, alias="ordem", description="Do maior ao menor; uc_id: sem ordem de valor."
    )

    @field_validator("bbox")
    @classmethod
    def _is_a_box(cls, value: str | None) -> str | None:
        if value is not None:
            corners(value)
        return value

    @model_validator(mode="after")
    def _ranges_are_in_order(self) -> "LeadFilters":
        for name in ("demanda", "energia"):
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if low is not None and high is not None and low > high:
                raise ValueError(f"{name}_min passa de {name}_max")
        return self


def corners(box: str) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees.

    Raises:
        ValueError: it is no such rectangle.
    """
    x0, y0, x1, y1 = (float(part) for part in box.split(","))
    if not (-180 <= x0 <= x1 <= 180 and -90 <= y0 <= y1 <= 90):
        raise ValueError("oeste,sul,leste,norte, em graus")
    return x0, y0, x1, y1


@dataclass(frozen=True)
class Followed:
    """Leads by what was said of them: these units', or all but theirs."""

    units: list[store.Unit]
    but_theirs: bool


def followed(conn: psycopg.Connection, filters: LeadFilters) -> Followed:
    """Whose leads the follow-up that is asked for leaves, on a connection to app."""
    wanted, offer = {*filters.standing}, filters.oferta
    if store.NOTHING not in wanted:
        return Followed(store.standing(conn, wanted, offer), but_theirs=False)
    said = {*store.standing(conn, None, offer)}
    return Followed(sorted(said - {*store.standing(conn, wanted, offer)}), but_theirs=True)


def question(
    filters: LeadFilters,
    columns: list[str],
    polygon: str | None = None,
    of: Followed | None = None,
) -> Question:
    """What is asked of leads.

    Args:
        filters: checked.
        columns: to be shown.
        polygon: GeoJSON of an area that leads lie in, or none.
        of: what their follow-up leaves.
    """
    values: dict[str, Any] = {}
    conditions = list(_conditions(filters, polygon, values))
    if of:
        values["seguidas_distribuidora"] = [distributor for distributor, _ in of.units]
        values["seguidas_cod"] = [code for _, code in of.units]
        conditions.append(sql.SQL(_FOLLOWED.format("not in" if of.but_theirs else "in")))
    if filters.order is Order.KEY:
        sort = None
    elif filters.order is Order.SCORE:
        column = f"score_{filters.oferta}" if filters.oferta else "melhor_score"
        filled = filters.oferta is not None or filters.score_min is not None
        sort = Sort(column, descending=True, filled=filled)
    else:
        sort = Sort(_COLUMN_OF[filters.order], descending=True)
    return Question(
        relation=RELATION,
        columns=columns,
        key=("uc_id",),
        conditions=conditions,
        values=values,
        sort=sort,
        geometry="geom",
    )


def _conditions(
    filters: LeadFilters, polygon: str | None, values: dict[str, Any]
) -> Iterator[sql.Composable]:
    for name, condition in _EQUAL.items():
        value = getattr(filters, name)
        if value is not None and value != []:
            values[name] = value
            yield sql.SQL(condition)
    score = sql.Identifier(f"score_{filters.oferta}" if filters.oferta else "melhor_score")
    if filters.score_min is not None:
        values["score_min"] = filters.score_min
        yield sql.SQL("l.{} >= %(score_min)s").format(score)
    elif filters.oferta is not None:
        yield sql.SQL("l.{} is not null").format(score)
    if filters.bbox is not None:
        values |= dict(zip(("x0", "y0", "x1", "y1"), corners(filters.bbox), strict=True))
        yield sql.SQL(_BOX)
    if polygon is not None:
        values["poligono"] = polygon
        # Drawn by hand, its sides may cross.
        area = "st_makevalid(st_setsrid(st_geomfromgeojson(%(poligono)s), 4674))"
        yield sql.SQL(f"st_intersects(l.geom, {area})")
