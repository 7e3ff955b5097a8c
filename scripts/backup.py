"""Back up the warehouse's database and restore it: checksummed folders of pg_dump's.

Belongs here: what a backup is, what it must not overlap, retention, verification, restore.
Not here: when one is made (dagster_pipeline/defs/backup.py), Dagster's own database, whole servers
(pgBackRest: docs/runbook.md).
``python -m scripts.backup create [DEST] | restore FOLDER``; exit 0 done, 2 usage, 3 bad input,
4 database, 130 interrupted.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg import sql

from dagster_pipeline import manifest, place
from loaders import ambiente, conexao, registro, search_path, usage
from loaders.erros import EntradaInvalida, ErroDeCarga, FalhaDeBanco
from loaders.safra import Safra
from scripts import postgres

DEST = Path(ambiente.CLONE) / ".local" / "backups"
KEEP = 7
JOBS = 2

DUMP = "dump"  # pg_dump's folder in a backup
ABOUT = "backup.json"
SUMS = "SHA256SUMS"  # of every other file: `sha256sum -c SHA256SUMS` reads it
UNFINISHED = ".unfinished-"

PUBLICATION = "select pg_{}advisory_lock_shared(hashtext('intel_lead.publicacao'))"
DBT = f"select pg_{{}}advisory_lock_shared({manifest.LOCK})"

ROLES = """
    select distinct rolname from pg_roles where oid in (
        select refobjid from pg_shdepend as s
        where dbid = (select oid from pg_database where datname = current_database())
            and refclassid = 'pg_authid'::regclass
            -- An administrator's PostGIS is not in the backup.
            and classid <> 'pg_extension'::regclass
            and not (classid = 'pg_namespace'::regclass and objid in (
                select extnamespace from pg_extension
            ))
            and not exists (
                select from pg_depend as d
                where d.classid = s.classid and d.objid = s.objid and d.deptype = 'e'
            )
        union select relowner from pg_class where relnamespace = any(%(schemas)s::regnamespace[])
        union select nspowner from pg_namespace where oid = any(%(schemas)s::regnamespace[])
    ) order by 1"""
SCHEMAS = """
    select format('%%I', nspname) from pg_namespace as n
    where nspname !~ '^pg_' and nspname <> all(%s) and not exists (
        select from pg_depend where objid = n.oid and deptype = 'e'
    ) and not exists (select from pg_extension where extnamespace = n.oid)
        and format('%%I', nspname) <> all(%s) order by 1"""
UNREADABLE = """
    select distinct format('%I', nspname)
    from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
    where nspname !~ '^pg_' and nspname <> 'information_schema' and (
        not has_schema_privilege(n.oid, 'usage')
        or relkind in ('r', 'p', 'm', 'v', 'f') and not has_table_privilege(c.oid, 'select')
        or relkind = 'S' and not has_sequence_privilege(c.oid, 'select')
    ) order by 1"""
"""Schemas of other programs in a shared database: pg_dump fails at the first of their tables."""
UNDER_WAY = "intel_lead_restauro"
"""A schema that a restore makes and drops at its end: found, that restore was killed."""
NOT_OURS = ["information_schema", "public", place.SCHEMA, UNDER_WAY]

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
log = logging.getLogger("backup")


# PostgreSQL's programs ----------------------------------------------------------------------------


def program(name: str, *, major: int) -> str:
    """Path of pg_dump or pg_restore, of the server's major version if it is on this machine.

    Raises:
        FalhaDeBanco: there is none.
    """
    of_server = postgres.find_binaries(major=major) or postgres.find_binaries()
    found = of_server.tool(name) if of_server else shutil.which(name)
    if not found:
        raise FalhaDeBanco(f"falta {name} nesta máquina: instale o cliente do PostgreSQL {major}")
    return found


def run(*command: str) -> str:
    """Run one of them and return its output; libpq reads PG*.

    Raises:
        FalhaDeBanco: it failed; with the last lines that it wrote.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise FalhaDeBanco(f"{Path(command[0]).name} falhou ({done.returncode}):\n{lines}")
    return done.stdout


@contextmanager
def connection(database: str | None = None) -> Iterator[psycopg.Connection]:
    """A connection in autocommit, to PGDATABASE unless told otherwise.

    Raises:
        FalhaDeBanco: it cannot be had, or the server refuses a statement.
    """
    try:
        if database is None:
            opened = conexao.conectar()
        else:
            opened = psycopg.connect("", dbname=database, autocommit=True, connect_timeout=10)
        with closing(opened) as conn:
            conn.execute("set application_name = 'intel_lead backup'")
            yield conn
    except psycopg.Error as error:
        raise FalhaDeBanco(str(error).strip()) from error


def major_of(conn: psycopg.Connection) -> int:
    """The server's major version."""
    return conn.info.server_version // 10_000


# Backing up ---------------------------------------------------------------------------------------


def hold(conn: psycopg.Connection) -> None:
    """Keep landings, Dagster's builds and publications out until the connection ends.

    pg_dump reads by one snapshot: a leaf that is swapped in after it was taken looks empty to it.
    The publication's lock comes last: while we wait for a landing, others may still publish.
    """
    conn.execute("set idle_session_timeout = 0")
    safras = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada"
        " order by distribuidora_id, ano"  # as a landing of several takes them
    )
    landing = f"select pg_{{}}advisory_lock_shared({registro.CLASSE_DA_TRAVA}, {{}})"
    locks = [landing.format("{}", Safra.de_chave(key).trava) for (key,) in safras.fetchall()]
    for lock in (*locks, DBT, PUBLICATION):
        if conn.execute(lock.format("try_")).fetchone()[0] is False:
            log.info("esperando a carga, a construção ou a publicação em andamento")
            conn.execute(lock.format(""))


def about(conn: psycopg.Connection) -> dict[str, Any]:
    """What a person, and the restore, want to know of the database that is backed up."""
    unreadable = [name for (name,) in conn.execute(UNREADABLE)]
    schemas = [name for (name,) in conn.execute(SCHEMAS, [NOT_OURS, unreadable])]
    one = conn.execute(
        "select current_database(), current_setting('server_version'),"
        " pg_database_size(current_database()), (select count(*) from controle.safra_importada)"
    ).fetchone()
    roles = [name for (name,) in conn.execute(ROLES, {"schemas": schemas})]
    names = ("database", "postgresql", "bytes_in_database", "safras")
    return dict(zip(names, one, strict=True)) | {
        "schemas": schemas,
        "left_out": unreadable,
        "postgis": search_path.postgis_schema(conn),
        "roles": roles,
    }


def create(dest: Path = DEST, *, keep: int = KEEP) -> Path:
    """Back up PGDATABASE into a new folder of ``dest``, then delete all but the newest ``keep``.

    Returns:
        The folder: complete, checksummed and on the disk.

    Raises:
        EntradaInvalida: dest cannot be written, or another backup is writing to it.
        FalhaDeBanco: no such database or program, or the dump failed; dest is as it was.
    """
    with sole_writer(dest), connection() as conn:
        if conn.execute("select to_regclass('controle.safra_importada')").fetchone()[0] is None:
            raise FalhaDeBanco(
                f"o banco {conn.info.dbname} não tem armazém: nada a copiar; antes, make run"
            )
        hold(conn)
        facts = about(conn)
        now = datetime.now(UTC)
        folder = dest / f"{facts['database']}-{now:%Y%m%dT%H%M%SZ}"
        unfinished = dest / f"{UNFINISHED}{folder.name}"
        unfinished.mkdir(mode=0o700)
        try:
            dump = program("pg_dump", major=major_of(conn))
            where = [f"--file={unfinished / DUMP}", f"--dbname={facts['database']}"]
            where += [f"--exclude-schema={name}" for name in left_out(facts)]
            run(dump, "--format=directory", f"--jobs={JOBS}", "--compress=1", *where)
            conn.execute("select 1")  # the locks were ours to the end
            facts |= {"created_at": now.isoformat(timespec="seconds")}
            write(unfinished / ABOUT, json.dumps(facts, indent=2) + "\n")
            sums = [f"{sha256(unfinished / name)}  {name}\n" for name in files(unfinished)]
            write(unfinished / SUMS, "".join(sums))
            unfinished.rename(folder)
            sync(dest)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        retire(dest, facts["database"], keep=keep)
    return folder


def left_out(facts: dict[str, Any]) -> list[str]:
    """Schemas that are not in the dump, as pg_dump's patterns: Dagster's, PostGIS's, others'."""
    if facts["left_out"]:
        log.warning(
            "esquemas que esta conta não pode ler ficam de fora: %s", ", ".join(facts["left_out"])
        )
    postgis = [facts["postgis"]] if facts["postgis"] not in (None, "public") else []
    quoted = ['"' + name.replace('"', '""') + '"' for name in (place.SCHEMA, *postgis)]
    return [*quoted, *facts["left_out"]]


@contextmanager
def sole_writer(dest: Path) -> Iterator[None]:
    """Have the folder to ourselves, without what killed runs left in it."""
    try:
        dest.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (dest / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for leftover in dest.glob(f"{UNFINISHED}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
    except BlockingIOError:
        raise EntradaInvalida(
            f"outra cópia está sendo escrita em {dest}: repita quando terminar"
        ) from None
    except OSError as error:
        raise EntradaInvalida(f"a cópia não foi escrita: {error}") from error


def retire(dest: Path, database: str, *, keep: int) -> None:
    """Delete this database's oldest backups; a killed deletion leaves nothing that looks whole."""
    name = re.compile(re.escape(database) + r"-\d{8}T\d{6}Z")
    ours = [path for path in dest.iterdir() if name.fullmatch(path.name) and path.is_dir()]
    for old in sorted(ours, reverse=True)[keep:]:
        shutil.rmtree(old.rename(dest / f"{UNFINISHED}{old.name}"))
        log.info("apagada %s: ficam as %d mais novas", old.name, keep)


def files(folder: Path) -> list[str]:
    """Every file of a backup but the checksums', as a path inside it."""
    inside = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return sorted(str(path) for path in inside if str(path) != SUMS)


def sha256(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write(path: Path, text: str) -> None:
    """Write a file through to the disk."""
    with path.open("w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    sync(path.parent)


def sync(folder: Path) -> None:
    """Write a folder's entries through to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Restoring ----------------------------------------------------------------------------------------


def verify(folder: Path) -> dict[str, Any]:
    """Compare every file with its checksum and return what the backup says of itself.

    Raises:
        EntradaInvalida: no backup, or one that is not as it was written.
    """
    try:
        lines = (folder / SUMS).read_text().splitlines()
        expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        found = set(files(folder))
        trouble = [f"falta {name}" for name in sorted(expected.keys() - found)]
        trouble += [f"{name} não é dela" for name in sorted(found - expected.keys())]
        trouble += [
            f"{name} não está como foi escrito"
            for name in sorted(found & expected.keys())
            if sha256(folder / name) != expected[name]
        ]
        if not trouble:
            return json.loads((folder / ABOUT).read_text())
    except (OSError, ValueError) as error:
        raise EntradaInvalida(f"{folder} não é uma cópia de make backup: {error}") from error
    raise EntradaInvalida(
        f"{folder}: {'; '.join(trouble[:5])} ({len(trouble)} ao todo); nada foi restaurado:"
        " use outra cópia"
    )


def restore(folder: Path, *, new: str | None = None, dry_run: bool = False) -> str:
    """Restore a backup into PGDATABASE, which must be empty, or into a new database.

    Returns:
        The name of the database. Interrupted or failed, it is empty again, or not there.

    Raises:
        EntradaInvalida: the backup is damaged, or the database is not empty.
        FalhaDeBanco: the server refused or was lost.
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
            raise EntradaInvalida(
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
            raise EntradaInvalida(f"o banco {name} já existe: escolha outro nome; nada mudou")
        if dry_run:
            return name
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(unfinished))
        make = sql.SQL("create database {} template template0").format(sql.Identifier(unfinished))
        try:
            admin.execute(drop)
            admin.execute(make)
        except psycopg.errors.InsufficientPrivilege:
            raise FalhaDeBanco(
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
        raise FalhaDeBanco(
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
    conexao.preparar(conn, forcar=True)
    conn.execute("analyze")


def place_postgis(conn: psycopg.Connection, schema: str | None) -> None:
    """Have PostGIS in the schema that the backup's tables name; it is not in the dump.

    Raises:
        FalhaDeBanco: it is in another, or we may not install it.
    """
    there = search_path.postgis_schema(conn)
    if schema in (None, there):
        return
    names = sql.Identifier(schema), sql.Identifier(conn.info.user)
    if there:
        raise FalhaDeBanco(
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
        raise FalhaDeBanco(
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


# Commands -----------------------------------------------------------------------------------------


@app.callback(help="Copia o armazém, ou o restaura. Saída: 0 feito, 2 uso, 3 cópia ruim, 4 banco.")
def commands() -> None:
    """Back up the warehouse, or restore it. Exit: 0 done, 2 usage, 3 bad input, 4 database."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@app.command("create", help="Copia o banco para uma pasta nova de DEST e imprime o caminho.")
def create_command(
    dest: Annotated[Path, typer.Argument(file_okay=False, help="Pasta de todas as cópias.")] = DEST,
    *,
    manter: Annotated[int, typer.Option(min=1, help="Quantas das mais novas ficam.")] = KEEP,
) -> None:
    """Dump the database into a new folder of DEST and print its path."""
    with exit_codes():
        folder = create(dest, keep=manter)
        size = sum((folder / name).stat().st_size for name in files(folder))
        log.info("%.1f MB, %d arquivos", size / 1e6, len(files(folder)))
        print(folder)


@app.command("restore", help="Confere uma cópia e a restaura no banco vazio de PG*, ou num novo.")
def restore_command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Uma cópia.")],
    *,
    novo: Annotated[
        str | None, typer.Option(metavar="NOME", help="Cria este banco e restaura nele.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Confere e diz o que faria; não muda nada.")
    ] = False,
) -> None:
    """Verify a backup and restore it into the empty database of PG*, or a new one."""
    with exit_codes():
        name = restore(folder, new=novo or None, dry_run=dry_run)
        facts = json.loads((folder / ABOUT).read_text())
        what = "seria restaurada" if dry_run else "restaurada"
        log.info(
            "%s: %d safras do banco %s, de %s, %s no banco %s",
            *(folder.name, facts["safras"], facts["database"], facts["created_at"], what, name),
        )


@contextmanager
def exit_codes() -> Iterator[None]:
    """End with the loaders' exit codes; a message instead of a traceback."""
    try:
        yield
    except ErroDeCarga as error:
        log.error("%s", error)
        raise typer.Exit(error.codigo) from None
    except KeyboardInterrupt:
        log.error("interrompida: tudo está como estava")
        raise typer.Exit(130) from None


if __name__ == "__main__":
    usage.run(app)
