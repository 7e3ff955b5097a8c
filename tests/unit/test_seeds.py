"""The reference data keeps its promises before any database sees it.

Belongs here: claims about seeds/*.csv and the types declared for them. Not here: the domain tables
that dbt builds from them.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

from loaders.open_data.values import folded

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
DOMAINS = ROOT / "dbt_project/models/intel_lead/dominios"
FILES = sorted(p.stem for p in SEEDS.glob("*.csv"))

REFERENCES = [
    ("cnae_dominio", "cnae_pai_id", "cnae_dominio"),
    ("cnae_segmento", "divisao_id", "cnae_dominio"),
    ("cnae_segmento", "segmento_mercado_id", "segmento_mercado_dominio"),
    ("subgrupo_tarifario_dominio", "modalidade_tarifaria_id", "modalidade_tarifaria_dominio"),
    ("oferta_criterio", "oferta_id", "oferta"),
    ("oferta_criterio", "criterio_id", "criterio"),
    ("posto_tarifario_hora", "distribuidora_id", "distribuidora_dominio"),
    ("criticidade_cnae", "id", "cnae_dominio"),
    ("cnae_anterior", "sucessor_id", "cnae_dominio"),
    ("classe_segmento", "classe_consumo_id", "classe_consumo_dominio"),
    ("classe_segmento", "segmento_mercado_id", "segmento_mercado_dominio"),
    ("area_estrategica", "municipio_id", "municipio_dominio"),
]
EDITABLE = {"area_estrategica", "inadimplencia_regiao"}
"""Seeds of ours that the user fills: they may have no row."""


def read(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(name: str) -> set[str]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return set(next(csv.reader(file)))


def ids(name: str) -> set[str]:
    return {row["id"] for row in read(name)}


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_there_once_and_no_cell_has_stray_space(name: str) -> None:
    rows = read(name)
    count = Counter(next(iter(row.values())) for row in rows)
    assert "" not in count
    assert [k for k, n in count.items() if n > 1] == []
    assert [v for row in rows for v in row.values() if v != " ".join(v.split())] == []


def test_every_seed_is_described_with_its_source_and_has_a_typed_key() -> None:
    described = {
        s["name"]: s for s in yaml.safe_load((SEEDS / "_seeds.yml").read_text("utf-8"))["seeds"]
    }
    assert sorted(described) == FILES
    keys = {
        "anomalia_tipo": "tipo",
        "cnae_segmento": "divisao_id",
        "classe_segmento": "classe_consumo_id",
        "distribuidora_agente": "sig_agente",
        "feriado": "data",
        "perfil_centro": "perfil_id",
    }
    outros = {
        "distribuidora_dominio": "integer",
        "municipio_dominio": "integer",
        "feriado": "date",
    }
    for name, seed in described.items():
        dtypes = seed["config"]["column_types"]
        assert dtypes[keys.get(name, "id")] == outros.get(name, "text"), name
        assert dtypes.keys() <= columns(name), name
        assert seed["description"].startswith("Uma linha por "), name


def test_every_domain_seed_has_its_table() -> None:
    tables = {f"{p.stem}_dominio" for p in DOMAINS.glob("*.sql")}
    assert {a for a in FILES if a.endswith("_dominio")} == tables


@pytest.mark.parametrize(("name", "column", "target"), REFERENCES)
def test_every_reference_exists(name: str, column: str, target: str) -> None:
    assert {row[column] for row in read(name)} - {""} <= ids(target)


def test_municipios_have_seven_digits_their_state_and_a_point_in_brazil() -> None:
    municipios = read("municipio_dominio")
    assert len(municipios) == 5571
    for m in municipios:
        assert len(m["id"]) == 7 and m["id"].isdigit(), m
        assert -33.8 < float(m["latitude"]) < 5.3, m
        assert -74 < float(m["longitude"]) < -32, m
    ufs = {(m["id"][:2], m["uf"]) for m in municipios}
    assert len(ufs) == len(dict(ufs)) == len({uf for _, uf in ufs}) == 27
    assert {("11", "RO"), ("35", "SP"), ("53", "DF")} < ufs


def test_no_two_municipios_of_a_state_share_a_name_or_a_point() -> None:
    municipios = read("municipio_dominio")
    for key in (("uf", "nome"), ("latitude", "longitude")):
        count = Counter(tuple(m[c] for c in key) for m in municipios)
        assert [k for k, n in count.items() if n > 1] == []


def test_cnae_is_the_whole_tree_of_version_2_3() -> None:
    assert Counter(no["nivel"] for no in read("cnae_dominio")) == {
        "secao": 21,
        "divisao": 87,
        "grupo": 285,
        "classe": 673,
        "subclasse": 1331,
    }


def test_every_cnae_node_hangs_from_the_level_above_with_its_prefix() -> None:
    above = {"divisao": "secao", "grupo": "divisao", "classe": "grupo", "subclasse": "classe"}
    nodes = {no["id"]: no for no in read("cnae_dominio")}
    for no in nodes.values():
        if no["nivel"] == "secao":
            assert no["cnae_pai_id"] == "", no
            continue
        pai = nodes[no["cnae_pai_id"]]
        assert pai["nivel"] == above[no["nivel"]], no
        assert pai["nivel"] == "secao" or no["id"].startswith(pai["id"]), no


def test_each_division_has_one_segment_and_each_segment_a_division() -> None:
    divisions = [no["id"] for no in read("cnae_dominio") if no["nivel"] == "divisao"]
    mapping = read("cnae_segmento")
    assert sorted(row["divisao_id"] for row in mapping) == sorted(divisions)
    assert {row["segmento_mercado_id"] for row in mapping} == ids("segmento_mercado_dominio")


def test_every_class_says_who_the_client_is_except_not_informed() -> None:
    dtypes = {c["id"]: c["tipo_cliente"] for c in read("classe_consumo_dominio")}
    assert len(dtypes) == 41
    assert {c for c, dtype in dtypes.items() if dtype == ""} == {"0"}
    assert set(dtypes.values()) == {"", "PF", "PJ"}
    assert (dtypes["RE1"], dtypes["RU3"], dtypes["RU1"], dtypes["CO1"]) == ("PF", "PF", "PJ", "PJ")


def test_only_69_kv_and_above_have_a_fixed_tariff_modality() -> None:
    subgroups = read("subgrupo_tarifario_dominio")
    constants = {s["id"] for s in subgroups if s["modalidade_tarifaria_id"] == "AZUL"}
    assert constants == {s["id"] for s in subgroups if s["modalidade_tarifaria_id"]}
    assert constants == {"A1", "A2", "A3"}


def test_supply_voltage_codes_are_volts_only_through_the_table() -> None:
    voltages = {t["id"]: t["tensao_v"] for t in read("tensao_fornecimento_dominio")}
    assert voltages.keys() == {str(code) for code in range(103)}
    assert voltages.pop("0") == ""
    assert all(110 <= float(v) <= 1_000_000 for v in voltages.values())
    assert (voltages["10"], voltages["49"], voltages["102"]) == ("220", "13800", "550000")


def test_distributors_are_those_of_aneels_catalogue() -> None:
    distribuidoras = {d["id"]: d for d in read("distribuidora_dominio")}
    assert len(distribuidoras) == 114
    assert distribuidoras["401"]["nome"] == "Mux Energia"
    assert {d["documentado"] for d in distribuidoras.values()} == {"true"}
    assert not any("_" in d["nome"] for d in distribuidoras.values())


# Offers -------------------------------------------------------------------------------------------


def test_every_row_of_the_offers_seeds_says_where_it_comes_from() -> None:
    with_source = {name for name in FILES if "fonte" in columns(name)}
    assert {"oferta", "criterio", "oferta_criterio", "parametro_oferta", "regra_mercado_livre"} < (
        with_source
    )
    assert {name for name in with_source if not read(name)} <= EDITABLE
    assert [(n, li) for n in sorted(with_source) for li in read(n) if not li["fonte"]] == []


def test_the_weights_of_an_offer_sum_to_one() -> None:
    totals: Counter[str] = Counter()
    for row in read("oferta_criterio"):
        assert row["id"] == f"{row['oferta_id']}:{row['criterio_id']}"
        assert row["direcao"] in {"maior", "menor"}, row
        totals[row["oferta_id"]] += float(row["peso"])
    assert totals.keys() == ids("oferta")
    assert totals == pytest.approx(dict.fromkeys(totals, 1))


def test_every_criterion_is_weighed_and_its_sentence_has_its_figure() -> None:
    assert {row["criterio_id"] for row in read("oferta_criterio")} == ids("criterio")
    for criterio in read("criterio"):
        assert criterio["casas"] in {"0", "1"}, criterio
        assert ("{valor}" in criterio["frase"]) == (criterio["unidade"] != "0 ou 1"), criterio


def test_a_load_curve_has_96_points_and_every_kind_of_day() -> None:
    days: dict[str, set[str]] = {}
    for row in read("curva_classe"):
        points = [float(v) for v in row["potencia"].strip("{}").split(",")]
        assert len(points) == 96 and min(points) >= 0, row["id"]
        days.setdefault(row["chave"], set()).add(row["tipo_dia"])
    assert all(dtypes == {"DU", "SA", "DO"} for dtypes in days.values())
    assert {"MT todas", "BT todas"} < days.keys()


def test_peak_is_three_hours_and_one_row_is_everybodys() -> None:
    posts = read("posto_tarifario_hora")
    for placed in posts:
        start, end = (int(placed[c][:2]) * 60 + int(placed[c][3:]) for c in ("inicio", "fim"))
        assert end - start == 180, placed
    assert [p["id"] for p in posts if not p["distribuidora_id"]] == ["padrao"]


def test_holidays_are_of_every_year_from_2015_to_2030() -> None:
    years = Counter(row["data"][:4] for row in read("feriado"))
    assert years.keys() == {str(ano) for ano in range(2015, 2031)}
    assert {row["data"] for row in read("feriado")} > {"2024-03-29", "2024-11-20"}
    assert set(years.values()) == {9, 10}


def test_an_earlier_edition_of_cnae_has_codes_that_2_3_lacks() -> None:
    earlier = read("cnae_anterior")
    assert {"9412000", "5611202", "1610202", "4713001"} <= {c["id"] for c in earlier}
    assert not {c["id"] for c in earlier} & ids("cnae_dominio")
    assert all(c["id"][:5] == c["sucessor_id"][:5] for c in earlier)


def test_an_acronym_means_one_distributor_and_a_cnpj_has_its_check_digits() -> None:
    """Acronyms meet without case, accents and marks (macro sigla_agente)."""
    rows = read("distribuidora_agente")
    keys = Counter(folded(row["sig_agente"]) for row in rows)
    assert [k for k, n in keys.items() if n > 1] == []
    codes = {int(row["distribuidora_id"]) for row in rows}
    assert codes - {int(code) for code in ids("distribuidora_dominio")} == {65000}
    owners = {(row["cnpj"], row["distribuidora_id"]) for row in rows if row["cnpj"]}
    assert len(owners) == len({cnpj for cnpj, _ in owners})
    for cnpj, _ in owners:
        for size in (12, 13):
            weights = [n % 8 + 2 for n in range(size)]
            rest = sum(int(d) * w for d, w in zip(reversed(cnpj[:size]), weights, strict=True)) % 11
            assert int(cnpj[size]) == (0 if rest < 2 else 11 - rest), cnpj
