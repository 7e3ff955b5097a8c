"""Back up the warehouse's database and restore it: checksummed folders of pg_dump's.

Belongs here: what a backup is, what it must not overlap, retention, verification, restore.
Not here: when one is made (dagster_pipeline/defs/backup.py), Dagster's own database, whole servers
(pgBackRest: docs/runbook.md).
``python -m server.backup create [DEST] | restore FOLDER``; exit 0 done, 2 usage, 3 bad input,
4 database, 130 interrupted.
"""

import fcntl
import json
import logging
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from loaders import environment, ledger, search_path, usage
from loaders.errors import DatabaseFailure, InvalidInput, LoadError
from loaders.safra import Safra
from server import place
from server.dump import (
    ABOUT,
    DUMP,
    JOBS,
    NOT_OURS,
    ROLES,
    SCHEMAS,
    SUMS,
    connection,
    files,
    log,
    major_of,
    program,
    run,
    sha256,
    sync,
    write,
)
from server.restore import restore

DEST = Path(environment.CLONE) / ".local" / "backups"
KEEP = 7
UNFINISHED = ".unfinished-"

PUBLICATION = "select pg_{}advisory_lock_shared(hashtext('intel_lead.publicacao'))"
DBT = f"select pg_{{}}advisory_lock_shared({ledger.DBT_LOCK})"
UNREADABLE = """
    select distinct format('%I', nspname)
    from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
    where nspname !~ '^pg_' and nspname <> 'information_schema' and (
        not has_schema_privilege(n.oid, 'usage')
        or relkind in ('r', 'p', 'm', 'v', 'f') and not has_table_privilege(c.oid, 'select')
        or relkind = 'S' and not has_sequence_privilege(c.oid, 'select')
    ) order by 1"""
"""Schemas of other programs in a shared database: pg_dump fails at the first of their tables."""

CONTENTS = """
    select distribuidora_id || '-' || ano, sum(quantidade_leads)::bigint,
        coalesce(sum(energia_anual_kwh), 0)
    from intel_lead.safra_resumo group by distribuidora_id, ano order by 1"""
"""What readers see of each safra, as the rollups have it: a restore counts the units themselves."""

app = usage.App(no_args_is_help=True)


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
    landing = f"select pg_{{}}advisory_lock_shared({ledger.LOCK_CLASS}, {{}})"
    locks = [landing.format("{}", Safra.from_key(key).lock_key) for (key,) in safras.fetchall()]
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
        "contents": _contents(conn),
    }


def _contents(conn: psycopg.Connection) -> dict[str, dict[str, float]]:
    """Safra → units and kWh of the year; none before the first build."""
    if not conn.execute("select to_regclass('intel_lead.safra_resumo')").fetchone()[0]:
        return {}
    return {
        key: {"leads": units, "energia_kwh": energy}
        for key, units, energy in conn.execute(CONTENTS)
    }


def create(dest: Path = DEST, *, keep: int = KEEP) -> Path:
    """Back up PGDATABASE into a new folder of ``dest``, then delete all but the newest ``keep``.

    Returns:
        The folder: complete, checksummed and on the disk.

    Raises:
        InvalidInput: dest cannot be written, or another backup is writing to it.
        DatabaseFailure: no such database or program, or the dump failed; dest is as it was.
    """
    with sole_writer(dest), connection() as conn:
        if conn.execute("select to_regclass('controle.safra_importada')").fetchone()[0] is None:
            raise DatabaseFailure(
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
        raise InvalidInput(
            f"outra cópia está sendo escrita em {dest}: repita quando terminar"
        ) from None
    except OSError as error:
        raise InvalidInput(f"a cópia não foi escrita: {error}") from error


@dataclass(frozen=True)
class Made:
    """A backup that is there, whole, with what it says of itself."""

    folder: Path
    facts: dict[str, Any]
    size: int


def made(dest: Path = DEST) -> list[Made]:
    """The backups of a folder, the newest first; what is none is passed over."""
    found = []
    for folder in dest.iterdir() if dest.is_dir() else []:
        with suppress(OSError, ValueError):
            facts = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if not folder.name.startswith(UNFINISHED):
                size = sum((folder / name).stat().st_size for name in files(folder))
                found.append(Made(folder, facts, size))
    return sorted(found, key=lambda one: one.facts["created_at"], reverse=True)


def retire(dest: Path, database: str, *, keep: int) -> None:
    """Delete this database's oldest backups; a killed deletion leaves nothing that looks whole."""
    name = re.compile(re.escape(database) + r"-\d{8}T\d{6}Z")
    ours = [path for path in dest.iterdir() if name.fullmatch(path.name) and path.is_dir()]
    for old in sorted(ours, reverse=True)[keep:]:
        shutil.rmtree(old.rename(dest / f"{UNFINISHED}{old.name}"))
        log.info("apagada %s: ficam as %d mais novas", old.name, keep)


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
    keep: Annotated[
        int, typer.Option("--manter", min=1, help="Quantas das mais novas ficam.")
    ] = KEEP,
) -> None:
    """Dump the database into a new folder of DEST and print its path."""
    with exit_codes():
        folder = create(dest, keep=keep)
        size = sum((folder / name).stat().st_size for name in files(folder))
        log.info("%.1f MB, %d arquivos", size / 1e6, len(files(folder)))
        print(folder)


@app.command("restore", help="Confere uma cópia e a restaura no banco vazio de PG*, ou num novo.")
def restore_command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Uma cópia.")],
    *,
    new: Annotated[
        str | None, typer.Option("--novo", metavar="NOME", help="Cria este banco e restaura nele.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Confere e diz o que faria; não muda nada.")
    ] = False,
) -> None:
    """Verify a backup and restore it into the empty database of PG*, or a new one."""
    with exit_codes():
        name = restore(folder, new=new or None, dry_run=dry_run)
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
    except LoadError as error:
        log.error("%s", error)
        raise typer.Exit(error.code) from None
    except KeyboardInterrupt:
        log.error("interrompida: tudo está como estava")
        raise typer.Exit(130) from None


if __name__ == "__main__":
    usage.run(app)
