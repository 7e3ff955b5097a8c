"""What the landed rows add up to, kept with their import: what dbt's tests of conservation read.

Belongs here: controle.carga_soma, written by a landing or, once, for imports from before it. Not
here: the adding up of a landing (transfer.py). No dbt macro has a part in either side of it.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from loaders.bdgd.layers import LAYERS_WITH_ENERGY, Layer
from loaders.safra import Safra

if TYPE_CHECKING:
    from loaders.bdgd.transfer import ColumnSum, Totals

FROM_LANDING, FROM_RAW = "aterrissagem", "raw"
"""``fonte``: summed in Arrow while the rows landed, or later over the rows in raw."""

_INSERT = (
    "insert into controle.carga_soma (ano, distribuidora_id, camada, import_id, serie, mes, linhas,"
    " soma, maximo, fonte) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)

log = logging.getLogger(__name__)


def write(
    conn: psycopg.Connection,
    safra: Safra,
    layers: Iterable[Layer],
    ids: Mapping[str, int],
    sums: "Mapping[tuple[Safra, str], Totals]",
) -> None:
    """Keep a landing's sums, in its transaction; a layer without rows has zeros, not nothing."""
    for layer in layers:
        if layer in LAYERS_WITH_ENERGY:
            total = sums.get((safra, layer.name))
            _insert(conn, safra, layer, ids[layer.name], total.monthly() if total else {})


def _insert(
    conn: psycopg.Connection,
    safra: Safra,
    layer: Layer,
    import_id: int,
    columns: "Mapping[str, ColumnSum]",
) -> None:
    with conn.cursor() as cursor:
        cursor.executemany(
            _INSERT,
            [
                (safra.ano, safra.distribuidora_id, layer.name, import_id, serie, month)
                + ((c.rows, c.total, c.greatest) if c else (0, 0.0, None))
                + (FROM_LANDING,)
                for serie in layer.series
                for month in range(1, 13)
                for c in [columns.get(f"{serie}_{month:02d}")]
            ],
        )


def complete(conn: psycopg.Connection) -> None:
    """Sum what landed before the table was there, once, over the rows in raw."""
    missing = conn.execute(
        "select distribuidora_id || '-' || ano, import_id from controle.safra_importada as s"
        " where not exists (select from controle.carga_soma as c"
        "  where (c.ano, c.distribuidora_id) = (s.ano, s.distribuidora_id)) order by 1"
    ).fetchall()
    for key, import_id in missing:
        safra = Safra.from_key(key)
        with conn.transaction():
            for layer in LAYERS_WITH_ENERGY:
                _sum_leaf(conn, safra, layer, import_id)
        log.info("safra %s: somas da carga feitas a partir de raw", key)


def made_from_raw(conn: psycopg.Connection, keys: Iterable[str]) -> list[str]:
    """Of these safras, those whose import has no sums of a landing: their file is landed again."""
    found = conn.execute(
        "select distinct distribuidora_id || '-' || ano from controle.safra_importada as s"
        " inner join controle.carga_soma as c using (ano, distribuidora_id)"
        " where distribuidora_id || '-' || ano = any(%s) and c.fonte = %s"
        " and c.import_id = s.import_id order by 1",
        [list(keys), FROM_RAW],
    )
    return [key for (key,) in found]


def _sum_leaf(conn: psycopg.Connection, safra: Safra, layer: Layer, import_id: int) -> None:
    """One scan of a leaf; its months as rows."""
    leaf = sql.Identifier("raw_safra", f"{layer.table}_{safra.distribuidora_id}_{safra.ano}")
    if not conn.execute("select to_regclass(%s)", [leaf.as_string(conn)]).fetchone()[0]:
        return
    cells = [(serie, month) for serie in layer.series for month in range(1, 13)]
    parts = [
        sql.SQL("count({c}), coalesce(sum({c}), 0), max({c})").format(
            c=sql.Identifier(f"{serie}_{month:02d}")
        )
        for serie, month in cells
    ]
    found = conn.execute(
        sql.SQL("select {} from {}").format(sql.SQL(", ").join(parts), leaf)
    ).fetchone()
    with conn.cursor() as cursor:
        cursor.executemany(
            _INSERT + " on conflict do nothing",
            [
                (safra.ano, safra.distribuidora_id, layer.name, import_id, serie, month)
                + tuple(found[3 * n : 3 * n + 3])
                + (FROM_RAW,)
                for n, (serie, month) in enumerate(cells)
            ],
        )
