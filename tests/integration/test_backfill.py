"""Vintages from ANEEL's Hub to readers: `make backfill`, the daily look, going on after a kill.

Belongs here: that a bad one stops no other, that nothing done is done again, what Dagster is told.
Not here: the plan (test_catalogue_vintages.py), the Hub's answers and files (unit/), batches
(test_batch.py).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from dagster_pipeline import status, vintages
from dagster_pipeline.definitions import defs
from dagster_pipeline.defs import raw
from dagster_pipeline.defs.vintages import CATALOGUE, JOB, OP
from loaders import connection as db
from loaders.catalogue import bookkeeping, wanted
from loaders.open_data.client import Client, Patience
from loaders.synthetic.writer import generate
from tests.fake_hub import Hub, served
from tests.integration.test_complement import units, write

CLONE = Path(__file__).resolve().parent.parent.parent
PATIENT = Patience(attempts=2, first_s=0, longest_s=0, stall_s=60)
GOOD = {key: int(key[:5]) for key in ("64001-2023", "64002-2023", "64003-2023")}
BAD, FOLLOWED = "64004-2023", "64005-2024"


@pytest.fixture(scope="module")
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with closing(db.connect()) as connection:
        yield connection


@pytest.fixture(scope="module")
def instance(database: dict[str, str], own_dagster: None) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Hub]:
    """Three good vintages, and one whose content is another's zip without a geodatabase."""
    folder = tmp_path_factory.mktemp("hub")
    with served() as one, pytest.MonkeyPatch.context() as patch:
        for n, (key, code) in enumerate(GOOD.items()):
            path = generate(folder / f"{key}.gdb.zip", ucs=60 + n, distribuidora=code, ano=2023)
            put(one, key, path.read_bytes())
        put(one, BAD, b"isto e texto")
        one.put_csvs(ucat_pj=b"", ucmt_pj=b"", ucbt_pj=b"")
        patch.setenv("INTEL_CATALOGO_ENDERECO", one.url)
        patch.setenv("INTEL_CATALOGO_CKAN_ENDERECO", one.url)
        patch.setenv("INTEL_ARQUIVO", str(folder / "arquivo"))
        patch.setenv("INTEL_SEGUIR", "")
        yield one


def put(hub: Hub, key: str, content: bytes) -> None:
    code, _, year = key.partition("-")
    hub.put(f"item{key}", f"Rede_{code}_{year}-12-31_V11_20250806-1857", content)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-u", "-m", "dagster_pipeline.backfill", *arguments]


def backfill(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`make backfill`."""
    return subprocess.run(
        command(*arguments), cwd=CLONE, capture_output=True, text=True, timeout=900
    )


def published(conn: psycopg.Connection) -> list[str]:
    """Keys of what readers see."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return []
    rows = conn.execute("select distribuidora_id || '-' || ano from intel_lead.safra_publicada")
    return sorted(key for (key,) in rows)


def landings(conn: psycopg.Connection) -> int:
    return conn.execute("select count(*) from intel_lead.import_status").fetchone()[0]


@pytest.fixture(scope="module")
def rehearsed(hub: Hub, conn: psycopg.Connection) -> subprocess.CompletedProcess[str]:
    return backfill("TODAS", "--ensaio")


@pytest.fixture(scope="module")
def killed(
    rehearsed: subprocess.CompletedProcess[str],
    hub: Hub,
    conn: psycopg.Connection,
    instance: dg.DagsterInstance,
) -> str:
    """The process dies while its second vintage comes; what it had said."""
    hub.asked.clear()
    hub.troubles = ["", "stall"]
    said = ""
    with subprocess.Popen(
        command("TODAS"), cwd=CLONE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            said += line
            if line.startswith("busca"):
                break
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    hub.released.set()
    hub.troubles.clear()
    return said


@pytest.fixture(scope="module")
def first(killed: str, hub: Hub) -> subprocess.CompletedProcess[str]:
    """The same command again."""
    hub.asked.clear()
    return backfill("TODAS")


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(
    rehearsed: subprocess.CompletedProcess[str], hub: Hub, conn: psycopg.Connection
) -> None:
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    for key in (*GOOD, BAD):
        assert f"plano    {key}: no catálogo" in rehearsed.stdout
    assert "4 safras a publicar" in rehearsed.stdout
    assert "MB a buscar" in rehearsed.stdout
    assert hub.downloads() == []
    assert landings(conn) == 0


def test_after_a_kill_the_same_command_goes_on(
    killed: str, first: subprocess.CompletedProcess[str], hub: Hub, conn: psycopg.Connection
) -> None:
    """What is in the archive is not fetched again; the bad one stops no other, and is named."""
    assert killed.count("busca ") == 1
    assert first.returncode == 3, first.stdout + first.stderr
    assert "no arquivo" in first.stdout
    assert len(hub.downloads()) == 3
    assert published(conn) == sorted(GOOD)
    assert f"{BAD}: Rede_64004_2023-12-31_V11_20250806-1857: não é uma geodatabase" in first.stdout
    assert "4 de 4, 3 publicadas" in first.stdout


@pytest.mark.usefixtures("first")
def test_what_is_done_is_not_done_again(hub: Hub, conn: psycopg.Connection) -> None:
    before, said = landings(conn), backfill(*GOOD)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "0 safras a publicar" in said.stdout
    assert landings(conn) == before


@pytest.mark.usefixtures("first")
def test_readers_see_what_aneel_has_and_what_of_it_is_here(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "select distribuidora_id || '-' || ano, situacao, ultimo_erro is not null"
        " from marts.mart_catalogo_bdgd order by 1"
    ).fetchall()
    assert rows == [*((key, "publicada", False) for key in GOOD), (BAD, "conhecida", True)]


@pytest.mark.usefixtures("first")
def test_the_status_says_how_much_of_the_catalogue_is_here(conn: psycopg.Connection) -> None:
    said = " ".join(" ".join(status.lines(conn)).split())
    assert "Catálogo da ANEEL: 4 bases" in said
    assert "3 publicadas" in said


@pytest.mark.usefixtures("first")
def test_dagster_knows_the_catalogue_and_the_safras(instance: dg.DagsterInstance) -> None:
    assert set(GOOD) <= set(instance.get_dynamic_partitions("safra"))
    event = instance.get_latest_materialization_event(CATALOGUE).asset_materialization
    assert event.metadata["dagster/row_count"].value == 7
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=raw.FILE, asset_partitions=["64001-2023"]), limit=1
    ).records[0]
    path = Path(found.asset_materialization.metadata["caminho"].value)
    assert path.parent.parts[-2:] == ("64001", "2023")
    assert path.exists()


def in_page(instance: dg.DagsterInstance, **config: object) -> dg.ExecuteInProcessResult:
    """The job, as the schedule or a person in the page runs it."""
    return (
        defs()
        .resolve_job_def(JOB)
        .execute_in_process(
            instance=instance, run_config={"ops": {OP: {"config": config}}}, raise_on_error=False
        )
    )


@pytest.mark.usefixtures("first")
def test_a_daily_look_publishes_what_is_followed_and_nothing_else(
    hub: Hub,
    conn: psycopg.Connection,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = generate(tmp_path / "n.gdb.zip", ucs=70, distribuidora=64005, ano=2024)
    put(hub, FOLLOWED, new.read_bytes())
    hub.asked.clear()
    assert in_page(instance).success
    assert hub.downloads() == []
    assert FOLLOWED not in published(conn)
    monkeypatch.setenv("INTEL_SEGUIR", "64005")
    assert [task.key for task in wanted.waiting(conn)] == [FOLLOWED]
    assert in_page(instance).success
    assert FOLLOWED in published(conn)
    assert wanted.waiting(conn) == []
    graph = defs().resolve_asset_graph()
    states = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    for key in (dg.AssetKey(["raw", "ucbt"]), dg.AssetKey(["intel_lead", "lead_bruto"])):
        assert states.get_status(key, "64001-2023") is not StaleStatus.STALE


@pytest.mark.usefixtures("first")
def test_a_hub_that_is_down_fails_the_look_only_where_something_is_followed(
    hub: Hub, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.open_data.client.Patience", lambda: PATIENT)
    monkeypatch.setenv("INTEL_SEGUIR", "mux")
    refused = in_page(instance)
    assert not refused.success
    hub.search_troubles = ["error"] * 2
    monkeypatch.setenv("INTEL_SEGUIR", "64001")
    assert not in_page(instance).success
    hub.search_troubles = ["error"] * 2
    monkeypatch.setenv("INTEL_SEGUIR", "")
    assert in_page(instance).success


@pytest.mark.usefixtures("first")
def test_one_batch_after_the_other_each_safra_at_once(
    hub: Hub, conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stops after a batch has published it, and goes on with the rest."""
    monkeypatch.setattr(vintages, "AT_ONCE", 1)
    keys = ("64006-2023", "64006-2024")
    for n, key in enumerate(keys):
        code, year = map(int, key.split("-"))
        path = generate(tmp_path / f"{key}.gdb.zip", ucs=60, seed=n, distribuidora=code, ano=year)
        put(hub, key, path.read_bytes())
    client = Client(PATIENT)
    bookkeeping.refresh(conn, client)
    asked, said = wanted.read(["64006"]), []
    running = vintages.run(asked, client, say=said.append)
    assert next(running).build.published == ["64006-2024"]
    running.close()
    assert any("1 de 2, 1 publicadas; falta cerca de" in line for line in said)
    hub.asked.clear()
    (second,) = vintages.run(asked, client)
    assert second.build.published == ["64006-2023"]
    assert len(hub.downloads()) == 1


@pytest.mark.usefixtures("first")
def test_the_page_finds_a_safras_file_in_the_archive(conn: psycopg.Connection, hub: Hub) -> None:
    copies = wanted.copies(conn)
    with dg.DagsterInstance.ephemeral() as empty:
        path = raw.newest_file(empty, "64001-2023", copies)
        assert path.name == "Rede_64001_2023-12-31_V11_20250806-1857.gdb.zip"
        assert os.path.realpath(path).endswith(f"{copies['64001-2023'].sha256}.gdb.zip")
        with pytest.raises(dg.Failure, match="make backfill SAFRAS=64009-2023"):
            raw.newest_file(empty, "64009-2023", copies)


@pytest.mark.usefixtures("first")
def test_a_csv_lands_beside_its_geodatabase_and_builds_that_safra_alone(
    hub: Hub, conn: psycopg.Connection, tmp_path: Path
) -> None:
    geodatabase = wanted.copies(conn)["64001-2023"].path
    rows = units(geodatabase)[:5]
    csv = write(tmp_path / "ucbt_pj.csv", rows, DATA_BASE="31/12/2023")
    hub.files["ucbt_pj"] = csv.read_bytes()
    client = Client(PATIENT)
    bookkeeping.refresh(conn, client)
    (outcome,) = vintages.run(wanted.read(["ucbt_pj"]), client)
    assert outcome.problems() == []
    assert outcome.build.published == ["64001-2023"]
    following = replace(wanted.read(["ucbt_pj"]), typed=False)
    assert wanted.plan(conn, following).tasks == []
