"""The landing gate's rules, limits and page. Not here: what they catch in a database."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loaders.camadas import CAMADAS, CAMADAS_UC, CONJ, PONNOT, UCAT, UCBT, UCMT, Camada
from loaders.gate import hold as portao
from loaders.gate.hold import Medida, Referencia
from loaders.gate.rules import FIXAS, Modelo, Regra, Retrato, regras
from loaders.safra import Safra
from scripts.pagina_qualidade import page

SAFRA = Safra.de_chave("401-2024")


def suite(camada: Camada, modelo: Modelo = "V11", **mais: object) -> list[Regra]:
    retrato = Retrato(
        safra=SAFRA,
        camada=camada,
        modelo=modelo,
        linhas=1000,
        tem_cod_id=True,
        registradas=1000,
        rejeitadas=0,
        pontos=True,
    )
    return regras(replace(retrato, **mais))


def de(achadas: list[Regra], nome: str) -> set[str]:
    return {regra.coluna for regra in achadas if regra.nome == nome}


@pytest.mark.parametrize("camada", CAMADAS, ids=lambda c: c.nome)
def test_a_suite_expects_the_columns_that_the_loader_lands(camada: Camada) -> None:
    (colunas,) = [r for r in suite(camada) if r.nome == "colunas_da_camada"]
    assert colunas.argumentos["column_set"] == [*FIXAS, *camada.colunas]
    faltando = replace(camada, colunas={n: t for n, t in camada.colunas.items() if n != "dist"})
    (outra,) = [r for r in suite(faltando) if r.nome == "colunas_da_camada"]
    assert "dist" not in outra.argumentos["column_set"], "the suite is not made of the definition"


@pytest.mark.parametrize("camada", CAMADAS, ids=lambda c: c.nome)
@pytest.mark.parametrize("modelo", ["M10", "V10", "V11"])
def test_no_rule_names_a_column_that_the_layer_lacks(camada: Camada, modelo: Modelo) -> None:
    conhecidas = {*FIXAS, *camada.colunas}
    for regra in suite(camada, modelo):
        assert not regra.coluna or "*" in regra.coluna or regra.coluna in conhecidas, regra
        usadas = set(re.findall(r"\b(?:ene|dem|dic|fic)_(?:[pf]_)?\d\d\b", regra.indicador))
        assert usadas <= conhecidas, regra


def test_each_model_expects_the_columns_that_it_has() -> None:
    cheias = {m: de(suite(UCMT, m), "coluna_preenchida") for m in ("M10", "V10", "V11")}
    assert cheias["V11"] - cheias["V10"] == {"tip_sist"}
    assert cheias["V10"] - cheias["M10"] == {"dic_01", "fic_12", "dem_cont"}
    assert cheias["M10"] - cheias["V10"] == {"dic", "fic"}


def test_a_release_without_the_key_column_is_no_broken_one() -> None:
    assert de(suite(UCBT), "codigo_em_toda_linha") == {"cod_id"}
    assert not de(suite(UCBT, tem_cod_id=False), "codigo_em_toda_linha")


def test_an_empty_layer_is_judged_by_its_form_alone() -> None:
    nomes = {r.nome for r in suite(UCAT, linhas=0)}
    assert nomes == {
        "colunas_da_camada",
        "tipos_da_camada",
        "linhas_do_registro",
        "linhas_rejeitadas",
    }


def test_plausibility_never_blocks() -> None:
    """What holds a safra is form, key, distributor, energy; never a value that looks odd."""
    nomes = {r.nome for c in CAMADAS for r in suite(c) if r.severidade == "estrutura"}
    assert nomes == {
        "colunas_da_camada",
        "tipos_da_camada",
        "linhas_do_registro",
        "linhas_rejeitadas",
        "coluna_preenchida",
        "codigo_em_toda_linha",
        "distribuidora_da_safra",
        "energia_em_todos_os_meses",
        "ponto_com_codigo",
    }


@pytest.mark.parametrize("camada", CAMADAS, ids=lambda c: c.nome)
def test_great_expectations_takes_every_rule(
    camada: Camada, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "false")
    from great_expectations import ExpectationSuite, expectations

    todas = [
        getattr(expectations, regra.classe)(
            **regra.argumentos, **({"column": regra.coluna} if regra.coluna else {})
        )
        if not regra.indicador
        else getattr(expectations, regra.classe)(**regra.argumentos, column=regra.nome)
        for regra in suite(camada)
    ]
    assert len(ExpectationSuite(name="x", expectations=todas).expectations) == len(todas)


# Limits -------------------------------------------------------------------------------------------


CHEIA = {c.nome: Medida(1000, 1e6) for c in CAMADAS_UC} | {"PONNOT": Medida(400, 0)}


def quedas(mudou: dict[str, Medida], *, anterior: bool = True) -> set[tuple[str, str]]:
    referencia = Referencia("a safra 401-2023", anterior, CHEIA)
    achadas = portao.comparar(CHEIA | mudou, referencia, portao.ler_limites())
    return {(queda.limite.camada, queda.limite.medida) for queda in achadas}


def test_the_limits_are_of_layers_and_measures_that_exist() -> None:
    camadas = {c.nome for c in (*CAMADAS_UC, PONNOT)} | {portao.TOTAL}
    for limite in portao.ler_limites():
        assert limite.camada in camadas
        assert limite.medida in Medida.__dataclass_fields__
        assert limite.referencia in ("anterior", "ambas")
        assert 0 < limite.minimo_razao < 1
    assert {limite.camada for limite in portao.ler_limites()} == camadas
    assert CONJ.nome not in camadas


def test_an_equal_delivery_and_one_at_the_limit_pass() -> None:
    assert quedas({}) == set()
    assert quedas({"UCBT": Medida(700, 0.7e6)}) == set()


@pytest.mark.parametrize(
    ("mudou", "esperadas"),
    [
        ({"UCBT": Medida(699, 1e6)}, {("UCBT", "linhas")}),
        ({"UCBT": Medida(1000, 0.69e6)}, {("UCBT", "energia_kwh")}),
        ({"PONNOT": Medida(0, 0)}, {("PONNOT", "linhas")}),
        (
            {c.nome: Medida(600, 0.6e6) for c in CAMADAS_UC},
            {(c, m) for c in ("UCAT", "UCMT", "UCBT", "TOTAL") for m in ("linhas", "energia_kwh")},
        ),
    ],
)
def test_less_than_the_limit_falls(
    mudou: dict[str, Medida], esperadas: set[tuple[str, str]]
) -> None:
    assert quedas(mudou) == esperadas


def test_a_few_units_may_leave_but_not_with_the_energy_of_the_distributor() -> None:
    antes = CHEIA | {"UCAT": Medida(4, 9e6)}
    limites = portao.ler_limites()
    depois = antes | {"UCAT": Medida(0, 0.0)}
    achadas = portao.comparar(depois, Referencia("a safra 401-2023", True, antes), limites)
    assert [q.limite.camada for q in achadas] == ["TOTAL"]
    de_novo = portao.comparar(depois, Referencia("o que substitui", False, antes), limites)
    assert de_novo == []


def test_the_comparison_is_said_in_numbers() -> None:
    (queda,) = portao.comparar(
        CHEIA | {"UCBT": Medida(250, 1e6)},
        Referencia("a safra 401-2023", True, CHEIA),
        [limite for limite in portao.ler_limites() if limite.camada == "UCBT"],
    )
    assert str(queda) == "UCBT: 250 linhas são 25% de 1000 (a safra 401-2023); o mínimo é 70%"


# The page -----------------------------------------------------------------------------------------


def test_the_page_escapes_what_it_shows_and_loads_nothing() -> None:
    quando = datetime(2026, 1, 2, tzinfo=UTC)
    linha = ("401-2024", quando, 2, 1, True, True, "<b>motivo</b>", False, "UCBT")
    linha += ("regra", "ene_*", "estrutura", "Descrição <script>", 3, 10, None)
    texto = page([linha])
    assert "&lt;script&gt;" in texto and "&lt;b&gt;motivo" in texto
    assert "<script" not in texto and "http" not in texto
    assert "3 fora" in texto
    assert "Nenhuma safra" in page([])
