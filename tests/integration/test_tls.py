"""A server that takes TLS only: loader, dbt, Dagster's storage and SQLAlchemy honour sslmode.

Not here: who may read what (test_roles.py).
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from loaders import environment
from server import clusters
from tests.integration import warehouse as a

pytestmark = pytest.mark.faults

NAMES = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
NAMES |= {"PGDATABASE": "dbname", "PGSSLMODE": "sslmode"}


def connect(env: Mapping[str, str]) -> psycopg.Connection:
    """A connection by PG* that are not this process's."""
    return psycopg.connect(**{NAMES[k]: v for k, v in env.items() if k in NAMES}, autocommit=True)


@pytest.fixture(scope="module")
def tls() -> Iterator[dict[str, str]]:
    """PG* of a server that takes TLS connections only, and the path of its certificate."""
    with clusters.throwaway() as made:
        clusters.bring_up(made)
        clusters.stop(made)
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(made.data / "server.key"), "-out", str(made.data / "server.crt")]
        openssl = ["openssl", "req", "-new", "-x509", "-nodes", "-days", "2", *subject, *files]
        done = clusters.execute(made, *openssl)
        assert done.returncode == 0, done.stderr
        (made.data / "server.key").chmod(0o600)
        hba = made.data / "pg_hba.conf"
        hba.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        with (made.data / "postgresql.conf").open("a") as conf:
            conf.write("ssl = on\n")
        clusters.bring_up(made)
        yield made.env() | {"PGSSLMODE": "require", "CERTIFICATE": str(made.data / "server.crt")}


USES_TLS = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


def test_without_tls_the_server_refuses(tls: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        connect(tls | {"PGSSLMODE": "disable"})


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_loader_dbt_dagster_and_sqlalchemy_use_tls(
    tls: dict[str, str], project: a.Project, files: Mapping[str, Path], mode: str, tmp_path: Path
) -> None:
    import sqlalchemy
    from dagster import DagsterInstance

    root = {"sslrootcert": copy(tls["CERTIFICATE"], tmp_path)} if mode == "verify-full" else {}
    url = environment.to_url(tls | {"PGSSLMODE": mode})
    url += "".join(f"&{name}={value}" for name, value in root.items())
    env = environment.from_url(url)
    assert env["PGSSLMODE"] == mode
    warehouse = a.Warehouse(env, project)
    assert (done := warehouse.load(files["outra"])).ok, done.text
    assert (done := warehouse.dbt("seed")).ok, done.text
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (env | {"DAGSTER_PGDATABASE": "dagster"}).items():
            patch.setenv(name, value)
        with psycopg.connect("") as conn:
            assert conn.execute(USES_TLS).fetchone() == (True,)
        engine = sqlalchemy.create_engine(environment.to_url(env))
        with engine.connect() as conn:
            assert conn.execute(sqlalchemy.text(USES_TLS)).scalar()
        engine.dispose()
        home = Path(os.environ["DAGSTER_HOME"])
        assert DagsterInstance.from_config(str(home)).get_runs_count() == 0


def copy(certificate: str, folder: Path) -> str:
    """The certificate where this process's children may read it."""
    place = folder / "root.crt"
    place.write_bytes(Path(certificate).read_bytes())
    return str(place)


def test_a_certificate_of_another_is_refused(tls: dict[str, str], tmp_path: Path) -> None:
    files = ["-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "root.crt")]
    openssl = ["openssl", "req", "-new", "-x509", "-nodes", "-subj", "/CN=outro", *files]
    subprocess.run(openssl, check=True, capture_output=True)
    env = tls | {"PGSSLMODE": "verify-full"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGSSLROOTCERT", str(tmp_path / "root.crt"))
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            connect(env)
