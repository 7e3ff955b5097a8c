"""AICSS over HTTP: readings by the loader's own parser, settings, status.

Belongs here: translating HTTP; a device's user speaks for its device alone. Not here: parsing and
landing (loaders/aicss), energy (dbt's).
"""

import io
from datetime import UTC, datetime
from importlib import resources
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, Query, Request
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from api import problems
from api.auth.caller import Caller, allow
from api.auth.users import Role
from api.listings.parameters import INTEGER, WHOLE, Moment, Text
from loaders.aicss import devices, landing
from loaders.errors import InvalidInput

STATUS = resources.files("api.aicss").joinpath("status.sql").read_text(encoding="utf-8")
REFUSED_SHOWN = 100
router = APIRouter(prefix="/aicss", tags=["AICSS"])
Sender = Annotated[Caller, Depends(allow(Role.DEVICE))]
Watcher = Annotated[Caller, Depends(allow(Role.DEVICE, Role.READER, Role.SALES))]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
_TIME = "2026-11-30T10:00:00-03:00"
_READING = {"device_id": "aicss-sala", "timestamp": _TIME, "light_level": 1200}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "example": [_READING],
            },
            "text/csv": {
                "schema": {"type": "string"},
                "example": f"device_id,timestamp,light_level\naicss-sala,{_TIME},1200\n",
            },
        },
    }
}


class Refused(BaseModel):
    """A record that is no reading."""

    line: int = Field(alias="linha", examples=[3])
    reason: str = Field(alias="motivo", examples=["sem dispositivo"])


class Landed(BaseModel):
    """What became of the records of one request."""

    records: int = Field(alias="registros", examples=[1])
    readings: int = Field(alias="leituras", description="Novas.", examples=[1])
    repeated: int = Field(alias="repetidas", description="Já estavam.", examples=[0])
    conflicts: int = Field(
        alias="conflitos", description="Do mesmo instante, com outros valores.", examples=[0]
    )
    unreadable: int = Field(alias="ilegiveis", examples=[0])
    outside: int = Field(alias="fora_da_faixa", description="Lidas, e marcadas.", examples=[0])
    refused: list[Refused] = Field(
        alias="recusados", description=f"Os primeiros {REFUSED_SHOWN}, e por quê.", examples=[[]]
    )


class Status(BaseModel):
    """How a device is doing."""

    model_config = ConfigDict(extra="allow")
    device: str = Field(alias="dispositivo_id", examples=["aicss-sala"])
    last: datetime | None = Field(alias="ultima_leitura_em")
    alerts: list[dict[str, Any]] = Field(alias="alertas", examples=[[]])
    settings: dict[str, Any] | None = Field(
        alias="configuracao",
        description="A que vale agora, como em PUT /aicss/config; nula: a do firmware.",
    )


class Config(BaseModel):
    """What changes of a device; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")
    device: Text = Field(alias="dispositivo_id", min_length=1, examples=["aicss-sala"])
    since: Moment | None = Field(None, alias="desde", description="Sem ele, agora.")
    name: Text | None = Field(None, alias="nome", examples=["Sala"])
    place: Annotated[int, Field(ge=1, le=INTEGER), WHOLE] | None = Field(None, alias="municipio_id")
    inner: Amount | None = Field(None, alias="potencia_interna_w", examples=[60])
    outer: Amount | None = Field(None, alias="potencia_externa_w")
    light: Annotated[Amount, Field(le=4095)] | None = Field(None, alias="limiar_luz")
    near: Annotated[Amount, Field(gt=0)] | None = Field(None, alias="limiar_distancia_cm")
    period: Annotated[Amount, Field(gt=0, le=86400)] | None = Field(None, alias="periodo_s")
    price: Amount | None = Field(None, alias="tarifa_brl_kwh")


class Changed(BaseModel):
    """Settings of a device before and after."""

    before: dict[str, Any] = Field(alias="antes", examples=[{"potencia_interna_w": None}])
    after: dict[str, Any] = Field(alias="depois", examples=[{"potencia_interna_w": 60.0}])


async def whole_body(request: Request) -> bytes:
    """The body as it came."""
    return await request.body()


@router.post("/dados", status_code=202, summary="Envia leituras", openapi_extra=_BODY)
def send(request: Request, caller: Sender, body: Annotated[bytes, Depends(whole_body)]) -> Landed:
    """Uma leitura, uma lista delas ou CSV, como os arquivos de docs/aicss.md; até 16 MB."""
    name = f"api {caller.name} {request.state.request_id}"
    with request.app.state.pools.landing.connection() as conn, conn.transaction():
        try:
            done = landing.land(conn, io.BytesIO(body), name=name, default=caller.device)
        except (InvalidInput, RecursionError) as error:
            said = str(error).removeprefix(f"{name}: ")
            detail = "é fundo demais" if isinstance(error, RecursionError) else said
            raise problems.Refusal(problems.BAD_BODY, detail) from None
        if caller.device is not None and _of_others(conn, caller.device):
            detail = f"esta chave só envia leituras de {caller.device}; nada aterrissou"
            raise problems.Refusal(problems.FORBIDDEN, detail)
        refused = conn.execute(
            "select linha, motivo from raw.rejeitado where origem = 'aicss' and arquivo = %s"
            " order by linha limit %s",
            [name, REFUSED_SHOWN],
        ).fetchall()
    request.state.rows = done.leituras
    shown = [{"linha": line, "motivo": reason} for line, reason in refused]
    return Landed.model_validate({**vars(done), "recusados": shown})


def _of_others(conn: psycopg.Connection, device: str) -> bool:
    """Whether what arrived names another device, new or not, within the landing's transaction."""
    query = "select exists (select from aicss_chegada where dispositivo_id <> %s)"
    return conn.execute(query, [device]).fetchone()[0]


@router.get("/status", summary="Como estão os dispositivos")
def status(
    request: Request,
    caller: Watcher,
    device: Annotated[Text | None, Query(alias="dispositivo_id")] = None,
) -> list[Status]:
    """A última leitura, o último dia construído e o que há de errado agora."""
    found = statuses(request, caller.device or device)
    request.state.rows = len(found)
    return [Status.model_validate(row) for row in found]


def statuses(request: Request, device: str | None) -> list[dict[str, Any]]:
    """A row of status.sql per device, or of this one."""
    values = {"dispositivo": device}
    with request.app.state.pools.landing.connection() as conn:
        return conn.cursor(row_factory=dict_row).execute(STATUS, values).fetchall()


@router.put("/config", summary="Muda a configuração de um dispositivo")
def configure(
    request: Request, caller: Annotated[Caller, Depends(allow())], config: Config
) -> Changed:
    """Acrescenta uma configuração, que vale desde o instante dado; o que já valeu fica."""
    given = config.model_dump(by_alias=True, exclude_unset=True, exclude={"device", "since"})
    since = config.since or datetime.now(UTC)
    if since.tzinfo is None:
        raise problems.Refusal(problems.INVALID, "desde precisa de fuso: 2026-11-30T10:00:00-03:00")
    with request.app.state.pools.landing.connection() as conn:
        try:
            before, after = devices.change(conn, config.device, since, given, origin="api")
        except (InvalidInput, psycopg.IntegrityError, psycopg.DataError) as error:
            detail = str(error) if isinstance(error, InvalidInput) else "um valor não serve"
            raise problems.Refusal(problems.INVALID, detail) from None
    request.state.rows = 1
    return Changed.model_validate({"antes": before, "depois": after})
