"""`make run` as a person meets it: first and second run, bad files, failed builds, Ctrl-C."""

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
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from dagster_pipeline import manifest
from dagster_pipeline.definitions import defs
from dagster_pipeline.defs import dbt, raw, safras
from dagster_pipeline.defs.resources import end_dead_runs
from dagster_pipeline.defs.safras import OP
from dagster_pipeline.defs.sensors import FROM_INBOX
from loaders.sintetico import gerar

CLONE = Path(__file__).resolve().parent.parent.parent
CHAVE = "64000-2023"


def executar(*arquivos: Path) -> subprocess.CompletedProcess[str]:
    """`python -m dagster_pipeline.run`, its output and exit code."""
    comando = [sys.executable, "-m", "dagster_pipeline.run", *map(str, arquivos)]
    return subprocess.run(comando, cwd=CLONE, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def instancia(banco: dict[str, str], own_dagster: None) -> Iterator[dg.DagsterInstance]:
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
    assert jobs == ["lote"]
    assert instancia.get_dynamic_partitions("safra") == [CHAVE]
    for chave in ([*raw.ARQUIVO.path], ["raw", "ucbt"], ["intel_lead", "safra_publicada"]):
        assert CHAVE in instancia.get_materialized_partitions(dg.AssetKey(chave))
    saida = Path(os.environ["DAGSTER_HOME"]) / "storage"
    assert any(
        "Running with dbt" in arquivo.read_text() for arquivo in saida.rglob("compute_logs/*.out")
    )


@pytest.mark.usefixtures("primeira")
def test_segunda_vez_nao_faz_nada(instancia: dg.DagsterInstance, bdgd: Path) -> None:
    antes = len(instancia.get_runs())
    segunda = executar(bdgd)
    assert segunda.returncode == 0, segunda.stdout + segunda.stderr
    assert "nada" in segunda.stdout
    assert float(re.search(r"ao todo.* ([\d.]+) s", segunda.stdout)[1]) < 3
    assert len(instancia.get_runs()) == antes


@pytest.mark.usefixtures("primeira")
def test_depois_do_sucesso_nada_esta_fora_de_sincronia(instancia: dg.DagsterInstance) -> None:
    """What the page calls unsynced: it asks its data versions, which has no public name."""
    definicoes = defs()
    estado = CachingStaleStatusResolver(
        instancia, definicoes.resolve_asset_graph(), LoadingContextForTest(instancia)
    )
    de_todas = {
        (chave, particao): estado.get_status(chave, particao)
        for chave in definicoes.resolve_asset_graph().materializable_asset_keys
        for particao in (
            [CHAVE] if definicoes.resolve_asset_graph().get(chave).partitions_def else [None]
        )
    }
    assert len(de_todas) > 50
    fora = {chave.to_user_string() for (chave, _), e in de_todas.items() if e == StaleStatus.STALE}
    assert fora == set()


@pytest.mark.usefixtures("primeira")
def test_o_que_uma_execucao_morta_publicou_e_contado_depois(conn: psycopg.Connection) -> None:
    (leads,) = conn.execute("select count(*) from intel_lead.lead_bruto").fetchone()
    nodes = dbt.loaded(manifest.prepare())
    with dg.DagsterInstance.ephemeral() as nova:
        nova.add_dynamic_partitions("safra", [CHAVE])
        assert safras.untold(nova, conn) == [CHAVE]
        assert safras.tell(nova, conn, nodes) == [CHAVE]
        assert safras.untold(nova, conn) == []
        evento = nova.get_latest_materialization_event(dg.AssetKey(["intel_lead", "lead_bruto"]))
    contadas = evento.asset_materialization.metadata["dagster/partition_row_count"].value
    assert contadas == leads > 0


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
    assert (ultima.job_name, ultima.status) == ("lote", dg.DagsterRunStatus.FAILURE)


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


def _nada(nome: str = "nada") -> dg.JobDefinition:
    @dg.job(name=nome)
    def nada() -> None: ...

    return nada


def test_caixa_de_entrada(
    instancia: dg.DagsterInstance, ruim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits for files to be whole, then asks for all of them at once; not beside its own run."""
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path))
    gerar(tmp_path / "b.gdb.zip", ucs=60, distribuidora=63000)
    (tmp_path / "a_ruim.gdb.zip").write_bytes(ruim.read_bytes())
    sensor = defs().get_sensor_def("caixa_de_entrada")
    cursor, pedidos = None, []
    for vez in range(3):
        if vez == 1:
            (tmp_path / "c.gdb.zip").write_bytes(b"meio")  # begins to arrive
        contexto = dg.build_sensor_context(instance=instancia, cursor=cursor)
        resultado = sensor.evaluate_tick(contexto)
        cursor = resultado.cursor
        pedidos.append(
            [
                [Path(nome).name for nome in pedido.run_config["ops"][OP]["config"]["arquivos"]]
                for pedido in resultado.run_requests
            ]
        )
    inteiros = ["a_ruim.gdb.zip", "b.gdb.zip"]
    assert pedidos == [[], [inteiros], [[*inteiros, "c.gdb.zip"]]]
    instancia.create_run_for_job(_nada("lote"), tags=FROM_INBOX)
    ocupado = sensor.evaluate_tick(dg.build_sensor_context(instance=instancia, cursor=cursor))
    assert not ocupado.run_requests


def test_ctrl_c_encerra_a_execucao(instancia: dg.DagsterInstance, tmp_path: Path) -> None:
    arquivo = gerar(tmp_path / "c.gdb.zip", ucs=60, distribuidora=62000)
    comando = [sys.executable, "-u", "-m", "dagster_pipeline.run", str(arquivo)]
    with subprocess.Popen(
        comando, cwd=CLONE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as processo:
        for linha in processo.stdout:
            if linha.startswith("carga"):
                processo.send_signal(signal.SIGINT)
                break
        dito = processo.stdout.read()
        assert processo.wait(60) == 130
    assert "interrompido" in dito
    assert "Traceback" not in dito
    (ultima,) = instancia.get_runs(limit=1)
    assert ultima.status == dg.DagsterRunStatus.CANCELED


def test_a_linha_de_um_csv_ruim_nao_chega_aos_eventos(
    banco_limpo: dict[str, str], tmp_path: Path
) -> None:
    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_text("COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;401;RUA SECRETA\n")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("safra", ["401-2024"])
        feito = (
            defs()
            .resolve_job_def("safra")
            .execute_in_process(
                instance=instance,
                partition_key="401-2024",
                asset_selection=[dg.AssetKey(["raw", "ucmt"])],
                run_config={"ops": {"safra_inteira": {"config": {"arquivo": str(arquivo)}}}},
                raise_on_error=False,
            )
        )
        eventos = "".join(str(e) for e in instance.all_logs(feito.run_id))
    assert not feito.success
    assert "ucmt_pj.csv" in eventos
    assert "SECRETA" not in eventos
