"""The landing gate's rules, limits, chance and page. Not here: what they catch in a database."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.bdgd.layers import ALL_LAYERS, UCAT, UCBT, UCMT, Layer
from loaders.gate import comparison, expectations, inspection, report, verdict
from loaders.gate.comparison import Reference, Seen
from loaders.gate.evidence import Finding, beyond, least, limits, most, pct
from loaders.gate.expectations import Figure, Result
from loaders.gate.rules import Model, Portrait, Rule, rules
from loaders.gate.units import MONTHS, TOTAL, Content
from loaders.gate.verdict import Verdict
from loaders.safra import Safra
from scripts.quality_page import page

SAFRA = Safra.from_key("401-2024")


def suite(layer: Layer, model: Model = "V11", **more: object) -> list[Rule]:
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


@pytest.mark.parametrize("layer", ALL_LAYERS, ids=lambda c: c.name)
@pytest.mark.parametrize("model", ["M10", "V10", "V11"])
def test_no_rule_names_a_column_that_the_layer_lacks(layer: Layer, model: Model) -> None:
    known = set(layer.columns)
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
    names = {r.name for c in ALL_LAYERS for r in suite(c) if r.severity == "estrutura"}
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


def test_a_finding_is_of_its_layers_file_or_of_all() -> None:
    def of(*where: str) -> set[str]:
        return verdict._layers([Finding("regra", place, "texto") for place in where])

    assert of("UCBT") == of("UCBT 07", "UCBT ene_*") == {"UCBT"}
    assert of("UCBT", "PONNOT") == {"UCBT", "PONNOT"}
    assert of("TOTAL") == of("UCBT", "conj 12") == {"UCAT", "UCMT", "UCBT", "PONNOT"}


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


@given(
    st.floats(1e-3, 1e12),
    st.one_of(st.sampled_from([0.0, 0.59, 0.6, 1.55, 1.56]), st.floats(0, 3)),
)
def test_any_energy_before_is_a_measure_and_none_is_not(before: float, ratio: float) -> None:
    def held(before: float, now: float) -> bool:
        when = [{"units": 100, "coded": 100, "most_kwh": kwh} for kwh in (now, before)]
        given_ = seen(
            now={TOTAL: when[0], "UCBT": when[0]}, before={TOTAL: when[1], "UCBT": when[1]}
        )
        return bool(list(comparison.trimmed_energy(given_)))

    assert held(before, before * ratio) == (not 0.6 <= before * ratio / before <= 1.55)
    assert not held(0.0, before * ratio)


def test_energy_of_few_units_is_that_of_some_of_them() -> None:
    """Below a hundred units one client is more than the limit; a layer gone is judged as such."""
    few, many = ({"units": n, "coded": n, "most_kwh": 1e6} for n in (99, 100))
    none = {"units": 100, "coded": 100, "most_kwh": 0.0}
    for before, found in ((few, False), (many, True)):
        given_ = seen(now={TOTAL: none, "UCBT": none}, before={TOTAL: before, "UCBT": before})
        assert bool(list(comparison.trimmed_energy(given_))) == found
    for layer, found in (("UCMT", False), ("UCAT", True)):
        given_ = seen(
            now={TOTAL: none, "UCBT": none}, before={TOTAL: many, "UCBT": many, layer: many}
        )
        assert bool(list(comparison.trimmed_energy(given_))) == found


def vanished(gone: int, opened: int = 0, *, years: int = 1, of: int = 1000) -> list[str]:
    """Where units are missed when so many of TOTAL and UCBT are gone."""
    row = {"common": of - gone, "vanished": gone, "opened": opened}
    figures = {"units": of, "coded": of, "most_kwh": 1e6}
    given_ = seen(
        reference=Reference("a safra 401-2023", "2023", years, Content({})),
        before={TOTAL: figures, "UCBT": figures},
        pair={TOTAL: row, "UCBT": row},
    )
    return [finding.where for finding in comparison.vanished_units(given_)]


def test_units_that_are_nowhere_are_told_once_unless_as_many_came() -> None:
    assert vanished(150) == [], "within the limit of a year"
    assert vanished(250) == [TOTAL], "of all layers: not again of each"
    assert vanished(250, opened=250) == [], "codes made anew"
    assert vanished(500, opened=100) == [TOTAL]
    row = {"common": 750, "vanished": 250, "opened": 0}
    quiet = {"common": 1000, "vanished": 0, "opened": 0}
    one = seen(pair={TOTAL: quiet, "UCBT": row})
    assert [finding.where for finding in comparison.vanished_units(one)] == ["UCBT"]


@given(st.integers(0, 30))
def test_more_units_may_go_over_more_years_up_to_a_limit(years: int) -> None:
    share = comparison.allowed_to_vanish(years)
    assert comparison.allowed_to_vanish(0) == comparison.allowed_to_vanish(1) <= share
    assert share <= comparison.allowed_to_vanish(years + 1) <= most("unidades_que_sumiram_em_anos")
    assert share == pytest.approx(min(1 - 0.85 ** max(years, 1), 0.4))


@pytest.mark.parametrize(("gone", "found"), [(499, False), (500, True), (1000, True)])
def test_a_layer_that_the_file_lacks_is_missed_where_half_of_its_units_are_nowhere(
    gone: int, found: bool
) -> None:
    pair = {TOTAL: {"common": 1000 - gone, "vanished": gone}}
    pair["UCBT"] = pair[TOTAL]
    for absent, told in ((frozenset({"UCBT"}), found), (frozenset({"UCMT"}), False)):
        given_ = seen(absent=absent, pair=pair)
        assert bool(list(comparison.missing_layers(given_))) == told


@pytest.mark.parametrize("side", ["below", "above"])
def test_the_unit_in_the_middle_is_off_where_more_than_half_are(side: str) -> None:
    def off(many: int) -> list[str]:
        row = {"below": 0, "above": 0, "comparable": 1000, "median": 0.5} | {side: many}
        return [finding.where for finding in comparison.scale(seen(pair={"UCBT": row}))]

    assert [off(many) for many in (0, 500, 700, 1000)] == [[], [], ["UCBT"], ["UCBT"]]


@pytest.mark.parametrize(
    ("column", "rule", "limit"),
    [
        ("halved", "consumo_pela_metade", 350),
        ("doubled", "consumo_em_dobro", 350),
        ("fewer_months", "meses_a_menos", 450),
    ],
)
def test_parts_of_the_units_that_both_have_are_told_by_their_rule(
    column: str, rule: str, limit: int
) -> None:
    def told(many: int) -> list[tuple[str, str]]:
        row = {"halved": 0, "doubled": 0, "fewer_months": 0, "comparable": 1000} | {column: many}
        found = comparison.shares(seen(pair={"UCBT": row}))
        return [(finding.rule, finding.where) for finding in found]

    assert [told(limit), told(limit + 150)] == [[], [(rule, "UCBT")]]


@pytest.mark.parametrize(("displaced", "found"), [(150, False), (250, True)])
def test_units_that_lost_their_pole_are_told(displaced: int, found: bool) -> None:
    given_ = seen(pair={TOTAL: {"displaced": displaced, "placed": 1000}})
    assert bool(list(comparison.points(given_))) == found


def totals(now: int, years: int = 1) -> list[str]:
    figures = {"units": now, "coded": now, "most_kwh": 1e6}
    reference = Reference("a safra 401-2023", "2023", years, Content({}))
    given_ = seen(reference=reference, now={TOTAL: figures, "UCBT": figures})
    return [finding.where for finding in comparison.layer_totals(given_)]


def test_without_common_codes_each_layer_may_shrink_by_so_much_a_year() -> None:
    assert totals(1200) == totals(750) == []
    assert totals(650) == [TOTAL, "UCBT"]
    assert totals(650, years=0) == [TOTAL, "UCBT"], "what is replaced is as of a year"
    assert totals(650, years=3) == []
    assert totals(480, years=30) == [TOTAL, "UCBT"]


def typical(ratio: float, now: int, before: int) -> bool:
    when = [
        {"active": active, "median_kwh": kwh}
        for active, kwh in ((now, 1000 * ratio), (before, 1000))
    ]
    given_ = seen(now={"UCBT": when[0]}, before={"UCBT": when[1]})
    return bool(list(comparison.typical_energy(given_)))


def test_without_common_codes_the_unit_in_the_middle_is_compared_within_its_error() -> None:
    assert not any(typical(ratio, 10**8, 10**8) for ratio in (0.61, 1.0, 1.59))
    assert all(typical(ratio, 10**8, 10**8) for ratio in (0.0001, 0.59, 1.61, 50.0))
    # 4 × 1.25 × 1.3 × √(1/100 + 1/300): the logarithm may be off by 0.75 more.
    assert not any(typical(ratio, 100, 300) for ratio in (0.29, 3.3))
    assert all(typical(ratio, 100, 300) for ratio in (0.28, 3.5))
    assert typical(0.29, 100, 400) and typical(0.28, 300, 100)


@pytest.mark.parametrize(("now", "before"), [(0, 1000), (1000, 0), (0, 0)])
def test_a_layer_without_energy_has_no_unit_in_the_middle(now: int, before: int) -> None:
    assert not typical(0.001, now, before)


@pytest.mark.parametrize(("common", "match"), [(0, False), (50, False), (51, True)])
def test_codes_match_where_more_than_a_twentieth_of_the_smaller_is_common(
    common: int, match: bool
) -> None:
    few, many = ({TOTAL: {"coded": n}} for n in (1000, 9000))
    for now, before in ((few, many), (many, few)):
        pair = {TOTAL: {"common": common}}
        assert seen(now=now, before=before, pair=pair).codes_match == match


def test_a_finding_says_its_reference_and_its_sample() -> None:
    said = [seen(sample=n).finding("regra", "UCBT", "texto", a=1) for n in (1, 2)]
    assert [finding.text for finding in said] == [
        "texto (a safra 401-2023)",
        "texto (a safra 401-2023; amostra de 1 em 2)",
    ]
    assert {finding.id for finding in said} == {"regra:UCBT:2023"}


@pytest.mark.parametrize(("same", "found"), [(200, False), (300, True)])
def test_units_that_stand_twice_are_told_of_each_layer(same: int, found: bool) -> None:
    twins = {"UCAT": (0, 0), "UCBT": (1000, same)}
    told = [finding.where for finding in inspection.twin_rows(twins)]
    assert told == ["UCBT"] * found


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
