"""Which safras a dbt command left unpublished, and why: test or table, rows, keys of the first.

Belongs here: laying a failure at its safra's door, what the database keeps of it. Not here: what
the batch does about it (batch.py).
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_pipeline import dbt_command
from loaders.safra import Safra

KEYS_OF_A_ROW = ("regra", "uc_id", "pn_id", "ano", "distribuidora_id", "origem", "camada", "mes")
"""What is kept of a row that failed a test: the rule, its place, nothing of a person."""
FIRST_ROWS = 5
BUILT = "controle.safra_construida"
DATA_ERRORS = (psycopg.DataError, psycopg.IntegrityError)

_CONSTRUCTION = re.compile(r'"[^"]+"\."construcao"\."(\w+)"')


@dataclass(frozen=True)
class Failed:
    """Why a safra is not published: the test or table, rows, keys of the first of them."""

    key: str
    where: str
    reason: str
    rows: int | None = None
    keys: tuple[dict[str, object], ...] = ()

    def __str__(self) -> str:
        """One line."""
        return f"{self.where}: {self.reason}"


def _as_dbt() -> psycopg.Connection:
    """A connection that acts as dbt's role: leaves and the table of failures are dbt's."""
    conn = psycopg.connect("", autocommit=True, fallback_application_name="intel_lead lote")
    if role := os.environ.get("INTEL_DBT_ROLE"):
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    return conn


def attribute(done: dbt_command.Done) -> list[Failed]:
    """Whose rows made tests fail: each is asked again of each safra's leaves alone; set aside.

    What fails over all of them and over none alone, or reads no safra's table, is nobody's.
    """
    tests = [node for node in done.bad if node.kind == "test" and node.code]
    if not tests:
        return []
    found = []
    with closing(_as_dbt()) as conn:
        for key, ano, dist, import_id, md5 in conn.execute(UNDER_CONSTRUCTION).fetchall():
            for test in tests:
                failed = _ask(conn, test, key)
                if failed:
                    found.append(failed)
                    conn.execute(
                        "select controle.reprova_safra(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                        [ano, dist, import_id, md5, done.invocation, failed.where, failed.rows]
                        + [Jsonb(list(failed.keys)), failed.reason],
                    )
    return found


UNDER_CONSTRUCTION = """
    select distribuidora_id || '-' || ano, ano, distribuidora_id, max(import_id), max(sql_md5)
    from controle.safra_construida
    where not publicada
    group by ano, distribuidora_id
    order by ano, distribuidora_id
"""


def _ask(conn: psycopg.Connection, test: dbt_command.Node, key: str) -> Failed | None:
    """What a test finds in one safra's leaves: those under construction, else the published."""
    suffix = f"_{key.replace('-', '_')}"

    def leaf(root: re.Match[str]) -> str:
        # Of a safra that was asked for alone, the test reads the leaf already.
        name = root[1].removesuffix(suffix) + suffix
        query = "select controle.folha_da_safra(%s)"
        return conn.execute(query, [name]).fetchone()[0]

    # The safras that a test of conservation expects to find: this one.
    alone = f"(select * from {BUILT} where distribuidora_id || '-' || ano = '{key}') as s"
    try:
        code, roots = _CONSTRUCTION.subn(leaf, test.code.replace(f"from {BUILT}", f"from {alone}"))
    except psycopg.errors.UndefinedTable:  # not built so far: no test of it has failed
        return None
    if not roots:
        return None
    try:
        rows, first = conn.execute(
            f"with achadas as ({code}) select (select count(*) from achadas),"  # noqa: S608
            f" (select jsonb_agg(to_jsonb(p)) from (select * from achadas limit {FIRST_ROWS}) as p)"
        ).fetchone()
    except DATA_ERRORS as error:
        return Failed(key, test.name, f"o teste não termina: {_without_values(error)}")
    if not rows:
        return None
    keys = tuple({k: v for k, v in row.items() if k in KEYS_OF_A_ROW} for row in first)
    return Failed(key, test.name, f"{rows} linha{'s' * (rows > 1)}", rows, keys)


def _without_values(error: psycopg.Error) -> str:
    """PostgreSQL's message; what it quotes of a row is left out."""
    return re.sub(r'".*"', '"…"', str(error.diag.message_primary or error))


def of(
    conn: psycopg.Connection, *, since: object = None, keys: Collection[str] | None = None
) -> dict[str, list[Failed]]:
    """The safras that failed as they are landed now, and why: key → tests or tables."""
    if conn.execute("select to_regclass('controle.safra_reprovada') is null").fetchone()[0]:
        return {}
    rows = conn.execute(
        "select distribuidora_id || '-' || ano, onde, motivo, linhas, chaves"
        " from controle.safra_reprovada join controle.safra_importada"
        "  using (ano, distribuidora_id, import_id)"
        " where quando >= coalesce(%(since)s, quando)"
        "  and (%(keys)s::text[] is null or distribuidora_id || '-' || ano = any(%(keys)s))"
        " order by ano, distribuidora_id, onde",
        {"since": since, "keys": None if keys is None else list(keys)},
    )
    found = defaultdict(list)
    for key, where, reason, lines, first in rows:
        found[key].append(Failed(key, where, reason, lines, tuple(first or ())))
    return dict(found)


def published(conn: psycopg.Connection, *, since: object = None) -> list[str]:
    """Keys of the published safras: all, or those since a moment of the database's clock."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return []
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from intel_lead.safra_publicada"
        " where publicada_em >= coalesce(%s, publicada_em) order by publicada_em",
        [since],
    )
    return [key for (key,) in rows]


def unpublished(conn: psycopg.Connection, keys: Collection[str]) -> list[str]:
    """Of these safras, those that readers do not see as they are landed."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return sorted(keys)
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada as i"
        " left join intel_lead.safra_publicada as p using (ano, distribuidora_id)"
        " where p.import_id is distinct from i.import_id"
        "  and distribuidora_id || '-' || ano = any(%s) order by 1",
        [list(keys)],
    )
    return [key for (key,) in rows] if keys else []


def note(conn: psycopg.Connection, failed: dict[str, list[Failed]]) -> None:
    """Say in the ledger, once, that what landed is not published and why."""
    for key, reasons in failed.items():
        safra = Safra.from_key(key)
        conn.execute(
            "update intel_lead.import_status as i"
            " set observacoes = concat_ws('; ', observacoes, %(nota)s::text)"
            " from controle.entrega as e"
            " where i.import_id = e.import_id and e.aceita"
            "  and (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s)"
            "  and strpos(coalesce(observacoes, ''), %(nota)s) = 0",
            {
                "nota": f"reprovada, não publicada: {'; '.join(map(str, reasons))}",
                "ano": safra.ano,
                "dist": safra.distribuidora_id,
            },
        )


def problem(done: dbt_command.Done) -> str:
    """What failed and is no safra's fault, in a line or two."""
    if not done.nodes and done.code:
        return f"o dbt não começou: {done.text[-2000:]}"
    bad = done.bad
    if not bad:
        return ""
    names = ", ".join(f"{node.name} ({_first_line(node.message)})" for node in bad[:3])
    more = f" e mais {len(bad) - 3}" if len(bad) > 3 else ""  # noqa: PLR2004
    return f"falhou sem ser por uma safra: {names}{more}; o que depende disso não foi publicado"


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[1:3] or lines)[:300]
