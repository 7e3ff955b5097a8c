"""analytics/relatorios: the reports that ``make report`` and Dagster have written; asking for more.

Belongs here: listing, handing out, asking Dagster, now or again and again. Not here: making one
(reports/), in minutes; when an agenda's turn is (dagster_pipeline/defs/reports.py).
"""

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api import orchestrator, problems
from api.auth.caller import Salesperson, allow
from api.auth.users import Role
from api.listings.parameters import INTEGER, WHOLE, Text
from loaders.errors import InvalidInput
from reports import figures
from reports.choice import TITLE, Choice, Offer, Section
from reports.period import Kind

SAFRA, FILE = r"^[0-9]{1,6}-[0-9]{4}$", r"^[a-z0-9_-]+\.(html|pdf)$"
"""Names of a report's folder and file: nothing else is looked at, and nothing leads elsewhere."""
HEAD = 4096
"""Characters of a page, in which its title stands."""
INSIDERS = Depends(allow(Role.READER, Role.SALES))
AGENDAS = 100
"""Of the whole house: each is minutes of a machine."""
_LIST = """
    select a.id, a.quando, a.pedido, u.nome as criado_por, a.criado_em
    from app.relatorio_agendado as a inner join app.usuario as u on a.criado_por = u.id
    where %(id)s::uuid is null or a.id = %(id)s order by a.criado_em, a.id"""
_ADD = """
    insert into app.relatorio_agendado (quando, pedido, criado_por)
    select %(quando)s, %(pedido)s, %(quem)s
    where (select count(*) from app.relatorio_agendado) < %(limite)s
    returning id"""
router = APIRouter(prefix="/analytics/relatorios", tags=["Análises"], dependencies=[INSIDERS])


class Report(BaseModel):
    """A report's file."""

    safra: str = Field(examples=["401-2024"])
    file: str = Field(serialization_alias="arquivo", examples=["safra-401-2024.pdf"])
    size: int = Field(serialization_alias="bytes", examples=[734003])
    made_at: datetime = Field(serialization_alias="feito_em")
    title: str | None = Field(
        serialization_alias="titulo",
        description="O do alto da página; nulo: não há a página ao lado do PDF.",
        examples=["Baterias em Tapejara"],
    )
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
            title=_title(file.with_suffix(".html")),
            address=f"{request.url.path}/{file.parent.name}/{file.name}",
        )
        for file in folder.glob("*/*")
        if re.match(SAFRA, file.parent.name) and re.match(FILE, file.name) and file.is_file()
    ]
    request.state.rows = len(found)
    return sorted(found, key=lambda report: report.made_at, reverse=True)


def _title(page: Path) -> str | None:
    if not page.is_file():
        return None
    with page.open(encoding="utf-8", errors="replace") as text:
        found = re.search("<title>(.*?)</title>", text.read(HEAD), re.DOTALL)
    return unescape(found[1]).strip() if found else None


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
    places: list[Annotated[int, Field(ge=1, le=INTEGER), WHOLE]] = Field(
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
    steps = {"ops": {"fazer_relatorios": {"config": _config(request, wanted)}}}
    return orchestrator.launch(request.app.state.settings.dagster_url, "relatorios", steps)


def _config(request: Request, wanted: WantedReports) -> dict[str, Any]:
    """What Dagster's job is given.

    Raises:
        Refusal: a safra is not published, or a choice does not go together.
    """
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
    return {
        "periodo": wanted.period.value,
        "safras": wanted.safras,
        "municipios": choice.places,
        "ofertas": choice.offers,
        "secoes": choice.sections,
        "titulo": choice.title,
        "pasta": str(request.app.state.settings.reports),
    }


def _published(request: Request) -> set[str]:
    query = "select concat(distribuidora_id, '-', ano) from marts.safra_publicada"
    with request.app.state.pools.reading.connection() as conn:
        return {key for (key,) in conn.execute(query)}


class WantedAgenda(WantedReports):
    """A report to be made again and again."""

    when: Literal["diario", "semanal", "mensal", "publicacao"] = Field(
        alias="quando",
        description="Toda manhã, às segundas, no dia 1, ou depois de uma safra ser publicada.",
        examples=["semanal"],
    )


class Agenda(BaseModel):
    """A report that is made again and again."""

    id: UUID
    when: str = Field(alias="quando", examples=["semanal"])
    wanted: dict[str, Any] = Field(
        alias="pedido", description="O que se pede, como em POST /analytics/relatorios."
    )
    by: str = Field(alias="criado_por", examples=["ana"])
    since: datetime = Field(alias="criado_em")


@router.get("/agenda", summary="Que relatórios se fazem por si")
def list_agendas(request: Request) -> list[Agenda]:
    """Os que alguém agendou; o Dagster (make dev) os faz às 8 h 45 de Brasília."""
    found = _agendas(request)
    request.state.rows = len(found)
    return found


def _agendas(request: Request, one: UUID | None = None) -> list[Agenda]:
    with request.app.state.pools.app.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(_LIST, {"id": one}).fetchall()
    for row in found:
        del row["pedido"]["pasta"]
    return [Agenda.model_validate(row) for row in found]


@router.post("/agenda", status_code=201, summary="Agenda um relatório")
def add_agenda(request: Request, caller: Salesperson, wanted: WantedAgenda) -> Agenda:
    """Vale o que se pede hoje; sem safras, a mais nova de cada distribuidora naquele dia."""
    values = {
        "quando": wanted.when,
        "pedido": Jsonb(_config(request, wanted)),
        "quem": caller.id,
        "limite": AGENDAS,
    }
    with request.app.state.pools.app.connection() as conn:
        added = conn.execute(_ADD, values).fetchone()
    if added is None:
        raise problems.Refusal(problems.INVALID, f"já há {AGENDAS} agendas: tire uma")
    request.state.rows = 1
    return _agendas(request, added[0])[0]


@router.delete("/agenda/{agenda_id}", status_code=204, summary="Tira uma agenda")
def remove_agenda(request: Request, caller: Salesperson, agenda_id: UUID) -> None:
    """Os relatórios já feitos ficam."""
    query = "delete from app.relatorio_agendado where id = %s"
    with request.app.state.pools.app.connection() as conn:
        if not conn.execute(query, [agenda_id]).rowcount:
            raise problems.Refusal(problems.NOT_FOUND, "não há esta agenda")
    request.state.rows = 1


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
