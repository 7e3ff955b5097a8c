"""From a backup to a database: an empty one, or a new one beside the others.

Belongs here: the order of a restore, owners and grants. Not here: what a backup is (dump.py).
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from loaders import connection as db
from loaders import search_path
from loaders.errors import DatabaseFailure, InvalidInput
from server.dump import (
    DUMP,
    JOBS,
    NOT_OURS,
    SCHEMAS,
    UNDER_WAY,
    connection,
    log,
    major_of,
    program,
    run,
    verify,
)


def restore(folder: Path, *, new: str | None = None, dry_run: bool = False) -> str:
    """Restore a backup into PGDATABASE, which must be empty, or into a new database.

    Returns:
        The name of the database. Interrupted or failed, it is empty again, or not there.

    Raises:
        InvalidInput: the backup is damaged, or the database is not empty.
        DatabaseFailure: the server refused or was lost.
    """
    facts = verify(folder)
    if new:
        return restore_new(folder, facts, new, dry_run=dry_run)
    with connection() as conn:
        name = conn.info.dbname
        sole_restore(conn)
        (killed,) = conn.execute("select to_regnamespace(%s) is not null", [UNDER_WAY]).fetchone()
        found = conn.execute(SCHEMAS, [NOT_OURS, []])
        there = {schema for (schema,) in found} & {*facts["schemas"]}
        if there and not killed:
            raise InvalidInput(
                f"o banco {name} não está vazio (esquema {', '.join(sorted(there))}); nada mudou:"
                " restaure num novo: NOVO=NOME (--novo NOME)"
            )
        if dry_run:
            return name
        conn.execute(f"create schema if not exists {UNDER_WAY}")
        try:
            clear(conn, facts["schemas"])
            fill(conn, folder, facts)
        except BaseException:
            clear(conn, [*facts["schemas"], UNDER_WAY])
            raise
        clear(conn, [UNDER_WAY])
    return name


def restore_new(folder: Path, facts: dict[str, Any], name: str, *, dry_run: bool) -> str:
    """Restore into a database that gets its name when it is complete."""
    unfinished = f"{name}__unfinished"
    with connection(os.environ["PGDATABASE"]) as admin:
        sole_restore(admin)
        if admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            raise InvalidInput(f"o banco {name} já existe: escolha outro nome; nada mudou")
        if dry_run:
            return name
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(unfinished))
        make = sql.SQL("create database {} template template0").format(sql.Identifier(unfinished))
        try:
            admin.execute(drop)
            admin.execute(make)
        except psycopg.errors.InsufficientPrivilege:
            raise DatabaseFailure(
                f"a conta {admin.info.user} não pode criar bancos; nada foi mudado. Peça um banco"
                f" vazio a quem administra o servidor e restaure nele: PGDATABASE={name} make"
                f" restore FILE={folder}"
            ) from None
        try:
            with connection(unfinished) as conn:
                fill(conn, folder, facts)
            rename = sql.SQL("alter database {} rename to {}")
            admin.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(name)))
        except BaseException:
            admin.execute(drop)
            raise
    return name


def sole_restore(conn: psycopg.Connection) -> None:
    """Keep a second restore out of the same place until the connection ends."""
    lock = "select pg_try_advisory_lock(hashtext('intel_lead.restore'))"
    if not conn.execute(lock).fetchone()[0]:
        raise DatabaseFailure(
            "outra restauração está em andamento neste servidor: repita quando terminar"
        )


def clear(conn: psycopg.Connection, schemas: Sequence[str]) -> None:
    """Drop what an unfinished restore made; one schema a transaction, for the locks it takes."""
    for schema in schemas:
        conn.execute(f"drop schema if exists {schema} cascade")  # quoted by SCHEMAS


def fill(conn: psycopg.Connection, folder: Path, facts: dict[str, Any]) -> None:
    """Restore into an empty database, and what no dump holds: settings and statistics."""
    tool = program("pg_restore", major=major_of(conn))
    dump = str(folder / DUMP)
    entries = run(tool, "--list", dump).splitlines(keepends=True)
    owners = ownership(conn, facts)
    place_postgis(conn, facts.get("postgis"))
    # Only an extension's owner may comment on it, and an administrator may have made it.
    skipped = [" COMMENT - EXTENSION ", " spatial_ref_sys "]
    if owners:  # A policy names its roles; row security without one lets nobody but the owner in.
        skipped.append(" POLICY ")
    with tempfile.NamedTemporaryFile("w", suffix=".list") as chosen:
        chosen.writelines(e for e in entries if not any(kind in e for kind in skipped))
        chosen.flush()
        options = [f"--jobs={JOBS}", "--exit-on-error", f"--use-list={chosen.name}", *owners]
        run(tool, *options, f"--dbname={conn.info.dbname}", dump)
    db.prepare(conn, force=True)
    conn.execute("analyze")


def place_postgis(conn: psycopg.Connection, schema: str | None) -> None:
    """Have PostGIS in the schema that the backup's tables name; it is not in the dump.

    Raises:
        DatabaseFailure: it is in another, or we may not install it.
    """
    there = search_path.postgis_schema(conn)
    if schema in (None, there):
        return
    names = sql.Identifier(schema), sql.Identifier(conn.info.user)
    if there:
        raise DatabaseFailure(
            f"o PostGIS deste banco está no esquema {there}, e o da cópia, no esquema {schema}:"
            " restaure num banco em que estejam no mesmo; nada foi mudado"
        )
    make = sql.SQL("create schema if not exists {}").format(names[0])
    install = sql.SQL("create extension postgis schema {}").format(names[0])
    try:
        with conn.transaction():
            if schema != "public":
                conn.execute(make)
            conn.execute(install)
    except psycopg.errors.InsufficientPrivilege:
        use = sql.SQL("grant usage on schema {} to {}").format(*names)
        commands = ";\n".join(command.as_string(conn) for command in (make, install, use))
        raise DatabaseFailure(
            f"falta o PostGIS no banco {conn.info.dbname}; nada foi mudado. Quem administra o"
            f" servidor executa, conectado a ele:\n{commands};"
        ) from None


def ownership(conn: psycopg.Connection, facts: dict[str, Any]) -> list[str]:
    """Options for pg_restore: none, all as it was, where all roles of the backup are here."""
    missing = conn.execute(
        "select r from unnest(%s::text[]) as r"
        " where to_regrole(quote_ident(r)) is null or not pg_has_role(to_regrole(quote_ident(r)),"
        " 'member')",
        [facts["roles"]],
    ).fetchall()
    if not missing:
        return []
    names = ", ".join(name for (name,) in missing)
    log.warning(
        "papéis da cópia não existem aqui (%s): tudo será de %s, sem permissões nem políticas;"
        " depois rode make roles",
        names,
        conn.info.user,
    )
    return ["--no-owner", "--no-privileges"]
