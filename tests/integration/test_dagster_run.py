"""`make run` as a person meets it: first and second run, bad files, failed builds, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dagster_pipeline.defs import raw, resources, sensors
from dagster_pipeline.defs.resources import end_dead_runs
from loaders.sintetico import gerar

CLONE = Path(__file__).resolve().parent.parent.parent
CHAVE = "64000-2023"


def executar(*arquivos: Path) -> subprocess.CompletedProcess[str]:
    """`python -m scripts.run`, its output and exit code."""
    comando = [sys.executable, "-m", "scripts.run", *map(str, arquivos)]
    return subprocess.run(comando, cwd=CLONE, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def instancia(banco: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture(scope="module")
def conn(banco: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect("", autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def bdgd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pasta = tmp_path_factory.mktemp("bdgd")
    return gerar(pasta / "s.gdb.zip", ucs=150, distribuidora=64000, ano=2023, defeitos=["at_ds"])


@pytest.fixture(scope="module")
def ruim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    arquivo = tmp_path_factory.mktemp("ruim") / "ruim.gdb.zip"
    arquivo.write_text("isto não é um zip")
    return arquivo


@pytest.fixture(scope="module")
def primeira(
    instancia: dg.DagsterInstance, bdgd: Path, ruim: Path
) -> subprocess.CompletedProcess[str]:
    """The first run on an empty database: a bad file first, then a good one."""
    return executar(ruim, bdgd)


def publicadas(conn: psycopg.Connection) -> list[tuple]:
    return conn.execute("select * from intel_lead.safra_publicada order by ano").fetchall()


def test_arquivo_ruim_nao_segura_o_bom(
    primeira: subprocess.CompletedProcess[str], conn: psycopg.Connection
) -> None:
    assert primeira.returncode == 3, primeira.stdout + primeira.stderr
    assert "ruim.gdb.zip" in primeira.stdout
    assert [(ano, dist) for *_, dist, ano in publicadas(conn)] == [(2023, 64000)]
    (erro,) = conn.execute(
        "select erro from intel_lead.import_status where status = 'failed'"
    ).fetchone()
    assert "ruim.gdb.zip" in erro


def test_energia_do_arquivo_e_a_que_se_diz(
    primeira: subprocess.CompletedProcess[str], conn: psycopg.Connection
) -> None:
    (kwh,) = conn.execute(
        "select sum(energia_total) from intel_lead.lead_energia_mensal where origem = 'UCBT'"
    ).fetchone()
    assert f"{kwh:,.2f}" in primeira.stdout


@pytest.mark.usefixtures("primeira")
def test_o_dagster_guarda_execucoes_e_materializacoes(instancia: dg.DagsterInstance) -> None:
    jobs = [run.job_name for run in instancia.get_runs()]
    assert jobs == ["marts", "safra"]
    assert instancia.get_dynamic_partitions("safra") == [CHAVE]
    for chave in ([*raw.ARQUIVO.path], ["raw", "ucbt"], ["intel_lead", "safra_publicada"]):
        assert CHAVE in instancia.get_materialized_partitions(dg.AssetKey(chave))
    saida = Path(os.environ["DAGSTER_HOME"]) / "storage"
    assert any("dbt=" in arquivo.read_text() for arquivo in saida.rglob("compute_logs/*.out"))


@pytest.mark.usefixtures("primeira")
def test_segunda_vez_nao_faz_nada(instancia: dg.DagsterInstance, bdgd: Path) -> None:
    antes = len(instancia.get_runs())
    segunda = executar(bdgd)
    assert segunda.returncode == 0, segunda.stdout + segunda.stderr
    assert "nothing" in segunda.stdout
    assert float(re.search(r"whole.* ([\d.]+) s", segunda.stdout)[1]) < 3
    assert len(instancia.get_runs()) == antes


@pytest.mark.usefixtures("primeira")
def test_construcao_que_falha_nao_publica_nada(
    conn: psycopg.Connection, instancia: dg.DagsterInstance, bdgd: Path
) -> None:
    antes = publicadas(conn)
    conn.execute("alter table construcao.lead_bruto add constraint sabotagem check (uc_id is null)")
    conn.execute("update controle.safra_importada set import_id = import_id + 1")
    feita = executar(bdgd)
    conn.execute("alter table construcao.lead_bruto drop constraint sabotagem")
    assert feita.returncode == 1, feita.stdout + feita.stderr
    assert "sabotagem" in feita.stdout
    assert publicadas(conn) == antes
    (ultima,) = instancia.get_runs(limit=1)
    assert (ultima.job_name, ultima.status) == ("safra", dg.DagsterRunStatus.FAILURE)


def test_execucao_morta_e_encerrada(
    instancia: dg.DagsterInstance, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_pipeline.defs.resources.GRACE_S", 0)
    viva, morta = (
        instancia.create_run_for_job(_nada(), status=dg.DagsterRunStatus.STARTED) for _ in range(2)
    )
    for run in (viva, morta):
        instancia.report_engine_event("started", run)
    with psycopg.connect("", autocommit=True) as dona:
        dona.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", [0x52554E, viva.run_id])
        assert end_dead_runs(instancia, conn) == [morta.run_id]
    assert instancia.get_run_by_id(morta.run_id).status == dg.DagsterRunStatus.FAILURE
    assert end_dead_runs(instancia, conn) == [viva.run_id]


def _nada() -> dg.JobDefinition:
    @dg.job
    def nada() -> None: ...

    return nada


def test_caixa_de_entrada(
    instancia: dg.DagsterInstance,
    conn: psycopg.Connection,
    ruim: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waits for a file to be whole, asks for its safra once, notes a bad one once."""
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path))
    gerar(tmp_path / "b.gdb.zip", ucs=60, distribuidora=63000)
    (tmp_path / "a_ruim.gdb.zip").write_bytes(ruim.read_bytes())
    (tmp_path / "planilha.xlsx").write_bytes(b"PK")
    cursor, pedidos = None, []
    for _ in range(5):
        contexto = dg.build_sensor_context(instance=instancia, cursor=cursor)
        resultado = sensors.caixa_de_entrada(contexto)
        cursor = resultado.cursor
        pedidos.append([pedido.partition_key for pedido in resultado.run_requests])
    assert pedidos == [[], [], ["63000-2024"], [], []]
    assert json.loads(cursor)["passed"] == ["planilha.xlsx"]
    (notas,) = conn.execute(
        "select count(*) from intel_lead.import_status where arquivo = 'a_ruim.gdb.zip'"
    ).fetchone()
    assert notas == 1


def test_ctrl_c_encerra_a_execucao(instancia: dg.DagsterInstance, tmp_path: Path) -> None:
    arquivo = gerar(tmp_path / "c.gdb.zip", ucs=60, distribuidora=62000)
    comando = [sys.executable, "-u", "-m", "scripts.run", str(arquivo)]
    with subprocess.Popen(comando, cwd=CLONE, stdout=subprocess.PIPE, text=True) as processo:
        for linha in processo.stdout:
            if linha.startswith("land"):
                processo.send_signal(signal.SIGINT)
                break
        assert processo.wait(60) == 130
    (ultima,) = instancia.get_runs(limit=1)
    assert ultima.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def test_a_linha_de_um_csv_ruim_nao_chega_aos_eventos(
    banco_limpo: dict[str, str], tmp_path: Path
) -> None:
    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_text("COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;401;RUA SECRETA\n")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("safra", ["401-2024"])
        feito = dg.materialize(
            [raw.raw_bdgd],
            instance=instance,
            partition_key="401-2024",
            resources={"banco": resources.Banco()},
            run_config={"ops": {"raw_bdgd": {"config": {"arquivo": str(arquivo)}}}},
            raise_on_error=False,
        )
        eventos = "".join(str(e) for e in instance.all_logs(feito.run_id))
    assert "EntradaInvalida" in eventos
    assert "SECRETA" not in eventos
