"""Dagster's storage: it keeps its connections, and does without those that the server dropped."""

import dagster as dg
import psycopg
import pytest
from sqlalchemy import text

from dagster_pipeline.defs import events

EVENTS = 30


@pytest.fixture
def instance(database: dict[str, str]) -> dg.DagsterInstance:
    """The instance that dagster.yaml describes."""
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture
def dagster_db(database: dict[str, str]) -> psycopg.Connection:
    with psycopg.connect(dbname=database["DAGSTER_PGDATABASE"], autocommit=True) as conn:
        yield conn


def _mark(instance: dg.DagsterInstance, times: int) -> None:
    """Store events and read them back, as a run does."""
    for n in range(times):
        event = dg.AssetMaterialization("marca", metadata={"n": n})
        instance.report_runless_asset_event(event)
    newest = instance.get_latest_materialization_event(dg.AssetKey("marca"))
    assert newest.asset_materialization.metadata["n"].value == times - 1


def _opened(conn: psycopg.Connection) -> int:
    """How many sessions this database has ever had."""
    conn.execute("select pg_stat_force_next_flush()")
    query = "select sessions from pg_stat_database where datname = current_database()"
    return conn.execute(query).fetchone()[0]


def test_events_open_no_connection_each(
    instance: dg.DagsterInstance, dagster_db: psycopg.Connection
) -> None:
    _mark(instance, 1)
    before = _opened(dagster_db)
    _mark(instance, EVENTS)
    assert _opened(dagster_db) - before < EVENTS / 3


def test_a_connection_the_server_dropped_is_replaced(
    instance: dg.DagsterInstance, dagster_db: psycopg.Connection
) -> None:
    _mark(instance, 2)
    ended = dagster_db.execute(
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    ).fetchone()
    assert ended[0] > 0
    _mark(instance, 3)


def test_no_event_waits_for_the_disk(instance: dg.DagsterInstance) -> None:
    with instance.event_log_storage.index_connection() as conn:
        assert conn.execute(text("show synchronous_commit")).scalar() == "off"


def test_checks_that_are_written_at_once_are_what_dagster_reads_of_them(
    instance: dg.DagsterInstance,
) -> None:
    # No asset of ours: other tests of this process leave checks of those.
    asset, keys = dg.AssetKey("provado"), [f"{n}-2023" for n in range(1, 6)]

    @dg.op
    def tells(context: dg.OpExecutionContext) -> None:
        events.checks(
            context,
            [
                dg.AssetCheckEvaluation(
                    asset, "portao", key != "3-2023", {"linhas": 7}, description=key, partition=key
                )
                for key in keys
            ],
        )

    @dg.job
    def whole() -> None:
        tells()

    run = whole.execute_in_process(instance=instance)
    check = dg.AssetCheckKey(asset, "portao")
    history = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
    found = {r.partition: r for r in history}
    assert set(found) == set(keys)
    assert {k for k, r in found.items() if r.status.value == "FAILED"} == {"3-2023"}
    assert {r.run_id for r in history} == {run.run_id}
    told = found["3-2023"].event.asset_check_evaluation
    assert (told.description, told.metadata["linhas"].value) == ("3-2023", 7)
    stored = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    assert [entry.asset_check_evaluation.partition for entry in stored] == keys
