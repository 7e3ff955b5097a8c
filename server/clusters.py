"""One PostgreSQL/PostGIS cluster per clone, run from the machine's own binaries.

Belongs here: initdb, start, stop, the port, the two databases. Not here: which binaries
(binaries.py), commands (postgres.py). Standard library only.
"""

import contextlib
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
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loaders import environment
from server.binaries import Binaries, find_binaries, install_binaries
from server.messages import PostgresError, say
from server.settings import memory_mb, settings

LOCAL = Path(environment.CLONE) / ".local"
HOME = LOCAL / "postgres"  # the cluster's folder, or a link to it
CONF = "intel_lead.conf"  # our settings and the port, included at the end of postgresql.conf
ROLE = "lead"
DATABASES = ("lead", "dagster")
PORTS = range(
    20_000, 32_000
)  # below the range from which systems hand out ports of their own accord
PATIENCE_S = 60
RECOVERY_S = 600


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
            "o PostgreSQL não roda como root, e não há usuário postgres. Digite: "
            "useradd --system --user-group postgres"
        ) from None


def clones_cluster() -> Cluster:
    """This clone's cluster: ``.local/postgres`` itself or, as root, the folder it links to.

    The user ``postgres`` cannot enter a private clone. A folder that an earlier clone at this path
    left behind is not taken over: this one gets a new name.
    """
    if os.geteuid() == 0 and not HOME.exists() and not HOME.is_symlink():
        LOCAL.mkdir(exist_ok=True)
        name = "/var/lib/intel-lead-" + hashlib.sha256(environment.CLONE.encode()).hexdigest()[:10]
        folders = (Path(f"{name}-{number}") for number in itertools.count(1))
        for folder in folders:
            if not folder.exists():
                break
            say(f"{folder} era de outro clone neste lugar; apague-a se quiser")
        HOME.symlink_to(folder)
    return Cluster(folder=HOME.resolve(), settings=settings(memory_mb=memory_mb()))


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
        raise PostgresError(f"nenhuma porta livre em 127.0.0.1 entre {PORTS.start} e {PORTS.stop}")
    return port


def write_conf(cluster: Cluster, data: Path, *, port: int) -> None:
    """Write our settings into a data folder, owned by the server's user."""
    network = {"port": port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''"}
    lines = ["# Written by server/postgres.py at every start; yours: alter system set …"]
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
    say(f"criando um PostgreSQL {binaries.major} em {cluster.folder} …")
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
        raise PostgresError(f"o initdb falhou:\n{done.stdout}{done.stderr}")
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
    begun, trouble = time.monotonic(), "está em execução e não responde"
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
    raise PostgresError(f"o PostgreSQL não inicia: {trouble}\n{log}:\n{end}")


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
        say("o PostgreSQL foi atualizado com o servidor ligado: reiniciando")
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
    # What some servers have and the warehouse reads where it is there: tests try both.
    fast |= {"shared_preload_libraries": "pg_stat_statements"}
    cluster = Cluster(folder=folder, settings=settings(memory_mb=2048) | fast)
    try:
        yield cluster
    finally:
        stop(cluster, mode="immediate")
        shutil.rmtree(folder)
