"""The clone's PostgreSQL as its commands: start, address, psql, stop, remove.

Belongs here: what `make db` and its sisters do, and whose server it is. Not here: how a cluster is
made and run (clusters.py), schemas and tables (loaders/schema.sql, dbt). Standard library only.
``python3 -m server.postgres up|url|psql|status|stop|remove``, or ``throwaway COMMAND…``
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from loaders import environment
from server import system_packages
from server.binaries import find_binaries
from server.clusters import (
    HOME,
    LOCAL,
    answers,
    binaries_for,
    bring_up,
    clones_cluster,
    stop,
    throwaway,
    write_private,
)
from server.messages import PostgresError, say

# Commands -----------------------------------------------------------------------------------------


def users_server() -> dict[str, str]:
    """PG* of the server that the user chose, empty when ours is to be used."""
    env = {**os.environ}
    if not environment.users_server(env):
        return {}
    environment.fill(env)
    return {name: value for name, value in env.items() if name.startswith("PG")}


def clones_server() -> dict[str, str]:
    """Have this clone's server running and return its PG*."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        cluster = clones_cluster()
        if bring_up(cluster):
            say(f"PostgreSQL ligado em 127.0.0.1:{cluster.port}, dados em {cluster.folder}")
        env = cluster.env()
        if environment.read_file(environment.SERVER_FILE) != env:
            lines = (f"{name}={value}\n" for name, value in env.items())
            write_private(Path(environment.SERVER_FILE), "".join(lines))
    return env


def client() -> str:
    """The psql of this machine."""
    found = shutil.which("psql") or ((i := find_binaries()) and i.tool("psql"))
    if not found:
        raise PostgresError("esta máquina não tem o psql: instale o cliente do PostgreSQL")
    return found


def up() -> None:
    """Have a server, ours unless the user chose one, with a place for Dagster's tables on it."""
    theirs = users_server()
    if not theirs:
        clones_server()
        return
    say(f"o servidor é o seu, {theirs['PGHOST']}:{theirs['PGPORT']}: nenhum é iniciado")
    python = Path(environment.CLONE) / ".venv" / "bin" / "python"
    done = subprocess.run([python, "-m", "dagster_pipeline.preflight"], cwd=environment.CLONE)
    if done.returncode:
        sys.exit(done.returncode)


DEV_LOCK = LOCAL / "dagster" / "dev.lock"
"""Held by a running `make dev` (dagster_pipeline/dev.py)."""


def dev_is_running() -> bool:
    """Whether a `make dev` of this clone would lose its database."""
    if not DEV_LOCK.exists():
        return False
    with DEV_LOCK.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def down() -> None:
    """Stop this clone's server, never the user's own.

    Raises:
        PostgresError: a `make dev` still works with it.
    """
    if HOME.exists() and dev_is_running():
        raise PostgresError(
            "make dev está em execução e ficaria sem banco: encerre-o primeiro (Ctrl-C no terminal"
            " dele) e repita make db-stop"
        )
    stopped = HOME.exists() and stop(clones_cluster())
    say("PostgreSQL desligado" if stopped else "o PostgreSQL não estava ligado")


def status() -> None:
    """Say where the data is and whether the server runs."""
    if theirs := users_server():
        print(f"o servidor é o seu: {theirs['PGHOST']}:{theirs['PGPORT']}")
        return
    cluster = clones_cluster() if HOME.exists() else None
    if not cluster or not cluster.made:
        print("ainda não há banco: make db")
        return
    running = answers(cluster, binaries_for(cluster))
    print(f"{'ligado' if running else 'desligado'} em 127.0.0.1:{cluster.port}, {cluster.folder}")


def remove() -> None:
    """Stop this clone's server and delete its data."""
    if not HOME.exists():
        say("não há banco: nada a apagar")
        return
    down()
    shutil.rmtree(HOME.resolve())
    HOME.unlink(missing_ok=True)
    Path(environment.SERVER_FILE).unlink(missing_ok=True)
    say("o banco deste clone foi apagado")


def become_psql(arguments: list[str]) -> None:
    """Become psql on the database."""
    env = users_server() or clones_server()
    os.execve(client(), ["psql", *arguments], {**os.environ, **env})


def run_beside_throwaway(command: list[str]) -> int:
    """Run a command that needs some database, on an empty one of its own."""
    with throwaway() as cluster:
        bring_up(cluster)
        env = {**os.environ, **cluster.env()}
        env.pop("DATABASE_URL", None)
        return subprocess.run(command, env=env).returncode


def main(arguments: list[str]) -> None:
    """Run one command."""
    command, *rest = arguments or ["status"]
    if command == "url":
        print(environment.to_url(users_server() or clones_server()))
    elif command == "psql":
        become_psql(rest)
    elif command == "throwaway":
        sys.exit(run_beside_throwaway(rest))
    elif command in (actions := {"up": up, "stop": down, "status": status, "remove": remove}):
        actions[command]()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (PostgresError, system_packages.CannotInstall, ValueError) as error:
        sys.exit(str(error))
    except PermissionError as error:
        sys.exit(f"{error}: o servidor deste clone é de outro usuário (root?); rode como ele")
