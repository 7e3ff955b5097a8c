"""Leads over HTTP: the list, by polygon, one with everything, and what sales say of it.

Belongs here: translating HTTP; which columns a role sees. Not here: SQL (filters.py, *.sql).
"""

from importlib import resources
from typing import Annotated, Any, Literal
from uuid import UUID

import psycopg
from fastapi import APIRouter, Query, Request, Response
from psycopg.rows import dict_row
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api import formats, problems, publication
from api.auth.caller import Caller, Reader
from api.auth.users import Role
from api.database import Catalogue
from api.examples import example_of
from api.leads import filters
from api.leads.safra import safra_of
from api.listings.answer import Answering, respond
from api.listings.routes import responses, visible

DETAIL = resources.files("api.leads").joinpath("detail.sql").read_text(encoding="utf-8")
EXCLUDED = resources.files("api.leads").joinpath("excluded.sql").read_text(encoding="utf-8")
POINTS = 2000
"""Corners of a polygon: more are no drawing of a person's."""
Longitude = Annotated[float, Field(ge=-180, le=180, strict=True)]
Latitude = Annotated[float, Field(ge=-90, le=90, strict=True)]
Position = tuple[Longitude, Latitude]


def _closed(ring: list[Position]) -> list[Position]:
    if ring[0] != ring[-1]:
        raise ValueError("o anel não se fecha")
    return ring


Ring = Annotated[list[Position], Field(min_length=4, max_length=POINTS), AfterValidator(_closed)]


class Polygon(BaseModel):
    """An area as GeoJSON says it, in degrees."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "type": "Polygon",
                "coordinates": [
                    [[-52.2, -28.2], [-51.8, -28.2], [-51.8, -27.9], [-52.2, -27.9], [-52.2, -28.2]]
                ],
            }
        },
    )
    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=20)]


class Lead(BaseModel):
    """Everything of one lead; the fields are the marts' columns of the data dictionary."""

    model_config = ConfigDict(json_schema_extra={"example": example_of("leads/uc_id")})
    detalhe: dict[str, Any] = Field(
        description="O que a BDGD diz dela (vw_lead_completo_detalhado)."
    )
    lead: dict[str, Any] | None = Field(description="Medidas e scores; nulo: unidade desativada.")
    months: list[dict[str, Any]] = Field(
        alias="meses", description="Energia, demanda, DIC e FIC do mês."
    )
    scores: list[dict[str, Any]] = Field(
        description="Por oferta: score, motivos, critérios, e o tamanho em kW, kWh e R$."
    )
    ofertas_excluidas: list[dict[str, Any]] = Field(description="O que não se oferece, e por quê.")
    custos: list[dict[str, Any]] = Field(description="A conta por modalidade e mês, R$.")
    conjunto: dict[str, Any] | None = Field(description="A qualidade do conjunto em volta.")
    perfil: dict[str, Any] | None = Field(description="O perfil de consumo (estimado).")
    previsao: list[dict[str, Any]] = Field(description="Os meses que vêm (previsto).")
    historico: list[dict[str, Any]] = Field(description="A mesma unidade safra a safra.")
    empresas: list[dict[str, Any]] = Field(description="Empresas candidatas, com a evidência.")
    anomalias: list[dict[str, Any]] = Field(description="Meses que fugiram do esperado.")
    enriquecimento: list[dict[str, Any]] = Field(
        description="De onde veio cada dado que a BDGD não diz, ou por que faltou."
    )
    vizinhos: list[dict[str, Any]] = Field(description="Os oito leads mais perto.")
    source: str = Field(alias="fonte", description="A atribuição que acompanha os dados.")


class Excluded(BaseModel):
    """Why an offer is not made to some."""

    offer: filters.Offer = Field(alias="oferta", examples=["arbitragem"])
    reason: str = Field(alias="motivo", examples=["Sem tarifa horária: baixa tensão"])
    units: int = Field(alias="unidades", examples=[1959])


def detail(conn: psycopg.Connection, uc_id: UUID, caller: Caller) -> dict[str, Any] | None:
    """All of one lead, as this caller sees it; None: there is none for a reader's eyes."""
    safra = safra_of(conn, uc_id)
    if safra is None:
        return None
    values = {"uc_id": uc_id, "ano": safra[0], "distribuidora": safra[1]}
    values["contatos"] = caller.sees_contacts
    return conn.cursor(row_factory=dict_row).execute(DETAIL, values).fetchone()


def router(catalogue: Catalogue) -> APIRouter:
    """Routes of leads."""
    made = APIRouter(prefix="/leads", tags=["Leads"])
    columns = catalogue[filters.RELATION]
    scores = catalogue[filters.SCORES]
    reasons = {name: scores[name] for name in filters.REASONS}
    how = Answering("leads", columns | reasons, by_safra=True)
    unkept = Answering("leads", columns | reasons, by_safra=False)
    shown = list(visible(columns))
    documented = responses("leads", columns, geometry=True, made=reasons)

    @made.get(
        "",
        summary="Leads, com filtros, ordem e páginas",
        responses=documented,
        response_class=Response,
    )
    def list_leads(
        request: Request, caller: Reader, asked: Annotated[filters.LeadFilters, Query()]
    ) -> Response:
        """Unidades de pessoas jurídicas da safra mais nova de cada distribuidora."""
        of = _followed(request, caller, asked)
        question = filters.question(asked, shown, of=of)
        return respond(request, caller, question, asked, unkept if of else how)

    @made.post(
        "/busca",
        summary="Leads dentro de um polígono",
        responses=documented,
        response_class=Response,
    )
    def search(
        request: Request,
        caller: Reader,
        polygon: Polygon,
        asked: Annotated[filters.LeadFilters, Query()],
    ) -> Response:
        """Os mesmos filtros, ordem e páginas de GET; o corpo é um Polygon em GeoJSON."""
        of = _followed(request, caller, asked)
        question = filters.question(asked, shown, polygon.model_dump_json(), of)
        return respond(request, caller, question, asked, unkept)

    _add_excluded(made)
    _add_detail(made)
    return made


def _followed(
    request: Request, caller: Caller, asked: filters.LeadFilters
) -> filters.Followed | None:
    if not asked.standing:
        return None
    if caller.role is Role.PARTNER:
        detail = "o acompanhamento é dos vendedores da casa: tire este filtro"
        raise problems.Refusal(problems.FORBIDDEN, detail)
    with request.app.state.pools.app.connection() as conn:
        return filters.followed(conn, asked)


def _add_excluded(made: APIRouter) -> None:
    @made.get(
        "/excluidos",
        summary="A quem uma oferta não se faz, e por quê",
        response_model=list[Excluded],
    )
    def list_excluded(
        request: Request,
        caller: Reader,
        offer: Annotated[filters.Offer, Query(alias="oferta", description="Qual.")],
    ) -> Response:
        """Quantas unidades da safra mais nova de cada distribuidora, por motivo."""
        with request.app.state.pools.reading.connection() as conn:
            cursor = conn.cursor(row_factory=dict_row)
            found = cursor.execute(EXCLUDED, {"oferta": offer}).fetchall()
        request.state.rows = len(found)
        return publication.document(request, formats.as_json(found))


def _add_detail(made: APIRouter) -> None:
    @made.get("/{uc_id}", summary="Um lead, com tudo", response_model=Lead)
    def one_lead(request: Request, caller: Reader, uc_id: UUID) -> Response:
        """Perfil, meses, scores com motivos e critérios, história, vizinhos, empresas."""
        with request.app.state.pools.reading.connection() as conn:
            found = detail(conn, uc_id, caller)
        if found is None:
            raise problems.Refusal(problems.NOT_FOUND, "não há lead com este uc_id")
        request.state.rows = 1
        body = formats.as_json({**found, "fonte": formats.ATTRIBUTION})
        return publication.document(request, body)
