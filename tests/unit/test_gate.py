"""The landing gate's rules, limits, chance and page. Not here: what they catch in a database."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.camadas import CAMADAS, UCAT, UCBT, UCMT, Camada
from loaders.gate import comparison, expectations, inspection, report
from loaders.gate.comparison import Reference, Seen
from loaders.gate.evidence import Finding, beyond, least, limits, most, pct
from loaders.gate.expectations import Figure, Result
from loaders.gate.rules import Model, Portrait, Rule, rules
from loaders.gate.units import MONTHS, TOTAL, Content
from loaders.gate.verdict import Verdict
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


def test_shares_and_results_are_said_for_a_person() -> None:
    assert [pct(1, 3), pct(0, 3), pct(0, 0)] == ["33 %", "0 %", "0 %"]
    (rule, *_) = suite(UCMT)
    assert str(Result("UCMT", rule, False, 7, 10, {"observed_value": 0.7})) == "(7 linhas)"
    assert str(Result("UCMT", rule, False, None, 10, {"observed_value": 0.7})) == "(0.7)"


def test_a_limit_has_a_least_and_a_greatest() -> None:
    assert (least("razao_mediana"), most("razao_mediana")) == (0.65, 1.5)
    assert (least("mes_vazio"), most("grupo_da_safra_posterior")) == (-math.inf, math.inf)


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


# What a comparison makes of figures ---------------------------------------------------------------


def seen(**more: object) -> Seen:
    """Two vintages, a year apart, of 1,000 units in low voltage that are as they were."""
    figures = {"units": 1000, "coded": 1000, "most_kwh": 1e6}
    pair = {"common": 1000, "vanished": 0}
    base = Seen(
        reference=Reference("a safra 401-2023", "2023", 1, Content({})),
        absent=frozenset(),
        now={TOTAL: figures, "UCBT": figures},
        before={TOTAL: figures, "UCBT": figures},
        pair={TOTAL: pair, "UCBT": pair},
        groups=(),
    )
    return replace(base, **more)


def months_seen(empty: dict[str, int], usual: int) -> list[str]:
    row = {f"alive_{m}": 1000 for m in MONTHS} | {f"empty_{m}": usual for m in MONTHS}
    row |= {f"empty_{m}": count for m, count in empty.items()}
    return [finding.where for finding in comparison.months(seen(pair={"UCBT": row}))]


def test_a_month_is_empty_beside_what_is_usual_in_the_others() -> None:
    assert months_seen({"12": 1000}, usual=0) == ["UCBT 12"]
    assert months_seen({"12": 700}, usual=0) == ["UCBT 12"]
    assert months_seen({"12": 700}, usual=200) == [], "half and a fifth that is usual"
    assert months_seen({"12": 1000}, usual=600) == ["UCBT 12"], "the usual share is capped"
    assert months_seen({m: 1000 for m in MONTHS[:9]}, usual=0) == [f"UCBT {m}" for m in MONTHS[:9]]


@pytest.mark.parametrize(
    ("ratio", "years", "layers", "found"),
    [
        (1.0, 1, ["UCBT"], False),
        (0.5, 1, ["UCBT"], True),
        (0.5, 0, ["UCBT"], True),
        (0.5, 1, ["UCBT", "UCMT"], True),
        (2.0, 1, ["UCBT"], True),
        (2.0, 0, ["UCBT"], False),  # what is replaced may have been short itself
        (2.0, 1, ["UCBT", "UCMT"], False),  # a layer that came explains more energy
        (2.0, 1, ["UCBT", "UCAT"], True),
    ],
)
def test_energy_over_all_layers_beside_what_was(
    ratio: float, years: int, layers: list[str], found: bool
) -> None:
    now = {"units": 1000, "coded": 1000, "most_kwh": ratio * 1e6}
    reference = Reference("a safra 401-2023", "2023", years, Content({}))
    given_ = seen(reference=reference, now=dict.fromkeys([TOTAL, *layers], now))
    assert bool(list(comparison.trimmed_energy(given_))) == found


def test_a_group_is_gone_by_its_units_where_codes_match_and_else_by_how_many_it_has() -> None:
    group = {"kind": "mun", "name": "4312401", "units": 200, "coded": 200}
    total = {"units": 1000, "coded": 1000, "most_kwh": 1e6}

    def gone(of_all: int, **figures: int) -> bool:
        pair = {TOTAL: {"common": of_all, "vanished": 0}}
        rows = [group | figures]
        return bool(
            list(comparison.vanished_groups(seen(pair=pair, groups=rows, now={TOTAL: total})))
        )

    assert gone(800, common=0, now_units=0)
    assert not gone(800, common=150, now_units=0), "they stand under another name"
    assert not gone(800, common=0, now_units=150), "its units have other codes"
    assert gone(0, common=150, now_units=0), "codes made anew tell nothing"


@pytest.mark.parametrize(("active", "found"), [(19, False), (20, True), (21, True)])
def test_a_month_of_nobody_and_an_absurd_unit_are_sure_from_twenty_units_on(
    active: int, found: bool
) -> None:
    row = {f"zero_{m}": 0 for m in MONTHS} | {"zero_12": active, "active": active}
    empty = list(inspection.empty_months({"UCBT": row, TOTAL: row}))
    assert [finding.where for finding in empty] == ["UCBT 12"] * found
    for kwh, absurd in ((99.0, True), (100.0, False), (20_000.0, False), (20_001.0, True)):
        figures = {"UCBT": {"active": active, "median_kwh": kwh}}
        assert bool(list(inspection.absurd_energy(figures))) == (found and absurd)


def test_installed_load_is_compared_with_the_demand_that_was_measured() -> None:
    (rule,) = [r for r in suite(UCMT) if r.name == "unidade_da_carga_instalada"]
    measured = ", ".join(f"dem_{m}" for m in MONTHS)
    assert f"nullif(dem_cont, 0), nullif(greatest({measured}), 0)" in rule.figure


@pytest.mark.parametrize("held", [None, "falta dezembro"])
def test_a_verdict_is_said_with_its_state(
    held: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding("mes_sem_energia", "UCBT 12", "UCBT, dezembro: vazio")
    report.show(Verdict(SAFRA, 1, (), (finding,) if held else (), held))
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == (
        "safra 401-2024: 0 expectativas, 0 avisos, 1 achados; retida"
        if held
        else "safra 401-2024: 0 expectativas, 0 avisos, 0 achados; pode ser publicada"
    )
    assert ("achado mes_sem_energia:UCBT 12:: UCBT, dezembro: vazio" in said) == bool(held)
