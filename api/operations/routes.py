"""Operating the warehouse over HTTP, for administrators: safras, imports, runs, backups.

Belongs here: translating HTTP. Not here: what a hold is (loaders/gate), Dagster (orchestrator.py).
A held safra is released by the loaders' own command, in a process of its own.
"""

import re
import subprocess
import sys
from datetime import datetime
from importlib import resources
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api import orchestrator, problems
from api.auth.caller import Administrator
from api.listings.parameters import Text
from loaders.environment import CLONE
from server import backup

RELEASE_S = 300
DATABASE = 4
"""The loaders' exit code for a database that does not do it."""
LOGGED = re.compile(r"^\S+ \S+ [A-Z]+ ")
"""What stands before a message of theirs."""
router = APIRouter(prefix="/operacao", tags=["Operação"])
SAFRA = r"^[0-9]{1,6}-[0-9]{4}$"
Most = Annotated[int, Query(alias="limite", ge=1, le=1000, description="No máximo tantas.")]
_LANDED = """
    select from controle.safra_importada
    where distribuidora_id::text = %s and ano::text = %s"""


class Landed(BaseModel):
    """A safra that has landed."""

    model_config = ConfigDict(extra="allow")
    safra: str = Field(examples=["401-2024"])
    state: Literal["retida", "publicada", "pendente"] = Field(
        alias="situacao",
        description="pendente: aterrissou e ainda não se publicou.",
        examples=["retida"],
    )
    published: datetime | None = Field(alias="publicada_em")
    reason: str | None = Field(alias="motivo_retencao")
    file: str | None = Field(
        alias="arquivo", description="De onde veio a última camada.", examples=["a.gdb.zip"]
    )
    findings: list[dict[str, str]] = Field(
        alias="achados", examples=[[{"id": "unidades_que_sumiram:UCBT:2023", "texto": "…"}]]
    )


class Release(BaseModel):
    """Why a held safra is right as it is."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[
        Text, StringConstraints(strip_whitespace=True, min_length=5, max_length=1000)
    ] = Field(alias="motivo", examples=["A distribuidora confirmou a queda."])


class Released(BaseModel):
    """What was released."""

    safra: str = Field(examples=["401-2024"])
    findings: list[str] = Field(
        serialization_alias="achados", examples=[["unidades_que_sumiram:UCBT:2023  UCBT: …"]]
    )


class Import(BaseModel):
    """A layer of a file, as the ledger has it."""

    model_config = ConfigDict(extra="allow")
    number: int = Field(alias="import_id", examples=[7])
    file: str = Field(alias="arquivo", examples=["a.gdb.zip"])
    status: str = Field(examples=["completed"])


class Backup(BaseModel):
    """A backup's folder."""

    name: str = Field(serialization_alias="pasta", examples=["lead-20261130T053000Z"])
    made_at: datetime = Field(serialization_alias="feita_em")
    size: int = Field(serialization_alias="bytes", examples=[73400320])
    safras: int = Field(examples=[1])
    database: str = Field(serialization_alias="banco", examples=["lead"])


def _sql(name: str) -> str:
    return resources.files("api.operations").joinpath(f"{name}.sql").read_text(encoding="utf-8")


@router.get("/safras", summary="O que aterrissou: retido, pendente, publicado")
def list_safras(request: Request, caller: Administrator) -> list[Landed]:
    """As retidas primeiro, com os achados que as retêm."""
    pools = request.app.state.pools
    with pools.app.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(_sql("safras")).fetchall()
    query = "select distribuidora_id, ano, publicada_em from marts.safra_publicada"
    with pools.reading.connection() as conn:
        published = {row[:2]: row[2] for row in conn.execute(query)}
    request.state.rows = len(found)
    return [Landed.model_validate(_state(row, published)) for row in found]


def _state(row: dict[str, Any], published: dict[tuple[int, int], datetime]) -> dict[str, Any]:
    when = published.get((row["distribuidora_id"], row["ano"]))
    held = row.pop("retida")
    current = when is not None and when >= row["importada_em"]
    state = "retida" if held else "publicada" if current else "pendente"
    return {**row, "situacao": state, "publicada_em": when}


@router.post(
    "/safras/{safra}/liberacao",
    summary="Aceita uma safra retida, com o motivo",
    responses={503: problems.DOCUMENTED},
)
def release(
    request: Request,
    caller: Administrator,
    safra: Annotated[str, Path(pattern=SAFRA)],
    wanted: Release,
) -> Released:
    """O mesmo que `python -m loaders liberar`: passa o portão outra vez e aceita o que ele acha.

    Demora até um minuto. Depois, a construção a publica (make build, ou o Dagster).
    """
    with request.app.state.pools.app.connection() as conn:
        if conn.execute(_LANDED, safra.split("-")).fetchone() is None:
            raise problems.Refusal(problems.NOT_FOUND, f"a safra {safra} não aterrissou")
    said = f"--motivo={wanted.reason} (pela API: {caller.name})"
    command = [sys.executable, "-m", "loaders", "liberar", safra, said]
    try:
        done = subprocess.run(
            command, cwd=CLONE, capture_output=True, text=True, timeout=RELEASE_S, check=False
        )
    except subprocess.TimeoutExpired:
        detail = f"a liberação não acabou em {RELEASE_S} s"
        raise problems.Refusal(problems.UPSTREAM, detail) from None
    if done.returncode:
        kind = problems.UPSTREAM if done.returncode == DATABASE else problems.INVALID
        said = [line for line in done.stderr.splitlines() if line.strip()]
        detail = LOGGED.sub("", said[-1]) if said else "a safra não se liberou"
        raise problems.Refusal(kind, detail)
    request.state.rows = 1
    return Released(safra=safra, findings=done.stdout.splitlines())


@router.get("/importacoes", summary="O registro das importações, a mais nova primeiro")
def list_imports(
    request: Request,
    caller: Administrator,
    status: Annotated[
        Literal["pending", "running", "completed", "failed"] | None,
        Query(description="Só as que estão assim."),
    ] = None,
    limit: Most = 200,
) -> list[Import]:
    """Uma linha por arquivo e camada; as que falharam dizem por quê."""
    values = {"status": status, "limite": limit}
    with request.app.state.pools.app.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(_sql("importacoes"), values).fetchall()
    request.state.rows = len(found)
    return [Import.model_validate(row) for row in found]


@router.get(
    "/execucoes",
    summary="As execuções do Dagster, a mais nova primeiro",
    responses={503: problems.DOCUMENTED},
)
def list_runs(request: Request, caller: Administrator, limit: Most = 50) -> list[orchestrator.Done]:
    """Com o endereço de cada uma na página dele; 503: ele não está aberto (make dev)."""
    found = orchestrator.newest(request.app.state.settings.dagster_url, limit)
    request.state.rows = len(found)
    return found


@router.get("/copias", summary="As cópias de segurança, a mais nova primeiro")
def list_backups(request: Request, caller: Administrator) -> list[Backup]:
    """As de make backup e da agenda do Dagster; restaurar é no terminal (docs/runbook.md)."""
    found = [
        Backup(
            name=made.folder.name,
            made_at=made.facts["created_at"],
            size=made.size,
            safras=made.facts["safras"],
            database=made.facts["database"],
        )
        for made in backup.made(request.app.state.settings.backups)
    ]
    request.state.rows = len(found)
    return found
