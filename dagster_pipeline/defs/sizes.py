"""How much each table holds: rows and bytes, as an event's metadata.

Belongs here: counting. Not here: events (safras.py, dbt.py).
"""

from collections.abc import Collection, Mapping
from typing import Any

import psycopg
from psycopg import sql

from dagster_pipeline import dbt_command
from dagster_pipeline.manifest import KINDS_OF_A_SAFRA

PUBLISHED = "safra_publicada"


def of_whole(
    conn: psycopg.Connection, nodes: Mapping[str, Any], built: Collection[dbt_command.Node]
) -> dict[str, dict[str, Any]]:
    """Unique id → metadata: rows and bytes of the tables just built that are no safra's."""
    tables = {
        node.id: sql.Identifier(props["schema"], props["alias"])
        for node in built
        if node.status == "success" and (props := nodes["nodes"].get(node.id))
        if node.kind in ("model", "seed")
        and props["config"]["materialized"] not in KINDS_OF_A_SAFRA
        if props["config"]["materialized"] != "view"
    }
    counts = [
        sql.SQL("select {}, count(*), pg_total_relation_size({}::regclass) from {}").format(
            unique_id, sql.Literal(table.as_string()), table
        )
        for unique_id, table in tables.items()
    ]
    rows = conn.execute(sql.SQL(" union all ").join(counts)).fetchall() if counts else []
    return {i: {"dagster/row_count": counted, "bytes": size} for i, counted, size in rows}


def of_safras(conn: psycopg.Connection, keys: list[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """(table, safra) → its leaf's rows, as dbt counted them when it built it, and bytes on disk."""
    if not keys:
        return {}
    found = conn.execute(
        """
        select b.modelo, b.distribuidora_id || '-' || b.ano, b.linhas, pg_total_relation_size(c.oid)
        from controle.safra_construida as b
        left join pg_class as c
            on c.relname = b.modelo || '_' || b.distribuidora_id || '_' || b.ano
            and c.relnamespace = 'safra'::regnamespace
        where b.distribuidora_id || '-' || b.ano = any(%s)
        """,
        [keys],
    )
    sizes = {
        (table, key): {"dagster/partition_row_count": rows, "bytes": size}
        for table, key, rows, size in found
    }
    # What is published has no leaf: a safra's whole size, and which file it is.
    since = conn.execute(
        "select distribuidora_id || '-' || ano, publicada_em::text, import_id"
        " from intel_lead.safra_publicada where distribuidora_id || '-' || ano = any(%s)",
        [keys],
    )
    whole = {
        (PUBLISHED, key): {
            "publicada_em": published,
            "import_id": imported,
            "leads": sizes.get(("lead_bruto", key), {}).get("dagster/partition_row_count"),
            "bytes": sum(known["bytes"] or 0 for (_, of), known in sizes.items() if of == key),
        }
        for key, published, imported in since
    }
    return sizes | whole
