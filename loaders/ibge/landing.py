"""Landing of a mesh: its municípios' polygons to raw.malha_municipio, all or nothing, once.

Belongs here: that table, raw.malha_simplificada and controle.malha_arquivo. Not here: reading
(mesh.py), drawing (simplify.py), what dbt makes.
"""

import logging
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from loaders.bdgd.files import sha256_of
from loaders.connection import connect, prepare
from loaders.ibge import mesh, simplify
from loaders.safra import listed

ORIGIN = "malha"
"""``origem`` in raw.rejeitado."""
_LOCK = "hashtextextended('intel_lead malha', 0)"

log = logging.getLogger(__name__)


def land(path: Path) -> int:
    """Land a mesh: each município of it replaces what there was of it; the others stay.

    Returns:
        the municípios that the file has; the same content again changes nothing.

    Raises:
        InvalidInput: it is no mesh, or damaged; nothing changed.
        DatabaseFailure: no server.
    """
    digest = sha256_of(path)
    with closing(connect()) as conn:
        prepare(conn)
        if there := _landed(conn, digest):
            log.info("%s: já carregado, %d municípios, nada a fazer", path.name, there)
            return there
        found = mesh.read(path)
        with conn.transaction():
            conn.execute(f"select pg_advisory_xact_lock({_LOCK})")
            _write(conn, path.name, digest, found)
            _simplify(conn)
    log.info("%s: %d municípios; make build os publica", path.name, len(found.shapes))
    if found.lost:
        log.warning(
            "%s: %d feições que não são de município ficam em raw.rejeitado (código %s)",
            path.name,
            len(found.lost),
            listed([text for _, text in found.lost]),
        )
    return len(found.shapes)


def _landed(conn: psycopg.Connection, digest: str) -> int:
    """How many municípios of this content are there, if all are."""
    row = conn.execute(
        "select a.municipios from controle.malha_arquivo as a where sha256 = %s and municipios ="
        " (select count(*) from raw.malha_municipio as m where m.malha_id = a.malha_id)"
        " and exists (select from raw.malha_simplificada)"
        " order by malha_id desc limit 1",
        [digest],
    ).fetchone()
    return row[0] if row else 0


def _write(conn: psycopg.Connection, file: str, digest: str, found: mesh.Mesh) -> None:
    (number,) = conn.execute(
        "insert into controle.malha_arquivo (arquivo, sha256, feicoes, municipios, rejeitadas)"
        " values (%s, %s, %s, %s, %s) returning malha_id",
        [
            file,
            digest,
            len(found.shapes) + len(found.lost),
            len(found.shapes),
            len(found.lost),
        ],
    ).fetchone()
    conn.execute("delete from raw.malha_municipio where codigo = any(%s)", [list(found.shapes)])
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy raw.malha_municipio (codigo, malha_id, geom) from stdin (format binary)"
        ) as copy,
    ):
        copy.set_types(["int4", "int8", "bytea"])
        for code, wkb in found.shapes.items():
            copy.write_row((code, number, wkb))
    conn.execute("delete from raw.rejeitado where (origem, arquivo) = (%s, %s)", [ORIGIN, file])
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into raw.rejeitado (origem, arquivo, linha, motivo, registro)"
            " values (%s, %s, %s, %s, %s)",
            [
                (ORIGIN, file, row, "não é código de município", Jsonb({"codigo": text}))
                for row, text in found.lost
            ],
        )


def _simplify(conn: psycopg.Connection) -> None:
    """Draw all municípios there are anew: a neighbour's new polygon moves their common border."""
    query = "select codigo, geom from raw.malha_municipio order by codigo"
    shapes = dict(conn.execute(query).fetchall())
    (newest,) = conn.execute("select max(malha_id) from raw.malha_municipio").fetchone()
    conn.execute("delete from raw.malha_simplificada")
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy raw.malha_simplificada (codigo, zoom_minimo, malha_id, geom) from stdin"
            " (format binary)"
        ) as copy,
    ):
        copy.set_types(["int4", "int2", "int8", "bytea"])
        for code, first, wkb in simplify.simplified(shapes):
            copy.write_row((code, first, newest, wkb))
