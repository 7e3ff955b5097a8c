"""A server of somebody else's: one database in it, PostGIS where its administrator put it, poolers.

Not here: the clone's own cluster (test_local_postgres.py), TLS (test_tls.py).
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from dagster_pipeline import batch, preflight, status
from loaders import connection as db
from loaders import search_path, server_check
from loaders.errors import DatabaseFailure
from server import backup, clusters, dump, place, restore, roles, system_packages
from tests.conftest import NUMBERS
from tests.integration import warehouse as a
from tests.integration.test_queries import FILES

POSTGIS = "Geo Dados 100%"
"""The schema where the administrator of these tests keeps it."""
THEIRS = f'"$user", public, "{POSTGIS}"'
"""What the administrator set for the whole database."""
OTHER = "de_outro_programa"
OF_DATABASE = """
    select array_agg(unnest order by 1) from pg_db_role_setting, unnest(setconfig)
    where setrole = 0 and setdatabase = (select oid from pg_database where datname = %s)"""


@pytest.fixture(scope="module")
def admin(server: dict[str, str]) -> Iterator[psycopg.Connection]:
    """The server's administrator."""
    with psycopg.connect("", dbname="postgres", autocommit=True) as conn:
        yield conn


def run(conn: psycopg.Connection, text: str, **names: str) -> None:
    """A command with names in it."""
    quoted = {name: sql.Identifier(value) for name, value in names.items()}
    conn.execute(sql.SQL(text).format(**quoted))


def as_admin(admin: psycopg.Connection, database: str) -> psycopg.Connection:
    """The administrator in another database."""
    login = {"user": admin.info.user, "password": admin.info.password}
    return psycopg.connect("", dbname=database, autocommit=True, **login)


@contextmanager
def acting_as(login: Mapping[str, str]) -> Iterator[None]:
    """This process and what it starts log in so; where Dagster's tables are is for us to find."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_PGDATABASE", raising=False)
        for name, value in login.items():
            patch.setenv(name, value)
        yield


@contextmanager
def client(
    admin: psycopg.Connection,
    *,
    postgis: str | None = POSTGIS,
    options: str = "",
    acting: bool = True,
) -> Iterator[dict[str, str]]:
    """A login that may do nothing but make schemas in its one database; this process is it."""
    name = f"cliente_{next(NUMBERS)}"
    word = secrets.token_hex(8)
    run(admin, f"create role {{name}} login password '{word}'", name=name)
    run(admin, f"create database {{name}} {options}", name=name)
    run(admin, "grant create on database {name} to {name}", name=name)
    run(admin, f"alter database {{name}} set search_path = {THEIRS}", name=name)
    if postgis:
        with as_admin(admin, name) as inside:
            if postgis != "public":
                run(inside, "create schema {postgis}", postgis=postgis)
            run(inside, "create extension postgis schema {postgis}", postgis=postgis)
            run(inside, "grant usage on schema {postgis} to public", postgis=postgis)
    login = {"PGUSER": name, "PGPASSWORD": word, "PGDATABASE": name}
    with acting_as(login) if acting else nullcontext():
        yield login
    run(admin, "drop database {name} with (force)", name=name)
    run(admin, "drop role {name}", name=name)


def land_and_build(warehouse: a.Warehouse, path: Path) -> None:
    """What `make db` and `make run` do."""
    assert preflight.main() == 0
    done = warehouse.load(path)
    assert done.ok, done.trouble
    with warehouse.connect() as conn:
        batch.prepare(conn)
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble


@pytest.fixture(scope="module")
def built(
    admin: psycopg.Connection, project: a.Project, files: Mapping[str, Path]
) -> Iterator[a.Warehouse]:
    """A warehouse in such a database."""
    with client(admin, acting=False) as login:
        warehouse = a.Warehouse(login, project)
        run(
            admin,
            f"alter role {{n}} in database {{n}} set search_path = {OTHER}",
            n=login["PGUSER"],
        )
        with acting_as(login):
            land_and_build(warehouse, files["outra"])
        yield warehouse


@pytest.fixture
def hosted(built: a.Warehouse) -> Iterator[a.Warehouse]:
    """The same; this test's process is its owner."""
    with acting_as(built.env):
        yield built


# One database -------------------------------------------------------------------------------------


def test_nobodys_setting_is_replaced_and_the_owner_keeps_what_it_found(
    hosted: a.Warehouse, admin: psycopg.Connection
) -> None:
    """All was built under a search_path of somebody else's choice, which stays.

    Without one of its own, the owner gets the database's, and ours after it.
    """
    name = hosted.env["PGDATABASE"]
    assert a.value(admin, OF_DATABASE, [name]) == [f"search_path={THEIRS}"]
    with hosted.connect() as conn:
        assert a.value(conn, "show search_path") == OTHER
        run(conn, "alter role {name} in database {name} reset search_path", name=name)
    with hosted.connect() as conn:
        assert a.value(conn, "show search_path") == THEIRS
        db.prepare(conn)
    with hosted.connect() as conn:
        assert a.value(conn, "show search_path") == f"{THEIRS}, intel_lead, marts"


def test_what_an_earlier_version_set_for_the_database_is_taken_back(
    admin: psycopg.Connection, empty_database_env: dict[str, str]
) -> None:
    name = empty_database_env["PGDATABASE"]
    ours = search_path.OURS_UNTIL_2026_11_28
    for left, after in ((ours, None), (f"{ours}, deles", [f"search_path={ours}, deles"])):
        run(admin, f"alter database {{name}} set search_path = {left}", name=name)
        with psycopg.connect("", autocommit=True) as conn:
            db.prepare(conn)
        assert a.value(admin, OF_DATABASE, [name]) == after


def test_dagsters_database_of_an_earlier_version_stays_in_use(
    empty_database_env: dict[str, str],
) -> None:
    """A fresh warehouse has the schema, whatever databases there are; what is named goes before."""
    name = empty_database_env["PGDATABASE"]
    with acting_as({}), psycopg.connect("", autocommit=True) as conn:
        assert place.find(conn) == place.Place(name, place.SCHEMA)
        conn.execute("create schema controle create table versao (numero integer)")
        assert place.find(conn) == place.Place("dagster", "public")
        conn.execute("create schema dagster")
        assert place.find(conn) == place.Place(name, place.SCHEMA)
        with acting_as({"DAGSTER_PGDATABASE": "outro"}):
            assert place.find(conn) == place.Place("outro", "public")


def test_dagster_is_in_a_schema_of_the_same_database(
    hosted: a.Warehouse, admin: psycopg.Connection
) -> None:
    with dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("marca"))
        instance.optimize_for_webserver(statement_timeout=5000, pool_recycle=60, max_overflow=2)
        assert instance.get_latest_materialization_event(dg.AssetKey("marca"))
        assert instance.get_runs_count() == 0
    with hosted.connect() as conn:
        where = (
            "select array_agg(distinct schemaname::text) from pg_tables where tablename = any(%s)"
        )
        tables = ["runs", "event_logs", "jobs", "alembic_version"]
        assert a.value(conn, where, [tables]) == [place.SCHEMA]
        assert status.runs(conn) == []
        assert place.find(conn) == place.Place(hosted.env["PGDATABASE"], place.SCHEMA)


def test_the_documents_queries_run_as_owner_analista_and_bi_leitor(
    hosted: a.Warehouse, admin: psycopg.Connection
) -> None:
    """Without its schema the view is that of who asks; PostGIS is found by its name too."""
    owner = hosted.env["PGUSER"]
    words = {role: secrets.token_hex(8) for role in ("analista", "bi_leitor")}
    given = {f"{role.upper()}_PASSWORD": word for role, word in words.items()}
    run(admin, "alter role {owner} createrole", owner=owner)
    done = CliRunner().invoke(roles.app, ["create"], env={**hosted.env, **given})
    assert done.exit_code == 0, (done.output, done.exception)
    try:
        for role, word in {owner: hosted.env["PGPASSWORD"], **words}.items():
            login = {"user": role, "password": word, "dbname": hosted.env["PGDATABASE"]}
            with psycopg.connect(**login, autocommit=True) as conn:
                for file in FILES:
                    conn.execute(file.read_text(encoding="utf-8"))
                conn.execute("select st_x(geom) from lead_com_coordenadas limit 1")
    finally:
        done = CliRunner().invoke(roles.app, ["drop"], env={**hosted.env})
        assert done.exit_code == 0, done.output


def test_a_copy_in_another_database_works(
    hosted: a.Warehouse, admin: psycopg.Connection, tmp_path: Path
) -> None:
    """Restored where its administrator put PostGIS in the same schema, and refused elsewhere."""
    count = "select count(*) from vw_lead_completo_detalhado"
    with hosted.connect() as conn:
        leads = a.value(conn, count.replace("from ", "from intel_lead."))
    with as_admin(admin, hosted.env["PGDATABASE"]) as theirs:
        theirs.execute("create schema deles create table segredo (texto text)")
    saved = backup.create(tmp_path)
    assert dump.verify(saved)["left_out"] == ["deles"]
    with pytest.raises(DatabaseFailure, match="não pode criar bancos.*make restore"):
        restore.restore(saved, new="outra")
    with client(admin):
        restore.restore(saved)
        with psycopg.connect("", autocommit=True) as conn:
            db.prepare(conn)
        with psycopg.connect("", autocommit=True) as conn:
            assert a.value(conn, count) == leads > 0
            schemas = "select to_regnamespace('deles'), to_regnamespace('dagster')"
            assert conn.execute(schemas).fetchone() == (None, None)
    with client(admin, postgis="public"), pytest.raises(DatabaseFailure, match="no mesmo; nada"):
        restore.restore(saved)
    with client(admin, postgis=None), pytest.raises(DatabaseFailure, match="create extension"):
        restore.restore(saved)


def test_a_safra_has_no_more_tables_and_indexes_than_the_locks_are_counted_for(
    model: a.Warehouse,
) -> None:
    with model.connect() as conn:
        query = (
            "select count(*) from pg_class where relname ~ '_404_2024'"
            " and relnamespace in ('safra'::regnamespace, 'raw_safra'::regnamespace)"
        )
        assert 20 < a.value(conn, query) <= server_check.LOCKS_PER_SAFRA


# What a server lacks ------------------------------------------------------------------------------


def refused(capfd: pytest.CaptureFixture[str]) -> str:
    """What ``make db`` says before anything is written."""
    assert preflight.main() == 4
    with psycopg.connect("", autocommit=True) as conn:
        made = "select array_agg(nspname::text) from pg_namespace where nspname = any(%s)"
        assert a.value(conn, made, [["controle", "raw", "dagster"]]) is None
    return capfd.readouterr().err


def test_a_database_that_is_not_fit_is_refused_with_the_remedy(
    admin: psycopg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    latin = "encoding 'LATIN1' locale 'C' template template0"
    with client(admin, postgis=None, options=latin):
        assert "codificação LATIN1" in refused(capfd)
    with client(admin, postgis=None) as login:
        said = refused(capfd)
        assert "não pode instalá-lo" in said
        assert 'create extension if not exists postgis schema "extensions";' in said
        run(admin, "revoke create on database {n} from {n}", n=login["PGUSER"])
        said = refused(capfd)
        assert f'grant create on database "{login["PGUSER"]}" to "{login["PGUSER"]}";' in said
        run(admin, "alter role {n} set default_transaction_read_only = on", n=login["PGUSER"])
        assert "só de leitura" in refused(capfd)


def test_what_is_said_of_versions_locks_and_connections(database: dict[str, str]) -> None:
    with psycopg.connect("", autocommit=True) as conn:
        good = server_check.ask(conn)
    assert (server_check.lacks(good), server_check.warnings(good)) == ([], [])
    old = replace(good, version="13.4", major=13)
    assert server_check.lacks(old) == [
        "o servidor é PostgreSQL 13.4, e é preciso o 15 ou mais novo: atualize-o ou use outro"
    ]
    (few,) = server_check.warnings(replace(good, locks=64, backends=122))
    safras = 64 * 122 // server_check.LOCKS_PER_SAFRA
    assert f"max_locks_per_transaction é 64: dá para {safras} safras" in few
    (few,) = server_check.warnings(replace(good, connections=10, taken=7))
    assert "há 10 conexões para esta conta (3 livres agora)" in few


def test_a_standby_is_refused_and_a_server_that_stops_in_the_middle_is_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with clusters.throwaway() as made:
        cluster = replace(made, settings={**made.settings, "wal_level": "replica"})
        clusters.bring_up(cluster)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in cluster.env().items():
                patch.setenv(name, value)
            conn = db.connect()
            clusters.stop(cluster)
            with pytest.raises(psycopg.OperationalError) as lost:
                conn.execute("select 1")
            assert "parou ou reiniciou. Nada ficou pela metade" in str(db.lost(lost.value))
            (cluster.data / "standby.signal").touch()
            clusters.start(cluster, clusters.binaries_for(cluster))
            patch.setenv("PGPORT", str(cluster.port))
            assert "use o endereço do servidor primário" in refused(capfd)


# Poolers ------------------------------------------------------------------------------------------


def pgbouncer() -> str:
    """Path of the program, which CI installs."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if not (found := shutil.which("pgbouncer", path=path)):
        if not os.environ.get("CI"):
            pytest.skip("pgbouncer is not on this machine: sudo apt-get install pgbouncer")
        system_packages.install(["pgbouncer"])
        found = shutil.which("pgbouncer", path=path)
    return found


@contextmanager
def pooler(login: Mapping[str, str], mode: str) -> Iterator[None]:
    """A pooler before the server; libpq's variables lead to it."""
    folder = Path(tempfile.mkdtemp(prefix="intel-lead-pooler-", dir="/tmp"))
    port = next(p for p in clusters.PORTS if clusters.is_free(p))
    (folder / "users").write_text(f'"{login["PGUSER"]}" "{login["PGPASSWORD"]}"\n')
    (folder / "ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={os.environ['PGPORT']}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {folder / 'users'}\npool_mode = {mode}\n"
    )
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        for place_ in (folder, *folder.iterdir()):
            shutil.chown(place_, user, user)
    process = subprocess.Popen(
        [pgbouncer(), "-q", str(folder / "ini")], user=user, stderr=subprocess.DEVNULL
    )
    try:
        a.until(lambda: not clusters.is_free(port))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGPORT", str(port))
            yield
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_connections_is_refused_before_anything_is_written(
    admin: psycopg.Connection, files: Mapping[str, Path], mode: str
) -> None:
    with client(admin) as login, pooler(login, mode):
        loading = a.Running(a._loaders, ["bdgd", str(files["outra"])], env=login).wait()
        assert loading.code == 4
        assert "pooler em modo de transação" in loading.text
        assert "modo de sessão" in loading.text
        assert preflight.main() == 4
        assert a.value(admin, "select count(*) from pg_locks where locktype = 'advisory'") == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect("", user=login["PGUSER"])


def test_a_pooler_in_session_mode_works(hosted: a.Warehouse, files: Mapping[str, Path]) -> None:
    with pooler(hosted.env, "session"):
        port = {"PGPORT": os.environ["PGPORT"]}
        through = replace(hosted, env={**hosted.env, **port})
        assert preflight.main() == 0
        assert (done := through.load_again(files["outra"])).ok, done.trouble
        assert (done := through.build()).ok, done.trouble
        with dg.DagsterInstance.get() as instance:
            instance.report_runless_asset_event(dg.AssetMaterialization("por_pooler"))
            assert instance.get_latest_materialization_event(dg.AssetKey("por_pooler"))
