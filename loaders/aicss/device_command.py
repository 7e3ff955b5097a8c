"""``python -m loaders dispositivo mostrar|mudar|historico``: a device's settings.

Belongs here: options, words. Not here: what a change does (devices.py).
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from loaders import connection as db
from loaders.aicss import devices
from loaders.aicss.clock import TIMEZONE, Unreadable, instant, midnight
from loaders.aicss.landing import prepare
from loaders.environment import CLONE
from loaders.errors import InvalidInput, LoadError

MUNICIPIOS = Path(CLONE) / "seeds" / "municipio_dominio.csv"
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Cargas, limiares, período e lugar dos aparelhos AICSS, e desde quando valem.",
)
Device = Annotated[str, typer.Argument(metavar="APARELHO", help="Como ele se diz nas leituras.")]


@app.command("mostrar", help="Mostra o que vale agora, de um aparelho ou de todos.")
def show(
    device: Annotated[str | None, typer.Argument(metavar="APARELHO")] = None,
) -> None:
    """Show what is valid now."""
    with _database() as conn:
        names, rows = devices.history(conn, device)
        now = datetime.now(UTC)
        valid: dict[str, dict[str, Any]] = {}
        for row in rows:
            one = dict(zip(names, row, strict=True))
            if one["desde"] is None or one["desde"] <= now:
                valid[one["dispositivo_id"]] = one
        if device and not valid:
            raise InvalidInput(f"{device}: sem configuração; python -m loaders dispositivo mudar")
        for one in valid.values():
            typer.echo(_said(one))


@app.command("historico", help="Mostra tudo o que valeu, do mais antigo ao mais novo.")
def history(device: Device) -> None:
    """Show all settings that there were."""
    with _database() as conn:
        names, rows = devices.history(conn, device)
        if not rows:
            raise InvalidInput(f"{device}: sem configuração; python -m loaders dispositivo mudar")
        for row in rows:
            one = dict(zip(names, row, strict=True))
            who = f"{one['origem']}, {one['alterada_por']}, {_local(one['alterada_em'])}"
            typer.echo(f"{_said(one)}  ({who})")


@app.command("mudar", help="Muda o que for dito, de agora em diante ou desde um instante.")
def change(
    device: Device,
    *,
    inside: Annotated[
        float | None, typer.Option("--potencia-interna", min=0, help="Carga interna, W.")
    ] = None,
    outside: Annotated[
        float | None, typer.Option("--potencia-externa", min=0, help="Carga externa, W.")
    ] = None,
    light: Annotated[
        float | None,
        typer.Option("--limiar-luz", min=0, max=4095, help="Abaixo desta luz está escuro."),
    ] = None,
    distance: Annotated[
        float | None,
        typer.Option("--limiar-distancia", min=0.1, help="Abaixo dela, em cm, há alguém perto."),
    ] = None,
    period: Annotated[
        float | None,
        typer.Option("--periodo", min=0.001, max=86400, help="Segundos entre leituras."),
    ] = None,
    price: Annotated[
        float | None, typer.Option("--tarifa", min=0, help="Preço da energia, R$/kWh.")
    ] = None,
    municipio: Annotated[
        int | None, typer.Option("--municipio", help="Onde está: código IBGE, 7 algarismos.")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option("--uc", metavar="401:COD_ID", help="UC a que está ligado; nenhuma: desliga."),
    ] = None,
    name: Annotated[str | None, typer.Option("--nome", help="Como é chamado.")] = None,
    since: Annotated[
        str | None, typer.Option("--desde", help="Instante ISO ou dia; sem ele, agora.")
    ] = None,
) -> None:
    """Change what is said, from now on or since an instant."""
    given: dict[str, Any] = {
        "potencia_interna_w": inside,
        "potencia_externa_w": outside,
        "limiar_luz": light,
        "limiar_distancia_cm": distance,
        "periodo_s": period,
        "tarifa_brl_kwh": price,
        "municipio_id": _municipio(municipio),
        "nome": name,
    }
    given = {key: value for key, value in given.items() if value is not None} | _unit(unit)
    if not given:
        raise typer.BadParameter("diga o que muda", param_hint="--potencia-interna, …")
    when = _since(since)
    with _database() as conn:
        before, after = devices.change(conn, device, when, given)
        for key in given:
            typer.echo(f"{key}: {_value(before[key])} → {_value(after[key])}")
        typer.echo(f"{device}: vale desde {_local(when)}; a próxima construção refaz essas horas")
        if not conn.execute(
            "select from raw.aicss_dispositivo where dispositivo_id = %s", [device]
        ).rowcount:
            typer.echo(f"{device}: ainda não enviou leituras; confira se o nome é este", err=True)


def _municipio(code: int | None) -> int | None:
    if code is None:
        return None
    with MUNICIPIOS.open(encoding="utf-8", newline="") as file:
        if str(code) not in {row["id"] for row in csv.DictReader(file)}:
            raise typer.BadParameter(f"{code} não é município do IBGE", param_hint="--municipio")
    return code


def _unit(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if text == "nenhuma":
        return {"distribuidora_id": None, "cod_id": None}
    distributor, _, code = text.partition(":")
    if not distributor.isdigit() or not code.strip():
        raise typer.BadParameter("escreva como 401:COD_ID, ou nenhuma", param_hint="--uc")
    return {"distribuidora_id": int(distributor), "cod_id": code.strip()}


def _since(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return midnight(text) or instant(text)
    except Unreadable as error:
        raise typer.BadParameter(
            f"{text!r}: {error}; escreva como 2025-03-01T00:00:00-03:00", param_hint="--desde"
        ) from error


def _said(one: dict[str, Any]) -> str:
    since = _local(one["desde"]) if one["desde"] else "sempre"
    pairs = ", ".join(f"{n} {_value(one[n])}" for n in devices.NAMES if one[n] is not None)
    return f"{one['dispositivo_id']} desde {since}: {pairs}"


def _value(value: object) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _local(when: datetime) -> str:
    return f"{when.astimezone(TIMEZONE):%d/%m/%Y %H:%M:%S}"


@contextmanager
def _database() -> Iterator[psycopg.Connection]:
    """A prepared connection; what is wrong ends in one line and its exit code."""
    try:
        with db.connect() as conn:
            db.prepare(conn)
            prepare(conn)
            yield conn
    except LoadError as error:
        typer.echo(f"erro: {error}", err=True)
        raise typer.Exit(error.code) from None
