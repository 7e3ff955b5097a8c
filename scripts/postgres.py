"""The project-local PostgreSQL/PostGIS: one cluster per clone, run from the machine's own binaries.

Belongs here: finding or installing the binaries, initdb, start, stop, the two databases.
Not here: schemas and tables (loaders/schema.sql, dbt). Standard library only.
``python3 -m scripts.postgres up|url|psql|status|stop|remove``, or ``throwaway COMMAND…``
"""

import contextlib
import fcntl
import hashlib
import itertools
import os
import platform
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loaders import ambiente
from scripts import system_packages

LOCAL = Path(ambiente.CLONE) / ".local"
HOME = LOCAL / "postgres"  # the cluster's folder, or a link to it
CONF = "intel_lead.conf"  # our settings and the port, included at the end of postgresql.conf
OLDEST = 15
ROLE = "lead"
DATABASES = ("lead", "dagster")
PORTS = range(
    20_000, 32_000
)  # below the range from which systems hand out ports of their own accord
PATIENCE_S = 60
RECOVERY_S = 600


class PostgresError(Exception):
    """The server cannot be had; the message says what the person can do."""


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation that has PostGIS."""

    folder: Path
    major: int

    def tool(self, name: str) -> str:
        """Path of one of its programs."""
        return str(self.folder / name)


@dataclass(frozen=True)
class Cluster:
    """A server of ours: ``folder`` holds data/, the password and the start-up log."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.folder / "data"

    @property
    def made(self) -> bool:
        """Whether initdb has been here."""
        return (self.data / CONF).exists()

    @property
    def port(self) -> int | None:
        """The port chosen for this cluster, None before the first."""
        text = (self.data / CONF).read_text() if self.made else ""
        found = re.search(r"^port = (\d+)$", text, re.MULTILINE)
        return int(found.group(1)) if found else None

    def env(self, *, database: str = DATABASES[0]) -> dict[str, str]:
        """PG* of this server."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": ROLE,
            "PGPASSWORD": (self.folder / "password").read_text().strip(),
            "PGDATABASE": database,
        }


def say(message: str) -> None:
    """Tell the person on stderr; stdout belongs to the URL."""
    print(message, file=sys.stderr, flush=True)


# Binaries -----------------------------------------------------------------------------------------


def installations() -> Iterator[Binaries]:
    """Every PostgreSQL ≥ 15 with PostGIS on this machine, newest first."""
    configs = [*Path("/usr/lib/postgresql").glob("*/bin/pg_config")]
    configs += [*Path("/usr").glob("pgsql-*/bin/pg_config")]
    configs += [Path(found)] if (found := shutil.which("pg_config")) else []
    asked = [installation(path.resolve()) for path in configs]
    yield from sorted({i for i in asked if i}, key=lambda i: i.major, reverse=True)


def installation(pg_config: Path) -> Binaries | None:
    """The server beside a pg_config, None if it is absent, too old or without PostGIS."""
    command = [str(pg_config), "--version", "--bindir", "--sharedir", "--pkglibdir"]
    version, bindir, sharedir, libdir = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    major = int(re.search(r"\d+", version).group())
    has_server = (Path(bindir) / "initdb").exists()
    has_postgis = (Path(sharedir) / "extension" / "postgis.control").exists()
    has_postgis = has_postgis and any(Path(libdir).glob("postgis-3.*"))  # they are two packages
    if major < OLDEST or not has_server or not has_postgis:
        return None
    return Binaries(folder=Path(bindir), major=major)


def find_binaries(*, major: int | None = None) -> Binaries | None:
    """The installation to use: of the cluster's major version if it has one, else the newest."""
    return next((i for i in installations() if major in (None, i.major)), None)


def wanted_packages(*, major: int | None) -> list[str]:
    """Debian's names: version 15 or the cluster's own, else the distribution's default."""
    exact = [f"postgresql-{major or 15}", f"postgresql-{major or 15}-postgis-3"]
    system_packages.update_lists(packages=exact)
    if major or all(system_packages.is_known(package) for package in exact):
        return exact
    return ["postgresql", "postgresql-postgis"]


@contextlib.contextmanager
def no_main_cluster() -> Iterator[None]:
    """Keep Debian's package from making and starting a cluster of its own while it is installed."""
    drop_in = "/etc/postgresql-common/createcluster.d/intel-lead.conf"
    script = f"mkdir -p $(dirname {drop_in}) && echo create_main_cluster=false > {drop_in}"
    system_packages.run("sh", "-c", script)
    try:
        yield
    finally:
        system_packages.run("rm", "-f", drop_in)


def install_binaries(*, major: int | None) -> Binaries:
    """Install PostgreSQL and PostGIS by apt.

    Raises:
        PostgresError: not possible here; says the one command for this system.
    """
    mac = "brew install postgresql@17 postgis"
    red_hat = "sudo dnf install -y postgresql-server postgis"
    other = mac if platform.system() == "Darwin" else red_hat
    try:
        packages = wanted_packages(major=major)
        with no_main_cluster() if system_packages.may_install() else contextlib.nullcontext():
            system_packages.install(packages, otherwise=f"Type: {other}")
    except system_packages.CannotInstall as error:
        raise PostgresError(
            f"PostgreSQL ≥ {OLDEST} with PostGIS is not on this machine. {error}\n"
            "Or use another server: copy .env.example to .env and `docker compose up -d db`,\n"
            "or set DATABASE_URL=postgresql://user:password@host:port/database."
        ) from None
    found = find_binaries(major=major)
    if not found:
        raise PostgresError(
            f"{packages} are installed, but without PostgreSQL ≥ {OLDEST} + PostGIS"
        )
    return found


def binaries_for(cluster: Cluster) -> Binaries:
    """The installation that runs this cluster, installed if need be."""
    version = cluster.data / "PG_VERSION"
    major = int(version.read_text()) if version.exists() else None
    return find_binaries(major=major) or install_binaries(major=major)


# The server's user --------------------------------------------------------------------------------


def server_user(folder: Path) -> str | None:
    """Whom the server must run as: None is ourselves; root may not, so the owner of the folder."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwuid(folder.stat().st_uid).pw_name


def execute(
    cluster: Cluster, *command: str, env: Mapping[str, str] | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the server's user; its output is in the result."""
    user = server_user(cluster.folder)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if user:  # else libpq, asked for TLS, looks for certificates in root's home and gives up
        clean["HOME"] = pwd.getpwnam(user).pw_dir
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd="/" if user else None,
        env=clean | (env or {}),
    )


def make_folder(folder: Path) -> None:
    """Make the cluster's folder; as root, owned by the user ``postgres``."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() != 0 or folder.stat().st_uid != 0:
        return
    try:
        shutil.chown(folder, "postgres", "postgres")
    except LookupError:
        raise PostgresError(
            "root may not run PostgreSQL and there is no user postgres. Type: "
            "useradd --system --user-group postgres"
        ) from None


def clones_cluster() -> Cluster:
    """This clone's cluster: ``.local/postgres`` itself or, as root, the folder it links to.

    The user ``postgres`` cannot enter a private clone. A folder that an earlier clone at this path
    left behind is not taken over: this one gets a new name.
    """
    if os.geteuid() == 0 and not HOME.exists() and not HOME.is_symlink():
        LOCAL.mkdir(exist_ok=True)
        name = "/var/lib/intel-lead-" + hashlib.sha256(ambiente.CLONE.encode()).hexdigest()[:10]
        folders = (Path(f"{name}-{number}") for number in itertools.count(1))
        for folder in folders:
            if not folder.exists():
                break
            say(f"{folder} belonged to an earlier clone at this path; delete it if you like")
        HOME.symlink_to(folder)
    return Cluster(folder=HOME.resolve(), settings=settings(memory_mb=memory_mb()))


# Settings -----------------------------------------------------------------------------------------


def memory_mb() -> int:
    """RAM that we may use: the machine's, or the container's limit if it is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total >> 20


def settings(*, memory_mb: int) -> dict[str, str]:
    """Settings for bulk loads and few readers, on a machine shared with Dagster and dbt."""
    shm = Path("/dev/shm")
    small_shm = shm.exists() and shutil.disk_usage(shm).total < 1 << 30
    return {
        "shared_buffers": f"{min(memory_mb // 6, 4096)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "work_mem": f"{max(min(memory_mb // 256, 96), 8)}MB",
        "maintenance_work_mem": f"{max(min(memory_mb // 32, 1024), 64)}MB",
        # A safra is written once, in bulk: few, spread checkpoints.
        "max_wal_size": "6GB",
        "min_wal_size": "512MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
        # No replica here; COPY into a table made in the same transaction then skips the WAL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # An un-pruned query over 300 safras takes 2,724 locks; the default 64 fails.
        "max_locks_per_transaction": "1024",
        "max_connections": "100",
        "enable_partitionwise_join": "on",
        "enable_partitionwise_aggregate": "on",
        "jit": "off",  # compiles per partition: more time than the query
        "random_page_cost": "1.1",
        # Docker gives /dev/shm 64 MB, too little for a parallel hash join.
        "dynamic_shared_memory_type": "sysv" if small_shm else "posix",
        "logging_collector": "on",  # one file per weekday, overwritten
        "log_filename": "'postgresql-%a.log'",
        "log_truncate_on_rotation": "on",
        "log_rotation_size": "0",
        "log_min_duration_statement": "-1",
    }


def is_free(port: int) -> bool:
    """Whether nobody listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(cluster: Cluster) -> int:
    """The port this cluster had, if it is still free, else the next free one."""
    if cluster.port and is_free(cluster.port):
        return cluster.port
    start = int(hashlib.sha256(str(cluster.folder).encode()).hexdigest(), 16) % len(PORTS)
    port = next((p for p in (*PORTS[start:], *PORTS[:start]) if is_free(p)), None)
    if port is None:
        raise PostgresError(f"no free port on 127.0.0.1 between {PORTS.start} and {PORTS.stop}")
    return port


def write_conf(cluster: Cluster, data: Path, *, port: int) -> None:
    """Write our settings into a data folder, owned by the server's user."""
    network = {"port": port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''"}
    lines = ["# Written by scripts/postgres.py at every start; yours: alter system set …"]
    lines += [f"{name} = {value}" for name, value in (network | {**cluster.settings}).items()]
    write_private(data / CONF, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, mode 600, owned by the owner of its folder."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    owner = path.parent.stat()
    if os.geteuid() == 0:
        os.chown(new, owner.st_uid, owner.st_gid)
    new.rename(path)


# Life of a cluster --------------------------------------------------------------------------------


def initialise(cluster: Cluster, binaries: Binaries) -> None:
    """Run initdb beside the place and move it there: a killed run leaves no half cluster."""
    say(f"making a PostgreSQL {binaries.major} cluster in {cluster.folder} …")
    password = cluster.folder / "password"
    write_private(password, secrets.token_urlsafe(24) + "\n")
    unfinished = cluster.folder / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    locale = "C.UTF-8" if platform.system() == "Linux" else "en_US.UTF-8"
    done = execute(
        cluster,
        binaries.tool("initdb"),
        f"--pgdata={unfinished}",
        f"--username={ROLE}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        f"--locale={locale}",
        "--lc-collate=C",  # text sorts and indexes twice as fast, in the same order as C.UTF-8
    )
    if done.returncode:
        raise PostgresError(f"initdb failed:\n{done.stdout}{done.stderr}")
    with (unfinished / "postgresql.conf").open("a") as conf:
        conf.write(f"include = '{CONF}'\n")
    write_conf(cluster, unfinished, port=choose_port(cluster))
    unfinished.rename(cluster.data)


def query(cluster: Cluster, binaries: Binaries, sql: str, *, database: str = "postgres") -> str:
    """Run SQL by psql and return its bare output.

    Raises:
        PostgresError: the server refused.
    """
    command = [binaries.tool("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"]
    done = execute(cluster, *command, env=cluster.env(database=database), text=sql)
    if done.returncode:
        raise PostgresError(done.stderr.strip())
    return done.stdout.strip()


def answers(cluster: Cluster, binaries: Binaries) -> bool:
    """Whether this cluster, and not another on its port, takes connections."""
    if not cluster.made:
        return False
    probe = [binaries.tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(cluster.port)]
    if execute(cluster, *probe).returncode:
        return False
    try:
        return query(cluster, binaries, "show data_directory") == str(cluster.data)
    except PostgresError:
        return False


def server_pid(cluster: Cluster) -> int | None:
    """The process that postmaster.pid names, None if there is no such file."""
    try:
        return int((cluster.data / "postmaster.pid").read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def was_upgraded_under(cluster: Cluster) -> bool:
    """Whether apt replaced the running server's program file; its extensions then fail to load."""
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{server_pid(cluster)}/exe").readlink()).endswith(" (deleted)")
    return False


def is_running(cluster: Cluster, binaries: Binaries) -> bool:
    """Whether the server's process is there, though it may answer nobody yet."""
    command = [binaries.tool("pg_ctl"), "status", "-D", str(cluster.data), "-s"]
    return execute(cluster, *command).returncode == 0


def start(cluster: Cluster, binaries: Binaries) -> None:
    """Start the server and wait until it answers; tries again over what kill -9 left behind.

    Raises:
        PostgresError: it does not start; says the end of its log.
    """
    log = cluster.folder / "start.log"
    begun, trouble = time.monotonic(), "it runs and answers nobody"
    while True:
        # One that is recovering from a crash has its port already: it is waited for, not moved.
        recovering = is_running(cluster, binaries)
        if not recovering:
            write_conf(cluster, cluster.data, port=choose_port(cluster))
            command = [binaries.tool("pg_ctl"), "start", "-D", str(cluster.data), "-l", str(log)]
            trouble = execute(cluster, *command, "-w", "-s", "-t", "600").stderr.strip()
        if answers(cluster, binaries):
            return
        # For seconds after kill -9, orphans of the dead server hold its memory ("still in use").
        if time.monotonic() - begun > (RECOVERY_S if recovering else PATIENCE_S):
            break
        time.sleep(0.5)
    end = "\n".join(log.read_text().splitlines()[-15:]) if log.exists() else ""
    raise PostgresError(f"PostgreSQL does not start: {trouble}\n{log}:\n{end}")


def stop(cluster: Cluster, *, mode: str = "fast") -> bool:
    """Stop the server; False if it was not running."""
    if not cluster.made or server_pid(cluster) is None:
        return False
    command = [binaries_for(cluster).tool("pg_ctl"), "stop", "-D", str(cluster.data)]
    return execute(cluster, *command, "-m", mode, "-w", "-s", "-t", "300").returncode == 0


def make_databases(cluster: Cluster, binaries: Binaries, names: tuple[str, ...]) -> None:
    """Create the databases that are missing."""
    there = query(cluster, binaries, "select datname from pg_database").splitlines()
    for name in names:
        if name not in there:
            query(cluster, binaries, f'create database "{name}"')


def bring_up(cluster: Cluster) -> bool:
    """Make, start and fill in the cluster as far as needed; whether it had to be started.

    Raises:
        PostgresError: no binaries, or the server does not start.
    """
    binaries = binaries_for(cluster)
    make_folder(cluster.folder)
    if not cluster.made:
        initialise(cluster, binaries)
    if answers(cluster, binaries):
        if not was_upgraded_under(cluster):
            return False
        say("PostgreSQL was upgraded under the running server: restarting it")
        stop(cluster)
    start(cluster, binaries)
    make_databases(cluster, binaries, DATABASES)
    return True


@contextlib.contextmanager
def throwaway() -> Iterator[Cluster]:
    """A cluster in a folder of its own, not yet made; stopped and deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="intel-lead-test-", dir="/tmp"))
    # Nothing in it must survive a power cut; a killed server it does survive.
    fast = {"fsync": "off", "full_page_writes": "off"}
    cluster = Cluster(folder=folder, settings=settings(memory_mb=2048) | fast)
    try:
        yield cluster
    finally:
        stop(cluster, mode="immediate")
        shutil.rmtree(folder)


# Commands -----------------------------------------------------------------------------------------


def users_server() -> dict[str, str]:
    """PG* of the server that the user chose, empty when ours is to be used."""
    env = {**os.environ}
    if not ambiente.users_server(env):
        return {}
    ambiente.fill(env)
    return {name: value for name, value in env.items() if name.startswith("PG")}


def clones_server() -> dict[str, str]:
    """Have this clone's server running and return its PG*."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        cluster = clones_cluster()
        if bring_up(cluster):
            say(f"PostgreSQL runs on 127.0.0.1:{cluster.port}, data in {cluster.folder}")
        env = cluster.env()
        if ambiente.read_file(ambiente.SERVER_FILE) != env:
            lines = (f"{name}={value}\n" for name, value in env.items())
            write_private(Path(ambiente.SERVER_FILE), "".join(lines))
    return env


def client() -> str:
    """The psql of this machine."""
    found = shutil.which("psql") or ((i := find_binaries()) and i.tool("psql"))
    if not found:
        raise PostgresError("psql is not on this machine: install the PostgreSQL client")
    return found


def up() -> None:
    """Have a server, ours unless the user chose one, with a place for Dagster's tables on it."""
    theirs = users_server()
    if not theirs:
        clones_server()
        return
    say(f"o servidor é o seu, {theirs['PGHOST']}:{theirs['PGPORT']}: nenhum é iniciado")
    python = Path(ambiente.CLONE) / ".venv" / "bin" / "python"
    done = subprocess.run([python, "-m", "dagster_pipeline.preflight"], cwd=ambiente.CLONE)
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
    say("PostgreSQL stopped" if stopped else "PostgreSQL was not running")


def status() -> None:
    """Say where the data is and whether the server runs."""
    if theirs := users_server():
        print(f"your own server: {theirs['PGHOST']}:{theirs['PGPORT']}")
        return
    cluster = clones_cluster() if HOME.exists() else None
    if not cluster or not cluster.made:
        print("no cluster yet: make db")
        return
    running = answers(cluster, binaries_for(cluster))
    print(f"{'running' if running else 'stopped'} on 127.0.0.1:{cluster.port}, {cluster.folder}")


def remove() -> None:
    """Stop this clone's server and delete its data."""
    if not HOME.exists():
        say("no cluster: nothing to remove")
        return
    down()
    shutil.rmtree(HOME.resolve())
    HOME.unlink(missing_ok=True)
    Path(ambiente.SERVER_FILE).unlink(missing_ok=True)
    say("the database of this clone is deleted")


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
        print(ambiente.to_url(users_server() or clones_server()))
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
        sys.exit(f"{error}: this clone's server belongs to another user (root?); run as that user")
