"""The landing gate's rules, limits, chance and page. Not here: what they catch in a database."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.camadas import CAMADAS, UCAT, UCBT, UCMT, Camada
from loaders.gate import expectations
from loaders.gate.evidence import Finding, beyond, limits
from loaders.gate.expectations import Figure
from loaders.gate.rules import Model, Portrait, Rule, rules
from loaders.safra import Safra
from scripts.pagina_qualidade import page

SAFRA = Safra.de_chave("401-2024")


def suite(layer: Camada, model: Model = "V11", **more: object) -> list[Rule]:
    portrait = Portrait(
        safra=SAFRA,
        layer=layer,
        leaf="raw_safra.x",
        model=model,
        rows=1000,
        has_cod_id=True,
        registered=1000,
        rejected=0,
        points="raw_safra.ponnot_401_2024",
    )
    return rules(replace(portrait, **more))


def columns_of(found: list[Rule], name: str) -> set[str]:
    return {rule.column for rule in found if rule.name == name}


@pytest.mark.parametrize("layer", CAMADAS, ids=lambda c: c.nome)
@pytest.mark.parametrize("model", ["M10", "V10", "V11"])
def test_no_rule_names_a_column_that_the_layer_lacks(layer: Camada, model: Model) -> None:
    known = set(layer.colunas)
    found = suite(layer, model)
    assert len({(rule.name, rule.column) for rule in found}) == len(found)
    for rule in found:
        assert not rule.column or "*" in rule.column or rule.column in known, rule
        used = set(re.findall(r"\b(?:ene|dem|dic|fic)_(?:[pf]_)?\d\d\b", rule.figure))
        assert used <= known, rule


def test_each_model_expects_the_columns_that_it_has() -> None:
    filled = {m: columns_of(suite(UCMT, m), "coluna_preenchida") for m in ("M10", "V10", "V11")}
    assert filled["V11"] - filled["V10"] == {"tip_sist"}
    assert filled["V10"] - filled["M10"] == {"dic_01", "fic_12", "dem_cont"}
    assert filled["M10"] - filled["V10"] == {"dic", "fic"}


def test_a_release_without_the_key_column_is_no_broken_one() -> None:
    assert columns_of(suite(UCBT), "codigo_em_toda_linha") == {"cod_id"}
    assert not columns_of(suite(UCBT, has_cod_id=False), "codigo_em_toda_linha")


def test_an_empty_layer_is_judged_by_its_form_alone() -> None:
    names = {rule.name for rule in suite(UCAT, rows=0)}
    form = {"colunas_da_camada", "tipos_da_camada", "linhas_do_registro", "linhas_rejeitadas"}
    assert names == form


def test_plausibility_never_blocks() -> None:
    """What holds a safra is form, key, distributor, energy; never a value that looks odd."""
    names = {r.name for c in CAMADAS for r in suite(c) if r.severity == "estrutura"}
    assert names == {
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


def test_great_expectations_judges_every_figure_at_its_edge() -> None:
    """A figure at its limit passes, one beyond fails, one of nothing passes; each by itself."""
    taken, expected = [], []
    for rule in suite(UCMT):
        edge = rule.high * (1000 if rule.of_rows else 1)
        shown = [(edge, True), (edge + 1, False), (None, True)]
        if rule.low is not None:
            shown.append((rule.low - 0.01, False))
        for value, ok in shown:
            taken.append(Figure("UCMT", replace(rule, total=None), value, 1000))
            expected.append(ok)
    assert [result.ok for result in expectations.judge(taken)] == expected


# Chance -------------------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.floats(0.01, 0.9), st.data())
def test_what_chance_may_do_is_no_finding_and_more_of_it_never_less_of_one(
    of: int, limit: float, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, of))
    if beyond(count, of, limit):
        assert count > limit * of
        assert count == of or beyond(count + 1, of, limit)
        assert beyond(count * 2, of * 2, limit), "the same share of more units is surer"


def test_a_small_base_gets_a_wide_limit() -> None:
    assert not beyond(3, 4, 0.15), "three of four clients left"
    assert not beyond(30, 100, 0.15)
    assert beyond(50, 100, 0.15)
    assert beyond(2_000, 10_000, 0.15)


def test_every_limit_is_a_range_and_says_why() -> None:
    for rule, (low, high) in limits().items():
        assert low < high, rule


def test_a_finding_is_the_same_in_other_words_and_figures() -> None:
    one = Finding("mes_vazio", "UCBT 03", "a", "2023", {"vazias": 3})
    assert one.id == Finding("mes_vazio", "UCBT 03", "b", "2023", {"vazias": 4}).id
    assert one.id != Finding("mes_vazio", "UCBT 04", "a", "2023").id
    assert Finding.of_stored(one.stored) == one


# The page -----------------------------------------------------------------------------------------


def test_the_page_escapes_what_it_shows_and_loads_nothing() -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    row = ("401-2024", when, 2, 1, True, True, "<b>motivo</b>", False, "UCBT")
    row += ("regra", "ene_*", "estrutura", "Descrição <script>", 3, 10, None)
    text = page([row])
    assert "&lt;script&gt;" in text and "&lt;b&gt;motivo" in text
    assert "<script" not in text and "http" not in text
    assert "3 fora" in text
    assert "Nenhuma safra" in page([])
