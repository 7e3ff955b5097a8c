"""GET analytics/relatorios: the reports that ``make report`` and Dagster have written, as files.

Belongs here: listing and handing out. Not here: making one (reports/), which takes minutes.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from api import problems
from api.auth.caller import allow
from api.auth.users import Role

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
