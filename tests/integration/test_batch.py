"""One batch of good and bad things: the good are published by it, each bad one keeps its reason."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dagster_pipeline import batch, status
from dagster_pipeline.definitions import defs
from loaders import connection as db
from loaders.bdgd import landing
from loaders.gate import verdict
from loaders.synthetic.writer import generate

CLONE = Path(__file__).resolve().parent.parent.parent
GOOD = ["64001-2023", "64002-2023"]
FAILS_A_TEST, NO_LEAF, HELD = "64003-2023", "64004-2023", "64005-2023"
LEAD = dg.AssetKey(["intel_lead", "lead_bruto"])


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`make run` or, with ``--construir``, `make build`."""
    whole = [sys.executable, "-m", "dagster_pipeline.run", *map(str, arguments)]
    return subprocess.run(whole, cwd=CLONE, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with closing(db.connect()) as connection:
        yield connection


@pytest.fixture(scope="module")
def instance(database: dict[str, str], own_dagster: None) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("lote")
    return {
        key: generate(folder / f"{key}.gdb.zip", ucs=60, distribuidora=int(key[:5]), ano=2023)
        for key in (*GOOD, FAILS_A_TEST, NO_LEAF, HELD)
    }


@pytest.fixture(scope="module")
def whole(
    conn: psycopg.Connection, instance: dg.DagsterInstance, files: dict[str, Path]
) -> subprocess.CompletedProcess[str]:
    """Three that landed before and are broken, two good files, one that is none: one command."""
    for key in (FAILS_A_TEST, NO_LEAF, HELD):
        landing.land(files[key], landing.Options())
    for key in (FAILS_A_TEST, NO_LEAF):
        assert not verdict.judge(conn, key).held
    one = "where linha = (select min(linha) from raw_safra.ucbt_{0})"
    for key, change in (
        (FAILS_A_TEST, "delete from raw_safra.ucbt_{0} " + one),
        (NO_LEAF, "update raw_safra.ucbt_{0} set ene_01 = 1.7e308 where linha < 9"),
        (HELD, "delete from raw_safra.ucbt_{0} " + one),
    ):
        conn.execute(change.format(key.replace("-", "_")))
    bad = files[GOOD[0]].parent / "ruim.gdb.zip"
    bad.write_text("isto não é um zip")
    return command(bad, *(files[key] for key in GOOD))


def published(conn: psycopg.Connection) -> list[str]:
    """Keys of what readers see."""
    rows = conn.execute("select distribuidora_id || '-' || ano from intel_lead.safra_publicada")
    return sorted(key for (key,) in rows)


def told_by(instance: dg.DagsterInstance, key: str) -> str:
    """The run that materialized a safra's leads last."""
    filters = dg.AssetRecordsFilter(asset_key=LEAD, asset_partitions=[key])
    return instance.fetch_materializations(filters, limit=1).records[0].run_id


def test_the_good_are_published_and_every_bad_one_is_named(
    whole: subprocess.CompletedProcess[str], conn: psycopg.Connection
) -> None:
    assert whole.returncode == 3, whole.stdout + whole.stderr
    assert published(conn) == GOOD, whole.stdout
    for name in ("ruim.gdb.zip", FAILS_A_TEST, NO_LEAF, HELD):
        assert name in whole.stdout


@pytest.mark.usefixtures("whole")
def test_the_status_names_what_was_refused_and_why(conn: psycopg.Connection) -> None:
    shown = " ".join(" ".join(status.lines(conn)).split())
    assert re.search(r"! recusado em \S+ \S+: ruim.gdb.zip: \S", shown), shown
    for key, state in ((FAILS_A_TEST, "reprovada"), (NO_LEAF, "reprovada"), (HELD, "retida")):
        assert re.search(rf"! {key} [^!]*{state}: \S", shown), shown


@pytest.mark.usefixtures("whole")
def test_a_bad_safra_costs_one_more_build(conn: psycopg.Connection) -> None:
    builds = conn.execute("select count(*) from controle.execucao_dbt").fetchone()
    assert builds == (2,)


@pytest.mark.usefixtures("whole")
def test_each_failure_keeps_where_and_why_and_no_value(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "select distribuidora_id || '-' || ano, onde, linhas, motivo from controle.safra_reprovada"
    ).fetchall()
    failed = {(key, where, lines) for key, where, lines, _ in rows}
    assert {where for key, where, lines in failed if key == FAILS_A_TEST and lines} <= {
        "linhas_registradas",
        "energia_do_resumo_igual_a_carga",
    }
    assert {(where, lines) for key, where, lines in failed if key == NO_LEAF} == {
        ("carga_resumo", None)
    }
    assert {key for key, *_ in failed} == {FAILS_A_TEST, NO_LEAF}
    assert not any("e+308" in reason for *_, reason in rows)
    (noted,) = conn.execute(
        "select count(*) from intel_lead.import_status where observacoes like '%%reprovada%%'"
        " and distribuidora_id in (64003, 64004) and camada = 'UCBT'"
    ).fetchone()
    assert noted == 2  # noqa: PLR2004


@pytest.mark.usefixtures("whole")
def test_the_page_shows_each_partition_as_it_is(instance: dg.DagsterInstance) -> None:
    (run,) = instance.get_runs()
    assert (run.job_name, run.status) == ("lote", dg.DagsterRunStatus.FAILURE)
    assert run.remote_job_origin.repository_origin.get_label() == "__repository__@intel_lead"
    keys = instance.get_dynamic_partitions("safra")
    partitions = defs().resolve_asset_graph().get(LEAD).partitions_def
    states = instance.get_status_by_partition(LEAD, keys, partitions)
    assert {key for key in keys if states[key] and states[key].value == "MATERIALIZED"} == {*GOOD}
    red = {key for key in keys if states[key] and states[key].value == "FAILED"}
    assert red == {FAILS_A_TEST, NO_LEAF, HELD}
    newest = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=LEAD, asset_partitions=GOOD[:1]), limit=1
    ).records[0]
    assert newest.asset_materialization.metadata["dagster/partition_row_count"].value > 0


@pytest.mark.usefixtures("whole")
def test_an_asset_is_materialized_for_one_safra_or_a_range(instance: dg.DagsterInstance) -> None:
    """The page's button: one table of one safra; and its backfill, which passes a range."""
    job = defs().resolve_job_def("safra")
    before = len(instance.get_materialized_partitions(LEAD))
    one = job.execute_in_process(
        instance=instance, partition_key=GOOD[0], asset_selection=[LEAD], raise_on_error=False
    )
    assert one.success
    assert told_by(instance, GOOD[0]) == one.run_id
    ends = {"start": GOOD[0], "end": GOOD[1]}
    tags = {f"dagster/asset_partition_range_{end}": key for end, key in ends.items()}
    several = job.execute_in_process(
        instance=instance, tags=tags, asset_selection=[LEAD], raise_on_error=False
    )
    assert several.success
    assert [told_by(instance, key) for key in GOOD] == [several.run_id] * 2
    assert len(instance.get_materialized_partitions(LEAD)) == before


@pytest.mark.usefixtures("whole")
def test_a_failed_safra_is_tried_again_when_its_import_changed(
    conn: psycopg.Connection, files: dict[str, Path]
) -> None:
    landing.land(files[FAILS_A_TEST], landing.Options(force=True))
    done = command("--construir")
    assert published(conn) == [*GOOD, FAILS_A_TEST], done.stdout + done.stderr
    left = conn.execute("select distribuidora_id from controle.safra_reprovada").fetchall()
    assert left == [(64004,)]
    # What was not tried again is still not published: no success, and why.
    assert done.returncode == 1
    assert f"safra {NO_LEAF} continua reprovada: carga_resumo" in done.stdout
    assert f"safra {HELD}: " in done.stdout


@pytest.mark.usefixtures("whole")
def test_what_cannot_be_built_is_said_at_once_and_builds_nothing(
    conn: psycopg.Connection, files: dict[str, Path]
) -> None:
    """A safra that is not there, one that is held, a file that is refused."""
    count = "select count(*) from controle.execucao_dbt"
    builds = conn.execute(count).fetchone()
    for key, said in (("64099-2020", "não aterrissou"), (HELD, "retida")):
        done = command("--construir", key)
        assert done.returncode == 3
        assert (done.stdout + done.stderr).count(said) == 1
        assert "dagster" not in done.stdout
    assert command(files[GOOD[0]].parent / "ruim.gdb.zip").returncode == 3
    assert conn.execute(count).fetchone() == builds


def test_of_two_files_of_a_safra_the_later_one_stays_however_fast_it_is(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    """Two files land at once; the second, ten times smaller, waits for the first one's locks."""
    files = [
        batch.File(generate(tmp_path / f"{ucs}.gdb.zip", ucs=ucs, distribuidora=64_006, ano=2023))
        for ucs in (3_000, 60)
    ]
    assert [landing.safras for landing in batch.land(files)] == [("64006-2023",)] * 2
    newest = "select distinct on (camada) arquivo from intel_lead.import_status"
    newest += " where distribuidora_id = 64006 order by camada, import_id desc"
    assert {name for (name,) in conn.execute(newest)} == {"60.gdb.zip"}
    (rows,) = conn.execute("select count(*) from raw_safra.ucbt_64006_2023").fetchone()
    assert rows < 60
