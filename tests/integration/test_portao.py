"""The landing gate on a database: what is held, what is not built, who may release it.

Not here: limits and rules by themselves (tests/unit/test_expectativas.py).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from loaders.__main__ import app
from loaders.conexao import conectar, preparar
from loaders.gate import expectations as expectativas
from loaders.gate import hold as portao
from loaders.gate.expectations import Validacao
from loaders.safra import Safra
from loaders.sintetico import Defeito, gerar
from scripts import pagina_qualidade
from tests.integration import armazem as a


def rodar(*argumentos: object) -> int:
    return CliRunner().invoke(app, [*map(str, argumentos)]).exit_code


# Truncated deliveries -----------------------------------------------------------------------------


@pytest.fixture
def base(banco: dict[str, str]) -> Iterator[psycopg.Connection]:
    with conectar() as conexao:
        preparar(conexao)
        yield conexao


def situacao(conn: psycopg.Connection, dist: int, ano: int) -> tuple[bool, str, set[str]]:
    """Whether a safra is held, why, and what its newest executions say."""
    retida, motivo, import_id = conn.execute(
        "select retida, coalesce(motivo_retencao, ''), import_id from controle.safra_importada"
        " where (distribuidora_id, ano) = (%s, %s)",
        [dist, ano],
    ).fetchone()
    ditos = conn.execute(
        "select distinct status::text from intel_lead.import_status"
        " where (distribuidora_id, ano) = (%s, %s) and sha256 = (select sha256"
        "  from intel_lead.import_status where import_id = %s)",
        [dist, ano, import_id],
    ).fetchall()
    return retida, motivo, {status for (status,) in ditos}


def test_a_truncated_vintage_lands_and_is_held_and_a_whole_one_clears_it(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    anterior = gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2001, ano=2023)
    cortada = gerar(tmp_path / "b.gdb", ucs=150, distribuidora=2001, ano=2024)
    inteira = gerar(tmp_path / "c.gdb", ucs=400, distribuidora=2001, ano=2024)
    assert rodar("bdgd", anterior) == 0
    assert rodar("bdgd", cortada) == 3
    retida, motivo, ditos = situacao(base, 2001, 2024)
    assert retida and ditos == {"failed"}
    assert "UCBT: 148 linhas são 38% de 393 (a safra 2001-2023)" in motivo
    (em_raw,) = base.execute(
        "select count(*) from raw.ucbt where (distribuidora_id, ano) = (2001, 2024)"
    ).fetchone()
    assert em_raw == 148, "it did not land"
    (erro,) = base.execute(
        "select erro from intel_lead.import_status"
        " where (distribuidora_id, ano, camada) = (2001, 2024, 'UCBT')"
    ).fetchone()
    assert "loaders liberar 2001-2024" in erro
    assert rodar("bdgd", cortada) == 3, "the same file again"
    (vezes,) = base.execute(
        "select count(*) from intel_lead.import_status"
        " where (distribuidora_id, ano, camada) = (2001, 2024, 'UCBT')"
    ).fetchone()
    assert vezes == 1, "the same file was landed again"
    assert rodar("bdgd", inteira) == 0
    assert situacao(base, 2001, 2024) == (False, "", {"completed"})
    assert situacao(base, 2001, 2023)[0] is False


def test_a_truncated_second_send_does_not_lower_the_bar(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    primeira = gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2002)
    assert rodar("bdgd", primeira) == 0
    for semente in (1, 2):
        cortada = gerar(tmp_path / f"b{semente}.gdb", ucs=150, semente=semente, distribuidora=2002)
        assert rodar("bdgd", cortada) == 3
        assert "o conteúdo que substitui" in situacao(base, 2002, 2024)[1]
    assert rodar("bdgd", primeira) == 0, "the first file again is no news that is done already"
    assert situacao(base, 2002, 2024) == (False, "", {"completed"})


def test_a_missing_layer_is_a_fall(base: psycopg.Connection, tmp_path: Path) -> None:
    assert rodar("bdgd", gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2003, ano=2023)) == 0
    sem = gerar(tmp_path / "b.gdb", ucs=400, distribuidora=2003, defeitos=["sem_camada_ponnot"])
    assert rodar("bdgd", sem) == 3
    assert "PONNOT: 0 linhas são 0%" in situacao(base, 2003, 2024)[1]


def test_a_safra_that_landed_before_the_gate_is_measured(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    assert rodar("bdgd", gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2004, ano=2023)) == 0
    medidas = "select camada, linhas, energia_kwh, completa from controle.entrega where ano = 2023"
    medidas += " and distribuidora_id = 2004 order by 1"
    antes = base.execute(medidas).fetchall()
    base.execute("delete from controle.entrega where distribuidora_id = 2004")
    assert rodar("bdgd", gerar(tmp_path / "b.gdb", ucs=150, distribuidora=2004)) == 3
    depois = base.execute(medidas).fetchall()
    for (camada, linhas, kwh, completa), (*iguais, kwh_medido, inteira) in zip(
        antes, depois, strict=True
    ):
        assert ([camada, linhas], completa) == (iguais, inteira)
        assert kwh_medido == pytest.approx(kwh)
    base.execute("delete from controle.entrega where distribuidora_id = 2004")
    cortada = gerar(tmp_path / "c.gdb", ucs=150, distribuidora=2004, ano=2023)
    assert rodar("bdgd", cortada) == 3
    assert "o conteúdo que substitui" in situacao(base, 2004, 2023)[1]


def test_releasing_is_audited_and_needs_a_reason_and_a_held_safra(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    assert rodar("bdgd", gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2005, ano=2023)) == 0
    assert rodar("bdgd", cortada := gerar(tmp_path / "b.gdb", ucs=150, distribuidora=2005)) == 3
    assert rodar("liberar", "2005-2024", "--motivo", "  ") == 2
    assert rodar("liberar", "2005-2023", "--motivo", "x") == 3
    assert rodar("liberar", "2005-2024", "--motivo", "concessão dividida") == 0
    assert situacao(base, 2005, 2024) == (False, "", {"completed"})
    quem, usuario, detalhes, ha_pouco = base.execute(
        "select quem, usuario_so, detalhes, quando > now() - interval '1 hour'"
        " from controle.auditoria where (acao, objeto) = ('liberar safra', '2005-2024')"
    ).fetchone()
    assert (quem, ha_pouco) == (base.info.user, True)
    assert usuario
    assert detalhes["motivo"] == "concessão dividida"
    assert "148 linhas" in detalhes["retencao"]
    assert rodar("liberar", "2005-2024", "--motivo", "de novo") == 3
    assert rodar("bdgd", cortada) == 0, "what was released is landed"


def importada(conn: psycopg.Connection, dist: int, ano: int = 2024) -> tuple[Safra, int]:
    return expectativas.aterrissada(conn, f"{dist}-{ano}")


def test_a_held_structure_gives_back_the_reference_that_it_replaced(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    boa = gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2006)
    quebrada, outra = (
        gerar(tmp_path / f"b{n}.gdb", ucs=350, semente=n, distribuidora=2006) for n in (1, 2)
    )
    cortada = gerar(tmp_path / "c.gdb", ucs=100, distribuidora=2006)
    assert rodar("bdgd", boa) == 0
    portao.confirmar(base, *importada(base, 2006))
    for gdb in (quebrada, outra):
        assert rodar("bdgd", gdb) == 0
    assert portao.reter(base, *importada(base, 2006), "estrutura", {"UCBT"})
    assert situacao(base, 2006, 2024)[2] == {"failed"}, "a geodatabase is one delivery"
    assert rodar("bdgd", cortada) == 3
    assert "de 397 (o conteúdo que substitui)" in situacao(base, 2006, 2024)[1]
    assert rodar("bdgd", boa) == 0
    assert situacao(base, 2006, 2024) == (False, "", {"completed"})


def test_a_passed_verdict_makes_the_new_delivery_the_reference(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    for ucs in (400, 300, 250):
        assert rodar("bdgd", gerar(tmp_path / f"{ucs}.gdb", ucs=ucs, distribuidora=2007)) == 0
        lida = importada(base, 2007)
        if ucs > 250:
            portao.confirmar(base, *lida)
    assert portao.reter(base, *lida, "estrutura", {"UCBT"})
    (linhas,) = base.execute(
        "select linhas from controle.entrega where aceita and camada = 'UCBT'"
        " and distribuidora_id = 2007"
    ).fetchone()
    assert 280 < linhas <= 300


def gravar_pj(pasta: Path, dist: int, *, camada: str, vez: int = 1) -> Path:
    (pasta / str(vez)).mkdir(exist_ok=True)
    arquivo = pasta / str(vez) / f"{camada.lower()}_pj.csv"
    linhas = [f"{camada}{n};{dist};{n};31DEC2024" for n in range(60 + vez)]
    arquivo.write_text("\n".join(["COD_ID_ENCR;DIST;ENE_01;DATA_BASE", *linhas]))
    return arquivo


@pytest.mark.parametrize("ordem", [["UCBT"], ["UCMT", "UCBT"], ["UCBT", "UCMT"]], ids="-".join)
def test_a_layer_that_failed_waits_for_no_other_file_than_its_own(
    base: psycopg.Connection, tmp_path: Path, ordem: list[str]
) -> None:
    dist = {"UCBT": 2011, "UCMT-UCBT": 2012, "UCBT-UCMT": 2013}["-".join(ordem)]
    for camada in ("UCBT", "UCMT"):
        assert rodar("bdgd", gravar_pj(tmp_path, dist, camada=camada)) == 0
    assert portao.reter(base, *importada(base, dist), "UCBT: falhou", {"UCBT"})
    for camada in ordem:
        codigo = rodar("bdgd", gravar_pj(tmp_path, dist, camada=camada, vez=2))
        livre = "UCBT" in ordem[: ordem.index(camada) + 1]
        assert (codigo == 0, situacao(base, dist, 2024)[0]) == (livre, not livre)
    ditos = base.execute(
        "select distinct on (camada) status::text from intel_lead.import_status"
        " where distribuidora_id = %s order by camada, import_id desc",
        [dist],
    ).fetchall()
    assert ditos == [("completed",)] * 2


# dbt ----------------------------------------------------------------------------------------------


def test_dbt_leaves_a_held_safra_as_it_was_published(
    armazem: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    do_registro = {"intel_lead.import_status", "intel_lead.vw_import_status_resumido"}
    lidas = set(a.relations(conn, "intel_lead", "marts")) - do_registro
    antes = a.contents(conn, *lidas)
    assert armazem.load(gerar(tmp_path / "cortada.gdb", ucs=100, distribuidora=401)).code == 3
    tudo = armazem.build()
    assert tudo.ok, tudo.text
    assert "safra 401-2024 is held" in tudo.text
    pedida = armazem.build(safra="401-2024")
    assert not pedida.ok
    assert "held at the landing gate" in pedida.text
    assert "loaders liberar 401-2024" in pedida.text
    assert a.contents(conn, *lidas) == antes
    argumentos = ["liberar", "401-2024", "--motivo", "teste"]
    assert a.Running(a._loaders, argumentos, env=armazem.env).wait().ok
    liberada = armazem.build(safra="401-2024")
    assert liberada.ok, liberada.text
    leads = "select count(*) from intel_lead.lead_bruto where distribuidora_id = 401"
    assert a.value(conn, leads) == 100


# Great Expectations -------------------------------------------------------------------------------

PLANTADOS = [
    Defeito.CNAE_INVALIDO,
    Defeito.PN_CON_ORFAO,
    Defeito.CODIGO_FORA_DO_DOMINIO,
    Defeito.TIP_SIST_DESCONHECIDO,
    Defeito.ENERGIA_NEGATIVA,
    Defeito.DATA_SENTINELA,
    Defeito.CAR_INST_EM_W,
    Defeito.DEM_CONT_CAR_INST_MW,
    Defeito.ENERGIA_IMPOSSIVEL,
    Defeito.DIC_IMPOSSIVEL,
    Defeito.PONTO_FORA_DO_BRASIL,
]
APANHADOS = [
    ("UCBT", "formato_do_campo", "cnae"),
    ("UCBT", "codigo_do_dominio", "clas_sub"),
    ("UCBT", "codigo_do_dominio", "ten_forn"),
    ("UCBT", "codigo_do_dominio", "tip_sist"),
    ("UCBT", "municipio_do_ibge", "mun"),
    ("UCBT", "energia_sem_negativos", "ene_*"),
    ("UCBT", "conexao_ate_a_data_base", "dat_con"),
    ("UCBT", "unidade_da_carga_instalada", "car_inst"),
    ("UCMT", "unidade_da_carga_instalada", "car_inst"),
    ("UCMT", "energia_ate_a_demanda_contratada", "ene_*"),
    ("UCMT", "energia_ate_a_demanda_medida", "ene_*"),
    ("UCBT", "dic_ate_as_horas_do_mes", "dic_*"),
    ("PONNOT", "valor_na_faixa", "point_x"),
    ("PONNOT", "valor_na_faixa", "point_y"),
]


@pytest.fixture(scope="module")
def validadas(
    banco: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Validacao]:
    """Three safras as the gate saw them: sound, of odd values, and of a broken structure."""
    pasta = tmp_path_factory.mktemp("portao")
    receitas = {"limpa": [], "estranha": PLANTADOS, "quebrada": [Defeito.SEM_DEZEMBRO]}
    vistas = {}
    with conectar() as conn:
        preparar(conn)
        for dist, (nome, defeitos) in enumerate(receitas.items(), 2101):
            gdb = gerar(pasta / f"{nome}.gdb", ucs=3000, distribuidora=dist, defeitos=defeitos)
            assert rodar("bdgd", gdb) == 0
            vistas[nome] = expectativas.validar(conn, f"{dist}-2024")
    return vistas


def falhas(validacao: Validacao) -> set[tuple[str, str, str]]:
    return {(r.camada, r.regra.nome, r.regra.coluna) for r in validacao.resultados if not r.sucesso}


def test_a_sound_safra_passes_every_rule(validadas: Mapping[str, Validacao]) -> None:
    assert falhas(validadas["limpa"]) == set()
    assert validadas["limpa"].retencao is None


@pytest.mark.parametrize("apanhado", APANHADOS, ids="-".join)
def test_each_odd_value_is_caught(
    validadas: Mapping[str, Validacao], apanhado: tuple[str, str, str]
) -> None:
    assert apanhado in falhas(validadas["estranha"])


def test_odd_values_warn_and_do_not_hold(validadas: Mapping[str, Validacao]) -> None:
    assert validadas["estranha"].retencao is None
    assert not validadas["estranha"].falhas("estrutura")


def test_a_broken_structure_is_held_until_a_person_releases_it(
    base: psycopg.Connection, validadas: Mapping[str, Validacao]
) -> None:
    quebrada = validadas["quebrada"]
    assert ("UCBT", "energia_em_todos_os_meses", "ene_*") in falhas(quebrada)
    assert "energia_em_todos_os_meses" in (quebrada.retencao or "")
    assert situacao(base, 2103, 2024)[2] == {"failed"}
    assert rodar("liberar", "2103-2024", "--motivo", "dezembro não veio") == 0
    assert expectativas.validar(base, "2103-2024").retencao is None, "held again after release"
    assert situacao(base, 2103, 2024)[2] == {"completed"}


@pytest.mark.parametrize(("ruins", "cheia"), [(6, False), (7, True), (61, True)])
def test_a_tenth_of_the_rows_may_be_rejected_and_no_more(
    base: psycopg.Connection, tmp_path: Path, *, ruins: int, cheia: bool
) -> None:
    dist = 2020 + ruins
    arquivo = gravar_pj(tmp_path, dist, camada="UCMT")
    for n in range(ruins):
        arquivo.write_text(arquivo.read_text().replace(f"UCMT{n};", ";"))
    assert rodar("bdgd", arquivo) == 0
    vistas = expectativas.validar(base, f"{dist}-2024")
    assert ("linhas_rejeitadas" in (vistas.retencao or "")) is cheia


def test_who_releases_a_short_file_has_not_released_its_structure(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    assert rodar("bdgd", gerar(tmp_path / "a.gdb", ucs=400, distribuidora=2008)) == 0
    curta = gerar(tmp_path / "b.gdb", ucs=150, distribuidora=2008, defeitos=["sem_dezembro"])
    assert rodar("bdgd", curta) == 3
    assert rodar("liberar", "2008-2024", "--motivo", "concessão dividida") == 0
    assert "energia_em_todos" in (expectativas.validar(base, "2008-2024").retencao or "")
    assert rodar("liberar", "2008-2024", "--motivo", "dezembro não veio") == 0
    assert expectativas.validar(base, "2008-2024").retencao is None
    guardadas = "select count(*) from controle.entrega_anterior where distribuidora_id = 2008"
    assert base.execute(guardadas).fetchone() == (0,)


def test_results_are_kept_once_and_hold_no_value_of_a_row(
    base: psycopg.Connection, validadas: Mapping[str, Validacao]
) -> None:
    contar = "select count(*) from intel_lead.qualidade_validacao where distribuidora_id = 2102"
    (antes,) = base.execute(contar).fetchone()
    assert antes == len(validadas["estranha"].resultados)
    expectativas.validar(base, "2102-2024")
    assert base.execute(contar).fetchone() == (antes,)
    guardado = base.execute(
        "select string_agg(observado::text, ' ') from intel_lead.qualidade_validacao"
    ).fetchone()[0]
    assert "XX9" not in guardado
    assert "partial_unexpected" not in guardado


def test_the_page_shows_the_newest_verdicts(
    base: psycopg.Connection, validadas: Mapping[str, Validacao]
) -> None:
    texto = pagina_qualidade.page(pagina_qualidade.rows(base))
    assert "Safra 2101-2024" in texto
    assert "energia_ate_a_demanda_contratada" in texto
