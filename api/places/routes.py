"""A município over HTTP. Not here: the list of them, which is one of listings/."""

from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from api import formats, problems, publication
from api.auth.caller import Reader
from api.examples import example_of
from api.listings.parameters import INTEGER

SUMMARY = resources.files("api.places").joinpath("summary.sql").read_text(encoding="utf-8")
router = APIRouter(prefix="/municipios", tags=["Municípios"])


class Summary(BaseModel):
    """One município; the fields are the marts' columns of the data dictionary."""

    model_config = ConfigDict(json_schema_extra={"example": example_of("municipios/id/resumo")})
    context: dict[str, Any] = Field(alias="contexto", description="O que se sabe além da BDGD.")
    anos: list[dict[str, Any]] = Field(description="Totais por ano, o mais novo primeiro.")
    bairros: list[dict[str, Any]] = Field(description="Do ano mais novo, por energia.")
    best: list[dict[str, Any]] = Field(alias="melhores_leads", description="Os dez de maior score.")
    source: str = Field(alias="fonte", description="A atribuição que acompanha os dados.")


@router.get("/{municipio_id}/resumo", summary="Um município, com tudo", response_model=Summary)
def one_place(
    request: Request,
    caller: Reader,
    place: Annotated[int, Path(alias="municipio_id", ge=1, le=INTEGER)],
) -> Response:
    """Totais por ano, bairros, contexto e os melhores leads; células pequenas vêm suprimidas."""
    with request.app.state.pools.reading.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(SUMMARY, {"id": place}).fetchone()
    if found is None:
        raise problems.Refusal(problems.NOT_FOUND, "não há município com este código do IBGE")
    request.state.rows = sum(len(part) for part in found.values() if isinstance(part, list))
    body = formats.as_json({**found, "fonte": formats.ATTRIBUTION})
    return publication.document(request, body)
