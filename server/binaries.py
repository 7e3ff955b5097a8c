"""The machine's PostgreSQL/PostGIS programs: found, or installed where that is allowed.

Belongs here: which installation. Not here: running a server (clusters.py), apt itself
(system_packages.py). Standard library only.
"""

import contextlib
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server import system_packages
from server.messages import PostgresError

OLDEST = 15


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation that has PostGIS."""

    folder: Path
    major: int

    def tool(self, name: str) -> str:
        """Path of one of its programs."""
        return str(self.folder / name)


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
            system_packages.install(packages, otherwise=f"Digite: {other}")
    except system_packages.CannotInstall as error:
        raise PostgresError(
            f"esta máquina não tem PostgreSQL ≥ {OLDEST} com PostGIS. {error}\n"
            "Ou use outro servidor: copie .env.example para .env e `docker compose up -d db`,\n"
            "ou defina DATABASE_URL=postgresql://usuario:senha@maquina:porta/banco."
        ) from None
    found = find_binaries(major=major)
    if not found:
        raise PostgresError(
            f"{packages} estão instalados, mas sem PostgreSQL ≥ {OLDEST} com PostGIS"
        )
    return found
