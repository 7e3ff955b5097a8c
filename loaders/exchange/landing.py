"""Landing of predictions that come from R: raw.previsao_externa, all or nothing, once.

Belongs here: that table and controle.previsao_externa_arquivo. Not here: what a file must be
(contract.py), how well they did (dbt's).
"""

import hashlib
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import psycopg

from loaders.errors import InvalidInput
from loaders.exchange import contract

COLUMNS = ", ".join(field.name for field in fields(contract.Prediction))
_ARRIVED = f"""
    create temp table previsao_chegada on commit drop as
    select {COLUMNS} from raw.previsao_externa with no data"""
# What a model said before of a series, from the same training, goes: a file is its whole word.
_REPLACE = """
    delete from raw.previsao_externa as p
    using (
        select distinct distribuidora_id, nivel, serie_id, modelo, treinado_ate
        from previsao_chegada
    ) as c
    where p.distribuidora_id = c.distribuidora_id and p.nivel = c.nivel and p.serie_id = c.serie_id
        and p.modelo = c.modelo and p.treinado_ate = c.treinado_ate"""
_UNKNOWN = """
    select distinct c.distribuidora_id, c.nivel, c.serie_id
    from previsao_chegada as c
    where not exists (
        select from intel_lead.safra_serie as s
        where s.distribuidora_id = c.distribuidora_id and s.nivel = c.nivel
            and s.serie_id = c.serie_id
    )
    order by 1, 2, 3"""


@dataclass(frozen=True)
class Landed:
    """What a file brought: months predicted, series, and rows of before that it replaced."""

    rows: int
    series: int
    replaced: int = 0
    already: bool = False


def land(conn: psycopg.Connection, path: Path) -> Landed:
    """Land a file in one transaction; the same content again changes nothing.

    Raises:
        InvalidInput: it is not what the contract says, or it predicts series that are not here.
    """
    found = contract.read(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    series = len(contract.series_of(found))
    with conn.transaction():
        conn.execute(
            "select pg_advisory_xact_lock(hashtextextended('intel_lead previsao_externa', 0))"
        )
        newest = conn.execute(
            "select sha256 from controle.previsao_externa_arquivo where sha256 = %s", [digest]
        )
        if newest.rowcount:
            return Landed(len(found), series, already=True)
        conn.execute(_ARRIVED)
        with conn.cursor().copy(f"copy previsao_chegada ({COLUMNS}) from stdin") as copy:
            for one in found:
                copy.write_row(astuple(one))
        _refuse_unknown(conn, path)
        replaced = conn.execute(_REPLACE).rowcount
        (number,) = conn.execute(
            "insert into controle.previsao_externa_arquivo"
            " (arquivo, sha256, contrato, linhas, series, substituidas)"
            " values (%s, %s, %s, %s, %s, %s) returning carga_id",
            [path.name, digest, contract.VERSION, len(found), series, replaced],
        ).fetchone()
        landed = conn.execute(
            f"insert into raw.previsao_externa (carga_id, {COLUMNS})"
            f" select %s, {COLUMNS} from previsao_chegada",
            [number],
        ).rowcount
        if landed != len(found):
            raise InvalidInput(f"{path}: {len(found)} linhas e {landed} aterrissaram; nada mudou")
    return Landed(landed, series, replaced)


def _refuse_unknown(conn: psycopg.Connection, path: Path) -> None:
    if conn.execute("select to_regclass('intel_lead.safra_serie') is null").fetchone()[0]:
        raise InvalidInput(f"{path}: o armazém ainda não tem séries; antes, make run")
    unknown = conn.execute(_UNKNOWN).fetchall()
    if unknown:
        named = ", ".join("/".join(map(str, row)) for row in unknown[: contract.SHOWN])
        raise InvalidInput(
            f"{path}: {len(unknown)} séries que o armazém não tem ({named}); nada mudou. As que há:"
            " python -m loaders r exportar series"
        )
