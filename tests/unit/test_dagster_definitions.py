"""What the code location promises: one lineage, sound jobs, every model and test in its place."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_pipeline import manifest
from dagster_pipeline.definitions import defs as load
from dagster_pipeline.defs import dbt, raw, resources, sensors


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return load()


@pytest.fixture(scope="module")
def nodes(defs: dg.Definitions) -> Mapping[str, Any]:
    return dbt.loaded(manifest.prepare())["nodes"]


def keys(defs: dg.Definitions, job: str) -> set[dg.AssetKey]:
    return set(defs.resolve_job_def(job).asset_layer.executable_asset_keys)


def test_todo_modelo_e_seed_e_um_asset(defs: dg.Definitions, nodes: Mapping[str, Any]) -> None:
    esperados = {
        (no["schema"], no["alias"])
        for no in nodes.values()
        if no["resource_type"] in ("model", "seed") and no["config"]["materialized"] != "ephemeral"
    }
    achados = {tuple(spec.key.path) for spec in defs.resolve_all_asset_specs()}
    assert esperados <= achados


@pytest.mark.parametrize(("job", "com_safra"), [("safra", True), ("marts", False)])
def test_um_job_nao_mistura_particoes(defs: dg.Definitions, job: str, com_safra: bool) -> None:
    grafo = defs.resolve_asset_graph()
    assert all(grafo.get(chave).is_partitioned == com_safra for chave in keys(defs, job))


def test_os_dois_jobs_materializam_tudo(defs: dg.Definitions) -> None:
    grafo = defs.resolve_asset_graph()
    assert keys(defs, "safra") | keys(defs, "marts") == set(grafo.materializable_asset_keys)
    assert not keys(defs, "safra") & keys(defs, "marts")


@pytest.mark.parametrize(
    "folha",
    [["intel_lead", "resumo_leads_distribuidora"], ["intel_lead", "vw_import_status_resumido"]],
)
def test_a_linhagem_vai_do_arquivo_a_visao(defs: dg.Definitions, folha: list[str]) -> None:
    grafo = defs.resolve_asset_graph()
    acima = grafo.get_ancestor_asset_keys(dg.AssetKey(folha))
    assert {raw.ARQUIVO, dg.AssetKey(["raw", "ucbt"])} <= acima


def test_nada_da_linhagem_fica_sem_definicao(defs: dg.Definitions) -> None:
    grafo = defs.resolve_asset_graph()
    definidos = {spec.key for spec in defs.resolve_all_asset_specs()}
    assert set(grafo.get_all_asset_keys()) == definidos


def test_job_aicss_vai_da_leitura_ao_mart(defs: dg.Definitions) -> None:
    chaves = keys(defs, "aicss")
    assert {raw.AICSS, dg.AssetKey(["marts", "consumo_dispositivo_hora"])} <= chaves
    assert not any(chave.path[-1] == "lead_bruto" for chave in chaves)


def test_resumos_seguem_publicacoes_e_nao_construcoes(defs: dg.Definitions) -> None:
    grafo = defs.resolve_asset_graph()
    resumo = grafo.get(dg.AssetKey(["intel_lead", "resumo_leads_distribuidora"]))
    assert resumo.automation_condition is not None
    assert dbt.PUBLISHED in resumo.parent_keys
    assert grafo.get(dg.AssetKey(["intel_lead", "lead_bruto"])).automation_condition is None


def test_arquivo_entra_so_quando_parou_de_crescer() -> None:
    antes, agora = {"a.gdb.zip": [5, 1]}, {"a.gdb.zip": [9, 2]}
    assert sensors.next_file(agora, {}, {}) is None
    assert sensors.next_file(agora, antes, {}) is None
    assert sensors.next_file(agora, agora, {}) == "a.gdb.zip"
    assert sensors.next_file(agora, agora, agora) is None
    assert sensors.next_file(agora, agora, antes) == "a.gdb.zip"
    assert sensors.next_file({"a.gdb.zip": [0, 1]}, {"a.gdb.zip": [0, 1]}, {}) is None


def test_caixa_de_entrada_so_ve_o_que_o_carregador_le(tmp_path: Path) -> None:
    preteridos: dict[str, str] = {}
    assert sensors.present(tmp_path / "ausente", preteridos) == {}
    assert sensors.present(tmp_path, preteridos) == {}
    (tmp_path / "base.gdb").mkdir()
    (tmp_path / "base.gdb" / "a00000001.gdbtable").write_bytes(b"12345")
    (tmp_path / "leia-me.txt").write_text("nada")
    (tmp_path / "x.gdb.zip.part").write_text("meio arquivo")
    for lugar in ("2023", "aicss"):
        (tmp_path / lugar).mkdir()
        (tmp_path / lugar / "notas.csv").write_text("a;b")
    (tmp_path / "2023" / "ucmt_pj.csv").write_text("DIST;DATA_BASE")
    achados = sensors.present(tmp_path, preteridos)
    assert list(achados) == ["2023/ucmt_pj.csv", "base.gdb"]
    assert sorted(preteridos) == ["2023/notas.csv", "leia-me.txt", "x.gdb.zip.part"]
    assert achados["base.gdb"][0] == 5


def test_impressao_digital_muda_com_um_modelo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pasta in manifest.SOURCES:
        (tmp_path / pasta).mkdir(parents=True)
    for nome in manifest.SINGLE_FILES:
        (tmp_path / nome).write_text("")
    monkeypatch.setattr(manifest, "CLONE", tmp_path)
    antes = manifest.fingerprint()
    assert manifest.fingerprint() == antes
    (tmp_path / "dbt_project" / "models" / "x.sql").write_text("select 1")
    assert manifest.fingerprint() != antes


def test_ambiente_volta_ao_que_era(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_SAFRA", "1-2020")
    monkeypatch.delenv("DBT_OUTRA", raising=False)
    with resources.set_environment({"DBT_SAFRA": "2-2021", "DBT_OUTRA": "x"}):
        assert os.environ["DBT_SAFRA"] == "2-2021"
    assert os.environ["DBT_SAFRA"] == "1-2020"
    assert "DBT_OUTRA" not in os.environ


def test_poda_deixa_as_execucoes_mais_novas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for numero in range(4):
        pasta = tmp_path / "storage" / f"run{numero}"
        (pasta / "compute_logs").mkdir(parents=True)
        os.utime(pasta, (numero, numero))
    (tmp_path / "storage" / "raw").mkdir()
    resources.prune(keep=2)
    assert {p.name for p in (tmp_path / "storage").iterdir()} == {"run2", "run3", "raw"}
