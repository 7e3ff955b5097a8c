"""analytics/relatorios: the reports that ``make report`` and Dagster have written; asking for more.

Belongs here: listing, handing out, asking Dagster. Not here: making one (reports/), in minutes.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api import orchestrator, problems
from api.auth.caller import Salesperson, allow
from api.auth.users import Role
from api.listings.parameters import INTEGER, Text
from loaders.errors import InvalidInput
from reports import figures
from reports.choice import TITLE, Choice, Offer, Section
from reports.period import Kind

SAFRA, FILE = r"^[0-9]{1,6}-[0-9]{4}$", r"^[a-z0-9_-]+\.(html|pdf)$"
"""Names of a report's folder and file: nothing else is looked at, and nothing leads elsewhere."""
INSIDERS = Depends(allow(Role.READER, Role.SALES))
router = APIRouter(prefix="/analytics/relatorios", tags=["Análises"], dependencies=[INSIDERS])


class Report(BaseModel):
    """A report's file."""

    safra: str = Field(examples=["401-2024"])
    file: str = Field(serialization_alias="arquivo", examples=["safra-401-2024.pdf"])
    size: int = Field(serialization_alias="bytes", examples=[734003])
    made_at: datetime = Field(serialization_alias="feito_em")
    address: str = Field(
        serialization_alias="endereco",
        examples=["/api/v1/analytics/relatorios/401-2024/safra-401-2024.pdf"],
    )


@router.get("", summary="Que relatórios há")
def list_reports(request: Request) -> list[Report]:
    """Os de make report e da agenda do Dagster, o mais novo primeiro (docs/relatorios.md)."""
    folder: Path = request.app.state.settings.reports
    found = [
        Report(
            safra=file.parent.name,
            file=file.name,
            size=file.stat().st_size,
            made_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
            address=f"{request.url.path}/{file.parent.name}/{file.name}",
        )
        for file in folder.glob("*/*")
        if re.match(SAFRA, file.parent.name) and re.match(FILE, file.name) and file.is_file()
    ]
    request.state.rows = len(found)
    return sorted(found, key=lambda report: report.made_at, reverse=True)


class WantedReports(BaseModel):
    """A report to be."""

    model_config = ConfigDict(extra="forbid")
    safras: list[Annotated[str, StringConstraints(pattern=SAFRA)]] = Field(
        [],
        max_length=50,
        description="Chaves como 401-2024; sem elas, a mais nova de cada distribuidora.",
        examples=[["401-2024"]],
    )
    period: Kind = Field(
        Kind.SAFRA,
        alias="periodo",
        description="A safra inteira, ou o que mudou nos dias que acabaram.",
        examples=["safra"],
    )
    places: list[Annotated[int, Field(ge=1, le=INTEGER, strict=True)]] = Field(
        [],
        alias="municipios",
        max_length=50,
        description="Códigos do IBGE; sem eles, a área inteira de cada safra.",
        examples=[[4320909]],
    )
    offers: list[Offer] = Field(
        [], alias="ofertas", max_length=5, description="Sem elas, todas.", examples=[["arbitragem"]]
    )
    sections: list[Section] = Field(
        [], alias="secoes", max_length=13, description="Sem elas, todas.", examples=[["leads"]]
    )
    title: Text = Field("", alias="titulo", max_length=TITLE, examples=["Baterias em Tapejara"])


@router.post(
    "",
    status_code=202,
    summary="Pede relatórios, que o Dagster faz",
    responses={503: problems.DOCUMENTED},
)
def ask_for_reports(
    request: Request, caller: Salesperson, wanted: WantedReports
) -> orchestrator.Run:
    """Prontos, aparecem na lista; o nome do arquivo diz de que parte da safra são."""
    settings = request.app.state.settings
    if unknown := sorted(set(wanted.safras) - _published(request)):
        detail = f"não está publicada: {', '.join(unknown)}"
        raise problems.Refusal(problems.NOT_FOUND, detail)
    try:
        choice = Choice.of(wanted.places, wanted.offers, wanted.sections, wanted.title)
        choice.sections_of(wanted.period)
        with request.app.state.pools.reading.connection() as conn:
            figures.chosen(conn, wanted.safras, choice.places)
    except InvalidInput as error:
        raise problems.Refusal(problems.INVALID, str(error)) from None
    config = {
        "periodo": wanted.period.value,
        "safras": wanted.safras,
        "municipios": choice.places,
        "ofertas": choice.offers,
        "secoes": choice.sections,
        "titulo": choice.title,
        "pasta": str(settings.reports),
    }
    steps = {"ops": {"fazer_relatorios": {"config": config}}}
    return orchestrator.launch(settings.dagster_url, "relatorios", steps)


def _published(request: Request) -> set[str]:
    query = "select concat(distribuidora_id, '-', ano) from marts.safra_publicada"
    with request.app.state.pools.reading.connection() as conn:
        return {key for (key,) in conn.execute(query)}


@router.get(
    "/{safra}/{arquivo}",
    summary="Um relatório, em HTML ou PDF",
    response_class=FileResponse,
    responses={200: {"content": {"application/pdf": {}, "text/html": {}}}},
)
def one_report(
    request: Request,
    safra: Annotated[str, InPath(pattern=SAFRA)],
    file: Annotated[str, InPath(alias="arquivo", pattern=FILE)],
) -> FileResponse:
    """Para guardar: não se abre dentro da página."""
    path: Path = request.app.state.settings.reports / safra / file
    if not path.is_file():
        raise problems.Refusal(problems.NOT_FOUND, "não há este relatório: make report o faz")
    request.state.rows = 1
    return FileResponse(path, filename=file, headers={"Cache-Control": "private, no-cache"})
