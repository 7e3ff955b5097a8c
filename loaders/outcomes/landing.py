"""Landing of outcomes: a file's rows to raw.resultado_lead, all or nothing, once.

Belongs here: that table and controle.resultado_arquivo. Not here: reading (table.py), which safra's
unit a row is of (learning/outcomes.py): that is asked anew whenever something is learned.
"""

import logging
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg

from loaders.bdgd.files import sha256_of
from loaders.connection import connect, prepare
from loaders.errors import InvalidInput
from loaders.outcomes import table

_LOCK = "select pg_advisory_xact_lock(hashtextextended('intel_lead resultados', 0))"
_KEY = "distribuidora_id, cod_id, cnpj, oferta, data"

log = logging.getLogger(__name__)


def land(path: Path) -> int:
    """Land a file; of what other files said of the same offers, the newest file's word counts.

    Returns:
        the rows that the file has; the same content again changes nothing.

    Raises:
        InvalidInput: a row is wrong; nothing changed.
        DatabaseFailure: no server.
    """
    digest = sha256_of(path)
    with closing(connect()) as conn:
        prepare(conn)
        if there := _landed(conn, digest):
            log.info("%s: já carregado, %d linhas, nada a fazer", path.name, there[1])
            return there[1]
        found = table.read(path, date.today())
        with conn.transaction():
            conn.execute(_LOCK)
            if there := _landed(conn, digest):  # another process, meanwhile
                return there[1]
            number = _write(conn, path.name, digest, found)
        known, other = _known_before(conn, number)
    only_cnpj = sum(row.cod_id is None for row in found)
    won = sum(row.result == "ganho" for row in found)
    log.info(
        "%s: %d resultados, %d ganhos; %d já conhecidos, %d corrigem o que se sabia; %d só com CNPJ"
        " (valem para as unidades de que é a empresa certa). A seguir: make learn",
        path.name, len(found), won, known, other, only_cnpj,
    )  # fmt: skip
    return len(found)


def take_back(path: Path) -> None:
    """Take out the rows that a file brought.

    Raises:
        InvalidInput: it is not landed.
    """
    with closing(connect()) as conn:
        prepare(conn)
        there = _landed(conn, sha256_of(path))
        if not there:
            raise InvalidInput(f"{path.name}: não está carregado, nada a desfazer")
        conn.execute("delete from controle.resultado_arquivo where arquivo_id = %s", [there[0]])
    log.info("%s: %d resultados tirados. A seguir: make learn", path.name, there[1])


def _landed(conn: psycopg.Connection, digest: str) -> tuple[int, int] | None:
    """Number and rows of the file with this content, if it is there."""
    return conn.execute(
        "select arquivo_id, linhas from controle.resultado_arquivo where sha256 = %s", [digest]
    ).fetchone()


def _write(conn: psycopg.Connection, file: str, digest: str, found: list[table.Outcome]) -> int:
    (number,) = conn.execute(
        "insert into controle.resultado_arquivo (arquivo, sha256, linhas) values (%s, %s, %s)"
        " returning arquivo_id",
        [file, digest, len(found)],
    ).fetchone()
    columns = "arquivo_id, linha, distribuidora_id, cod_id, cnpj, oferta, resultado, data"
    with (
        conn.cursor() as cursor,
        cursor.copy(f"copy raw.resultado_lead ({columns}) from stdin") as copy,
    ):
        for x in found:
            copy.write_row(
                (number, x.line, x.distribuidora_id, x.cod_id, x.cnpj, x.offer, x.result, x.day)
            )
    return number


def _known_before(conn: psycopg.Connection, number: int) -> tuple[int, int]:
    """Of a file's rows, how many the files before say too, and of how many they say otherwise."""
    return conn.execute(
        f"with antes as (select distinct on ({_KEY}) {_KEY}, resultado from raw.resultado_lead"
        f"  where arquivo_id < %(number)s order by {_KEY}, arquivo_id desc)"
        " select count(*) filter (where a.resultado = r.resultado),"
        "  count(*) filter (where a.resultado <> r.resultado)"
        " from raw.resultado_lead as r inner join antes as a"
        "  on (r.distribuidora_id, r.oferta, r.data) = (a.distribuidora_id, a.oferta, a.data)"
        "  and r.cod_id is not distinct from a.cod_id and r.cnpj is not distinct from a.cnpj"
        " where r.arquivo_id = %(number)s",
        {"number": number},
    ).fetchone()
