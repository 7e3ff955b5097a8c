"""What a backup is: a folder of pg_dump's with facts and checksums, and how it is verified.

Belongs here: what making and restoring share. Not here: either (backup.py, restore.py).
"""

import hashlib
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from loaders import connection as db
from loaders.errors import DatabaseFailure, InvalidInput
from server import binaries, place

JOBS = 2

DUMP = "dump"  # pg_dump's folder in a backup
ABOUT = "backup.json"
SUMS = "SHA256SUMS"  # of every other file: `sha256sum -c SHA256SUMS` reads it

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
UNDER_WAY = "intel_lead_restauro"
"""A schema that a restore makes and drops at its end: found, that restore was killed."""
NOT_OURS = ["information_schema", "public", place.SCHEMA, UNDER_WAY]
log = logging.getLogger("backup")


# PostgreSQL's programs ----------------------------------------------------------------------------


def program(name: str, *, major: int) -> str:
    """Path of pg_dump or pg_restore, of the server's major version if it is on this machine.

    Raises:
        DatabaseFailure: there is none.
    """
    of_server = binaries.find_binaries(major=major) or binaries.find_binaries()
    found = of_server.tool(name) if of_server else shutil.which(name)
    if not found:
        raise DatabaseFailure(
            f"falta {name} nesta máquina: instale o cliente do PostgreSQL {major}"
        )
    return found


def run(*command: str) -> str:
    """Run one of them and return its output; libpq reads PG*.

    Raises:
        DatabaseFailure: it failed; with the last lines that it wrote.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise DatabaseFailure(f"{Path(command[0]).name} falhou ({done.returncode}):\n{lines}")
    return done.stdout


@contextmanager
def connection(database: str | None = None) -> Iterator[psycopg.Connection]:
    """A connection in autocommit, to PGDATABASE unless told otherwise.

    Raises:
        DatabaseFailure: it cannot be had, or the server refuses a statement.
    """
    try:
        if database is None:
            opened = db.connect()
        else:
            opened = psycopg.connect("", dbname=database, autocommit=True, connect_timeout=10)
        with closing(opened) as conn:
            conn.execute("set application_name = 'intel_lead backup'")
            yield conn
    except psycopg.Error as error:
        raise DatabaseFailure(str(error).strip()) from error


def major_of(conn: psycopg.Connection) -> int:
    """The server's major version."""
    return conn.info.server_version // 10_000


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
        InvalidInput: no backup, or one that is not as it was written.
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
        raise InvalidInput(f"{folder} não é uma cópia de make backup: {error}") from error
    raise InvalidInput(
        f"{folder}: {'; '.join(trouble[:5])} ({len(trouble)} ao todo); nada foi restaurado:"
        " use outra cópia"
    )
