"""What the code location promises: one lineage, sound jobs, every model and test in its place."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_pipeline import batch, manifest
from dagster_pipeline.definitions import defs as load
from dagster_pipeline.defs import dbt, inbox, raw, resources


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
    assert inbox.ready(agora, {}) == []
    assert inbox.ready(agora, antes) == []
    assert inbox.ready(agora, agora) == ["a.gdb.zip"]
    assert inbox.ready({"a.gdb.zip": [0, 1]}, {"a.gdb.zip": [0, 1]}) == []


def test_caixa_de_entrada_so_ve_o_que_o_carregador_le(tmp_path: Path) -> None:
    preteridos: dict[str, str] = {}
    assert inbox.present(tmp_path / "ausente", preteridos) == {}
    assert inbox.present(tmp_path, preteridos) == {}
    for pasta in (tmp_path, tmp_path / "feito"):
        (pasta / "base.gdb").mkdir(parents=True)
        (pasta / "base.gdb" / "a00000001.gdbtable").write_bytes(b"12345")
    (tmp_path / "leia-me.txt").write_text("nada")
    (tmp_path / "x.gdb.zip.part").write_text("meio arquivo")
    achados = inbox.present(tmp_path, preteridos)
    assert list(achados) == ["base.gdb"]
    assert sorted(preteridos) == ["leia-me.txt", "x.gdb.zip.part"]
    assert achados["base.gdb"][0] == 5


def test_o_que_veio_da_caixa_vai_para_feito_ou_recusado_com_o_motivo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path / "caixa"))
    caixa = inbox.make()
    fora = tmp_path / "fora.gdb.zip"
    nomes = ("bom", "ruim", "retido", "sem_banco")
    for arquivo in (fora, *(caixa / nome for nome in nomes)):
        arquivo.write_text("x")
    feito = batch.Outcome(
        landings=[
            batch.Landing(caixa / "bom", ("1-2023",)),
            batch.Landing(caixa / "ruim", (), "ruim: não é um zip", 3),
            batch.Landing(caixa / "retido", ("2-2023",)),
            batch.Landing(caixa / "sem_banco", (), "o banco não respondeu", 4),
            batch.Landing(fora, (), "não é um zip", 3),
        ],
        verdicts=[],
        held={"2-2023": "caiu pela metade"},
        build=batch.Build(),
    )
    inbox.file_away(feito)
    ficaram = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert ficaram == {
        "fora.gdb.zip",
        "caixa/feito/bom",
        "caixa/recusado/ruim",
        "caixa/recusado/ruim.txt",
        "caixa/recusado/retido",
        "caixa/recusado/retido.txt",
        "caixa/sem_banco",
    }
    assert "não é um zip" in (caixa / "recusado" / "ruim.txt").read_text()
    assert "caiu pela metade" in (caixa / "recusado" / "retido.txt").read_text()
    assert feito.landings[0].path == caixa / "feito" / "bom"


def test_o_que_falha_diz_o_codigo_de_saida_maior() -> None:
    nada = batch.Outcome([], [], {}, batch.Build())
    assert (nada.code, nada.problems()) == (0, [])
    ruim = batch.Landing(Path("a"), (), "ruim", 3)
    falhas = {"1-2023": [batch.Failed("1-2023", "teste", "2 linhas", 2)]}
    tudo = batch.Outcome([ruim], [], {}, batch.Build(failed=falhas))
    assert tudo.code == 3
    assert tudo.problems() == [
        "arquivo a: ruim",
        "safra 1-2023 reprovada, não publicada: teste: 2 linhas",
    ]


def test_todo_check_tem_descricao(defs: dg.Definitions) -> None:
    grafo = defs.resolve_asset_graph()
    assert grafo.asset_check_keys
    assert all(grafo.get(chave).description for chave in grafo.asset_check_keys)


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
