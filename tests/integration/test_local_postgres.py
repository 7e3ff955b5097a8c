"""The project-local cluster: comes up, comes back, stays this clone's. Not here: what is in it."""

import os
import signal
import socket
from collections.abc import Iterator

import psycopg
import pytest

from server import clusters, postgres


@pytest.fixture(scope="module")
def cluster() -> Iterator[clusters.Cluster]:
    """A cluster that runs at the beginning of the module and is nobody else's."""
    with clusters.throwaway() as made:
        clusters.bring_up(made)
        yield made


def value(cluster: clusters.Cluster, sql: str) -> str:
    """One value, asked by psql."""
    return clusters.query(cluster, clusters.binaries_for(cluster), sql, database="lead")


def test_it_has_postgis_and_both_databases(cluster: clusters.Cluster) -> None:
    value(cluster, "create extension postgis")
    assert value(cluster, "select st_srid(st_setsrid(st_point(-51, -28), 4674))") == "4674"
    assert value(cluster, "select count(*) from pg_database where datname = 'dagster'") == "1"


def test_an_unpruned_query_over_300_safras_gets_its_locks(cluster: clusters.Cluster) -> None:
    locks = int(value(cluster, "show max_locks_per_transaction"))
    assert locks >= 1024
    assert locks * int(value(cluster, "show max_connections")) > 10 * 2_724


def test_up_a_second_time_changes_nothing(cluster: clusters.Cluster) -> None:
    before = value(cluster, "select pg_postmaster_start_time()")
    assert not clusters.bring_up(cluster)
    assert value(cluster, "select pg_postmaster_start_time()") == before


def test_a_wrong_password_is_refused(cluster: clusters.Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=cluster.port, user="lead", password="guess")


def test_it_comes_back_after_kill_9_with_what_was_committed(cluster: clusters.Cluster) -> None:
    value(cluster, "create table committed as select 42 as answer")
    os.kill(clusters.server_pid(cluster), signal.SIGKILL)
    assert clusters.bring_up(cluster)
    assert value(cluster, "select answer from committed") == "42"


def test_a_server_that_answers_nobody_yet_is_waited_for_where_it_is(
    cluster: clusters.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in crash recovery: the process lives and holds the port."""
    pid, port = clusters.server_pid(cluster), cluster.port
    monkeypatch.setattr(clusters.time, "sleep", lambda _: os.kill(pid, signal.SIGCONT))
    os.kill(pid, signal.SIGSTOP)
    clusters.bring_up(cluster)
    assert (clusters.server_pid(cluster), cluster.port) == (pid, port)


def test_it_moves_when_another_process_took_its_port(cluster: clusters.Cluster) -> None:
    port = cluster.port
    clusters.stop(cluster)
    with socket.create_server(("127.0.0.1", port)):
        assert clusters.bring_up(cluster)
        assert cluster.port != port
        assert value(cluster, "select 1") == "1"


def test_an_initdb_that_was_killed_is_begun_again() -> None:
    with clusters.throwaway() as cluster:
        (cluster.folder / "data.new").mkdir()
        (cluster.folder / "data.new" / "PG_VERSION").write_text("15\n")
        assert clusters.bring_up(cluster)


def test_nothing_is_started_beside_a_server_of_the_users(
    server: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_PGDATABASE", "dagster_of_the_user")
    monkeypatch.setattr(postgres, "clones_server", lambda: pytest.fail("started ours"))
    postgres.up()
    assert "nenhum é iniciado" in capfd.readouterr().err
    with psycopg.connect("", dbname="dagster_of_the_user"):
        pass


def test_url_prints_one_address_and_nothing_else(
    database: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    postgres.main(["url"])
    out = capfd.readouterr().out
    with psycopg.connect(out.strip()) as connection:
        assert connection.info.dbname == database["PGDATABASE"]
    assert out.count("\n") == 1
