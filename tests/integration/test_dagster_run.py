"""`make run` as a person meets it: first and second run, bad files, failed builds, Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from dagster_pipeline import manifest
from dagster_pipeline.definitions import defs
from dagster_pipeline.defs import dbt, raw, safras
from dagster_pipeline.defs.resources import end_dead_runs
from dagster_pipeline.defs.safras import OP
from dagster_pipeline.defs.sensors import FROM_INBOX
from loaders import figures
from loaders.synthetic.writer import generate

CLONE = Path(__file__).resolve().parent.parent.parent
KEY = "64000-2023"


def execute(*files: Path) -> subprocess.CompletedProcess[str]:
    """`python -m dagster_pipeline.run`, its output and exit code."""
    command = [sys.executable, "-m", "dagster_pipeline.run", *map(str, files)]
    return subprocess.run(command, cwd=CLONE, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def instance(database: dict[str, str], own_dagster: None) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture(scope="module")
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect("", autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def bdgd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bdgd")
    return generate(folder / "s.gdb.zip", ucs=150, distribuidora=64000, ano=2023, faults=["at_ds"])


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ruim") / "ruim.gdb.zip"
    file.write_text("isto não é um zip")
    return file


@pytest.fixture(scope="module")
def first(instance: dg.DagsterInstance, bdgd: Path, bad: Path) -> subprocess.CompletedProcess[str]:
    """The first run on an empty database: a bad file first, then a good one."""
    return execute(bad, bdgd)


def published(conn: psycopg.Connection) -> list[tuple]:
    return conn.execute("select * from intel_lead.safra_publicada order by ano").fetchall()


def test_a_bad_file_does_not_hold_back_the_good_one(
    first: subprocess.CompletedProcess[str], conn: psycopg.Connection
) -> None:
    assert first.returncode == 3, first.stdout + first.stderr
    assert "ruim.gdb.zip" in first.stdout
    assert [(ano, dist) for *_, dist, ano in published(conn)] == [(2023, 64000)]
    (error,) = conn.execute(
        "select erro from intel_lead.import_status where status = 'failed'"
    ).fetchone()
    assert "ruim.gdb.zip" in error


def test_the_energy_said_is_that_of_the_file(
    first: subprocess.CompletedProcess[str], conn: psycopg.Connection
) -> None:
    (kwh,) = conn.execute(
        "select sum(energia_total) from intel_lead.lead_energia_mensal where origem = 'UCBT'"
    ).fetchone()
    assert figures.number(kwh, 2) in first.stdout


@pytest.mark.usefixtures("first")
def test_dagster_keeps_runs_and_materializations(instance: dg.DagsterInstance) -> None:
    jobs = [run.job_name for run in instance.get_runs()]
    assert jobs == ["lote"]
    assert instance.get_dynamic_partitions("safra") == [KEY]
    for key in ([*raw.FILE.path], ["raw", "ucbt"], ["intel_lead", "safra_publicada"]):
        assert KEY in instance.get_materialized_partitions(dg.AssetKey(key))
    out = Path(os.environ["DAGSTER_HOME"]) / "storage"
    assert any("Running with dbt" in file.read_text() for file in out.rglob("compute_logs/*.out"))


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("asset", "label"),
    [
        ("intel_lead/lead_energia_mensal", "dagster/partition_row_count"),
        ("marts/resumo_municipio", "dagster/row_count"),
        ("seeds/feriado", "dagster/row_count"),
    ],
)
def test_a_materialization_says_rows_and_bytes(
    instance: dg.DagsterInstance, conn: psycopg.Connection, asset: str, label: str
) -> None:
    event = instance.get_latest_materialization_event(dg.AssetKey(asset.split("/")))
    told = {k: v.value for k, v in event.asset_materialization.metadata.items()}
    (rows,) = conn.execute(f"select count(*) from {asset.replace('/', '.')}").fetchone()
    assert told[label] == rows > 0
    assert told["bytes"] >= 8192


@pytest.mark.usefixtures("first")
def test_the_publication_of_a_safra_says_how_much_it_is(
    instance: dg.DagsterInstance, conn: psycopg.Connection
) -> None:
    event = instance.get_latest_materialization_event(dbt.PUBLISHED)
    told = {k: v.value for k, v in event.asset_materialization.metadata.items()}
    count = "select count(*) from intel_lead.lead_bruto"
    assert told["leads"] == conn.execute(count).fetchone()[0]
    imported = "select import_id from intel_lead.safra_publicada"
    assert told["import_id"] == conn.execute(imported).fetchone()[0]
    leaves = (
        "select sum(pg_total_relation_size(oid)) from pg_class"
        " where relnamespace = 'safra'::regnamespace and relkind = 'r'"
    )
    assert told["bytes"] == conn.execute(leaves).fetchone()[0]


@pytest.mark.usefixtures("first")
def test_the_second_time_does_nothing(instance: dg.DagsterInstance, bdgd: Path) -> None:
    before = len(instance.get_runs())
    second = execute(bdgd)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "nada" in second.stdout
    assert len(instance.get_runs()) == before


@pytest.mark.usefixtures("first")
def test_after_a_success_nothing_is_unsynced(instance: dg.DagsterInstance) -> None:
    """What the page calls unsynced: it asks its data versions, which has no public name."""
    definitions = defs()
    on_or_off = CachingStaleStatusResolver(
        instance, definitions.resolve_asset_graph(), LoadingContextForTest(instance)
    )
    of_all = {
        (key, particao): on_or_off.get_status(key, particao)
        for key in definitions.resolve_asset_graph().materializable_asset_keys
        for particao in (
            [KEY] if definitions.resolve_asset_graph().get(key).partitions_def else [None]
        )
    }
    assert len(of_all) > 50
    outside = {
        key.to_user_string(): [
            f"{cause.reason} ({cause.dependency})"
            for cause in on_or_off.get_stale_causes(key, particao)
        ]
        for (key, particao), e in of_all.items()
        if e == StaleStatus.STALE
    }
    assert outside == {}


@pytest.mark.usefixtures("first")
def test_what_a_dead_run_published_is_told_later(conn: psycopg.Connection) -> None:
    (leads,) = conn.execute("select count(*) from intel_lead.lead_bruto").fetchone()
    nodes = dbt.loaded(manifest.prepare())
    with dg.DagsterInstance.ephemeral() as new:
        new.add_dynamic_partitions("safra", [KEY])
        assert safras.untold(new, conn) == [KEY]
        assert safras.tell(new, conn, nodes) == [KEY]
        assert safras.untold(new, conn) == []
        event = new.get_latest_materialization_event(dg.AssetKey(["intel_lead", "lead_bruto"]))
    counted = event.asset_materialization.metadata["dagster/partition_row_count"].value
    assert counted == leads > 0


@pytest.mark.usefixtures("first")
def test_a_build_that_fails_publishes_nothing(
    conn: psycopg.Connection, instance: dg.DagsterInstance, bdgd: Path
) -> None:
    before = published(conn)
    conn.execute("alter table construcao.lead_bruto add constraint sabotagem check (uc_id is null)")
    conn.execute("update controle.safra_importada set import_id = import_id + 1")
    done = execute(bdgd)
    conn.execute("alter table construcao.lead_bruto drop constraint sabotagem")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "sabotagem" in done.stdout
    assert published(conn) == before
    (last,) = instance.get_runs(limit=1)
    assert (last.job_name, last.status) == ("lote", dg.DagsterRunStatus.FAILURE)


def test_a_dead_run_is_ended(
    instance: dg.DagsterInstance, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.run_states.GRACE_S", 0)
    alive, dead = (
        instance.create_run_for_job(_nothing(), status=dg.DagsterRunStatus.STARTED)
        for _ in range(2)
    )
    for run in (alive, dead):
        instance.report_engine_event("started", run)
    with psycopg.connect("", autocommit=True) as owner:
        owner.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", [0x52554E, alive.run_id])
        assert end_dead_runs(instance, conn) == [dead.run_id]
    assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
    assert end_dead_runs(instance, conn) == [alive.run_id]


def _nothing(name: str = "nada") -> dg.JobDefinition:
    @dg.job(name=name)
    def nothing() -> None: ...

    return nothing


def test_the_inbox_sensor(
    instance: dg.DagsterInstance, bad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits for files to be whole, then asks for all of them at once; not beside its own run."""
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path))
    generate(tmp_path / "b.gdb.zip", ucs=60, distribuidora=63000)
    (tmp_path / "a_ruim.gdb.zip").write_bytes(bad.read_bytes())
    sensor = defs().get_sensor_def("caixa_de_entrada")
    cursor, requests = None, []
    for turn in range(3):
        if turn == 1:
            (tmp_path / "c.gdb.zip").write_bytes(b"meio")  # begins to arrive
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        result = sensor.evaluate_tick(context)
        cursor = result.cursor
        requests.append(
            [
                [Path(name).name for name in request.run_config["ops"][OP]["config"]["arquivos"]]
                for request in result.run_requests
            ]
        )
    whole_ones = ["a_ruim.gdb.zip", "b.gdb.zip"]
    assert requests == [[], [whole_ones], [[*whole_ones, "c.gdb.zip"]]]
    for file in tmp_path.iterdir():
        file.unlink()
    (tmp_path / "complemento").mkdir()
    (tmp_path / "complemento" / "ucbt_pj.csv").write_text("COD_ID_ENCR;DIST\n")
    for _ in range(2):
        result = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))
        cursor = result.cursor
    (request,) = result.run_requests
    config = request.run_config["ops"][OP]["config"]
    assert config["complemento"] and config["arquivos"][0].endswith("complemento/ucbt_pj.csv")
    instance.create_run_for_job(_nothing("lote"), tags=FROM_INBOX)
    busy = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert not busy.run_requests


def test_ctrl_c_ends_the_run(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    file = generate(tmp_path / "c.gdb.zip", ucs=60, distribuidora=62000)
    command = [sys.executable, "-u", "-m", "dagster_pipeline.run", str(file)]
    with subprocess.Popen(
        command, cwd=CLONE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for row in process.stdout:
            if row.startswith("carga"):
                process.send_signal(signal.SIGINT)
                break
        said = process.stdout.read()
        assert process.wait(60) == 130
    assert "interrompido" in said
    assert "Traceback" not in said
    (last,) = instance.get_runs(limit=1)
    assert last.status == dg.DagsterRunStatus.CANCELED


def test_a_bad_csvs_row_does_not_reach_the_events(
    empty_database_env: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "ucmt_pj.csv"
    file.write_text("COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;401;RUA SECRETA\n")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("safra", ["401-2024"])
        done = (
            defs()
            .resolve_job_def("safra")
            .execute_in_process(
                instance=instance,
                partition_key="401-2024",
                asset_selection=[dg.AssetKey(["raw", "ucmt"])],
                run_config={"ops": {"safra_inteira": {"config": {"arquivo": str(file)}}}},
                raise_on_error=False,
            )
        )
        events = "".join(str(e) for e in instance.all_logs(done.run_id))
    assert not done.success
    assert "ucmt_pj.csv" in events
    assert "SECRETA" not in events
