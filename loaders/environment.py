"""Which database, and where Dagster and dbt live: fills the environment when python starts.

Belongs here: PG*, DAGSTER_*, DBT_* variables, from DATABASE_URL, ``.env``, ``.local/postgres.env``.
Not here: connecting, or starting a server (server/postgres.py).
A ``.pth`` runs it at every start of the venv's python, so it imports nothing that python has not
imported already: pathlib alone would be 8 ms, all of this is under 1.
"""
# ruff: noqa: PTH109, PTH120, PTH123

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

CLONE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SERVER_FILE = f"{CLONE}/.local/postgres.env"
USER_FILE = f"{CLONE}/.env"

# "host:port" that we filled in from SERVER_FILE; anything else in PGHOST is the user's own choice.
MARK = "INTEL_LEAD_PGSERVER"

URL_PARAMETERS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "channel_binding": "PGCHANNELBINDING",
}


def from_url(url: str) -> dict[str, str]:
    """Translate a libpq URI into PG* variables.

    Args:
        url: ``postgresql://user:password@host:port/database?sslmode=…``, percent-encoded.

    Raises:
        ValueError: not such a URI, or a parameter without a PG* variable.
    """
    from urllib.parse import parse_qsl, unquote, urlsplit  # only who uses a URL pays for the import

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"DATABASE_URL não se lê ({error}): confira a porta") from None
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError(
            "DATABASE_URL não é da forma postgresql://usuário:senha@servidor:porta/banco"
        )
    found = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    for name, value in parse_qsl(parts.query):
        if name not in URL_PARAMETERS:
            raise ValueError(f"DATABASE_URL: o parâmetro {name!r} não serve; informe-o como PG*")
        found[URL_PARAMETERS[name]] = value
    found = {name: value for name, value in found.items() if value}
    return {"PGHOST": "localhost"} | found


def to_url(env: Mapping[str, str]) -> str:
    """Write PG* as the libpq URI that psql, psycopg, SQLAlchemy and GDAL all take."""
    from urllib.parse import quote, urlencode

    host, port, database = env["PGHOST"], env["PGPORT"], quote(env["PGDATABASE"], safe="")
    login = quote(env["PGUSER"], safe="")
    if env.get("PGPASSWORD"):
        login += ":" + quote(env["PGPASSWORD"], safe="")
    query = {"sslmode": env["PGSSLMODE"]} if env.get("PGSSLMODE") else {}
    if host.startswith("/"):
        query = {"host": host, "port": port} | query
        place = ""
    else:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    tail = "?" + urlencode(query, safe="/") if query else ""
    return f"postgresql://{login}@{place}/{database}{tail}"


def read_file(path: str) -> dict[str, str]:
    """Read KEY=VALUE lines; no file, or one that we may not read, is no lines."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and line.lstrip()[:1] != "#")
    return {key.strip().removeprefix("export "): value.strip().strip("\"'") for key, value in pairs}


def setting(name: str, otherwise: str = "") -> str:
    """What INTEL_* says, in the environment, else in ``.env``."""
    return os.environ.get(name) or read_file(USER_FILE).get(name) or otherwise


def users_server(env: Mapping[str, str]) -> dict[str, str]:
    """PG* of the server that the user named in the environment, else in ``.env``.

    Returns:
        Empty if the user named none.

    Raises:
        ValueError: DATABASE_URL cannot be read.
    """
    for place in (env, read_file(USER_FILE)):
        if place.get("DATABASE_URL"):
            return from_url(place["DATABASE_URL"])
        if place.get("PGHOST") and f"{place['PGHOST']}:{place.get('PGPORT')}" != place.get(MARK):
            return {key: value for key, value in place.items() if key.startswith("PG") and value}
    return {}


def fill(env: MutableMapping[str, str]) -> None:
    """Complete ``env`` so that libpq, dbt and Dagster find this clone's database and folders.

    DATABASE_URL goes before PG* and is taken out once translated: a child that is started with
    other PG* must not fall back to it. Nothing else that is set is changed.

    Raises:
        ValueError: DATABASE_URL cannot be read.
    """
    server = users_server(env)
    if server:
        env.pop(MARK, None)
        if env.pop("DATABASE_URL", None):
            env.update(server)
    elif server := read_file(SERVER_FILE):
        server[MARK] = f"{server['PGHOST']}:{server['PGPORT']}"
        server["DAGSTER_PGDATABASE"] = "dagster"
    if server:
        user = env.get("USER") or "lead"
        server = {"PGPORT": "5432", "PGUSER": user, "PGPASSWORD": "", "PGDATABASE": "lead"} | server
    folders = {
        "DAGSTER_HOME": f"{CLONE}/.local/dagster",
        "DBT_PROJECT_DIR": f"{CLONE}/dbt_project",
        "DBT_PROFILES_DIR": CLONE,
    }
    if database := read_file(USER_FILE).get("DAGSTER_PGDATABASE"):
        folders["DAGSTER_PGDATABASE"] = database
    for name, value in (server | folders).items():
        env.setdefault(name, value)


def at_startup() -> None:
    """Fill this process's environment, if its python or its folder is this clone's.

    A DATABASE_URL that cannot be read ends the process: going on would use another database than
    the one asked for.
    """
    if os.path.realpath(sys.prefix) != f"{CLONE}/.venv" and not f"{os.getcwd()}/".startswith(
        f"{CLONE}/"
    ):
        return
    try:
        fill(os.environ)
    except ValueError as error:
        sys.stderr.write(f"intel-lead: {error}\n")
        sys.stderr.flush()
        os._exit(2)
