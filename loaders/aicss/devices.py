"""What a device drives and how it decides, since when: ``app.dispositivo_config``.

Belongs here: reading and adding settings, the first ones from the seed. Not here: DDL
(schema_app.sql), words for a terminal (device_command.py), what is made of them (dbt's).
"""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from loaders.environment import CLONE
from loaders.errors import InvalidInput

SEED = Path(CLONE) / "seeds" / "dispositivo_dominio.csv"
ALWAYS = "-infinity"
FAR = timedelta(days=366)
"""From now: settings that begin later are a year written wrong."""


Settings = dict[str, Any]
"""What is set of a device, by column: W, cm, s, R$/kWh as the columns' names say."""
FIRMWARE: Settings = {
    **dict.fromkeys(("nome", "municipio_id", "distribuidora_id", "cod_id")),
    **dict.fromkeys(("potencia_interna_w", "potencia_externa_w")),
    "limiar_luz": 2000.0,
    "limiar_distancia_cm": 100.0,
    "periodo_s": 1.0,
    "tarifa_brl_kwh": None,
}
"""The firmware's constants: what a device does of which nothing else is known."""
NAMES = tuple(FIRMWARE)
_COLUMNS = sql.SQL(", ").join(map(sql.Identifier, NAMES))
_VALID = sql.SQL(
    "select {} from app.dispositivo_config where dispositivo_id = %s and valido_de <= %s"
    " order by valido_de desc limit 1"
).format(_COLUMNS)
_ADD = sql.SQL(
    "insert into app.dispositivo_config (dispositivo_id, valido_de, origem, {})"
    " values (%s, %s, %s, {}) on conflict do nothing"
).format(_COLUMNS, sql.SQL(", ").join([sql.Placeholder()] * len(NAMES)))
_HISTORY = sql.SQL(
    "select dispositivo_id, nullif(valido_de, '-infinity') as desde, alterada_em, alterada_por,"
    " origem, {} from app.dispositivo_config where %s::text is null or dispositivo_id = %s"
    " order by dispositivo_id, valido_de"
).format(_COLUMNS)


def fill(conn: psycopg.Connection) -> int:
    """Give each device of the seed that has no settings those of the seed, since always."""
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    there = {d for (d,) in conn.execute("select dispositivo_id from app.dispositivo_config")}
    new = [row for row in rows if row["id"] not in there]
    for row in new:
        given = {name: row[name] for name in NAMES if row.get(name)}
        _insert(conn, row["id"], ALWAYS, "semente", given)
    return len(new)


def _insert(
    conn: psycopg.Connection, device: str, since: datetime | str, origin: str, given: Settings
) -> int:
    values = FIRMWARE | given
    return conn.execute(_ADD, [device, since, origin, *(values[n] for n in NAMES)]).rowcount


def valid(conn: psycopg.Connection, device: str, when: datetime) -> Settings | None:
    """The settings of a device at an instant; None if it has none then."""
    return conn.cursor(row_factory=dict_row).execute(_VALID, [device, when]).fetchone()


def change(
    conn: psycopg.Connection,
    device: str,
    since: datetime,
    given: Settings,
    *,
    origin: str = "comando",
) -> tuple[Settings, Settings]:
    """Add settings that are valid from an instant until the device's next ones.

    Args:
        conn: in autocommit mode.
        device: its id; it may not have been heard yet.
        since: from when; the past is allowed: the hours since then are made again.
        given: what changes; the rest stays as it was at that instant.
        origin: who says so: ``comando`` or ``api``.

    Returns:
        The settings of before and the new ones.

    Raises:
        InvalidInput: nothing changes, or something begins at that instant already, or it is more
            than a year away.
    """
    if since > datetime.now(since.tzinfo) + FAR:
        raise InvalidInput(
            f"{device}: {since:%d/%m/%Y} está a mais de um ano; diga um dia mais perto"
        )
    there = valid(conn, device, since)
    before = there or FIRMWARE
    after = before | given
    if there == after:
        raise InvalidInput(f"{device}: já é assim; nada mudou")
    if not _insert(conn, device, since, origin, after):
        raise InvalidInput(
            f"{device}: já há uma configuração desde {since:%Y-%m-%d %H:%M:%S%z}, e o que"
            " valeu fica: escolha outro instante; na mesma hora vale a última"
        )
    return before, after


def history(conn: psycopg.Connection, device: str | None) -> tuple[list[str], list[tuple]]:
    """Names of columns and all settings that there were, of one device or all, oldest first."""
    found = conn.execute(_HISTORY, [device, device])
    return [c.name for c in found.description], found.fetchall()
