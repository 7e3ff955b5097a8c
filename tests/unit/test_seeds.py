"""The reference data keeps its promises before any database sees it.

Belongs here: claims about seeds/*.csv and the types declared for them. Not here: the domain tables
that dbt builds from them.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

RAIZ = Path(__file__).parents[2]
SEEDS = RAIZ / "seeds"
DOMINIOS = RAIZ / "dbt_project/models/intel_lead/dominios"
ARQUIVOS = sorted(p.stem for p in SEEDS.glob("*.csv"))

REFERENCIAS = [
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


def le(nome: str) -> list[dict[str, str]]:
    with (SEEDS / f"{nome}.csv").open(encoding="utf-8", newline="") as arquivo:
        return list(csv.DictReader(arquivo))


def colunas(nome: str) -> set[str]:
    with (SEEDS / f"{nome}.csv").open(encoding="utf-8", newline="") as arquivo:
        return set(next(csv.reader(arquivo)))


def ids(nome: str) -> set[str]:
    return {linha["id"] for linha in le(nome)}


@pytest.mark.parametrize("nome", ARQUIVOS)
def test_every_key_is_there_once_and_no_cell_has_stray_space(nome: str) -> None:
    linhas = le(nome)
    contagem = Counter(next(iter(linha.values())) for linha in linhas)
    assert "" not in contagem
    assert [k for k, n in contagem.items() if n > 1] == []
    assert [v for linha in linhas for v in linha.values() if v != " ".join(v.split())] == []


def test_every_seed_is_described_with_its_source_and_has_a_typed_key() -> None:
    descritos = {
        s["name"]: s for s in yaml.safe_load((SEEDS / "_seeds.yml").read_text("utf-8"))["seeds"]
    }
    assert sorted(descritos) == ARQUIVOS
    chaves = {
        "cnae_segmento": "divisao_id",
        "classe_segmento": "classe_consumo_id",
        "feriado": "data",
    }
    outros = {
        "distribuidora_dominio": "integer",
        "municipio_dominio": "integer",
        "feriado": "date",
    }
    for nome, seed in descritos.items():
        tipos = seed["config"]["column_types"]
        assert tipos[chaves.get(nome, "id")] == outros.get(nome, "text"), nome
        assert tipos.keys() <= colunas(nome), nome
        assert seed["description"].startswith("Uma linha por "), nome


def test_every_domain_seed_has_its_table() -> None:
    tabelas = {f"{p.stem}_dominio" for p in DOMINIOS.glob("*.sql")}
    assert {a for a in ARQUIVOS if a.endswith("_dominio")} == tabelas


@pytest.mark.parametrize(("nome", "coluna", "alvo"), REFERENCIAS)
def test_every_reference_exists(nome: str, coluna: str, alvo: str) -> None:
    assert {linha[coluna] for linha in le(nome)} - {""} <= ids(alvo)


def test_municipios_have_seven_digits_their_state_and_a_point_in_brazil() -> None:
    municipios = le("municipio_dominio")
    assert len(municipios) == 5571
    for m in municipios:
        assert len(m["id"]) == 7 and m["id"].isdigit(), m
        assert -33.8 < float(m["latitude"]) < 5.3, m
        assert -74 < float(m["longitude"]) < -32, m
    ufs = {(m["id"][:2], m["uf"]) for m in municipios}
    assert len(ufs) == len(dict(ufs)) == len({uf for _, uf in ufs}) == 27
    assert {("11", "RO"), ("35", "SP"), ("53", "DF")} < ufs


def test_no_two_municipios_of_a_state_share_a_name_or_a_point() -> None:
    municipios = le("municipio_dominio")
    for chave in (("uf", "nome"), ("latitude", "longitude")):
        contagem = Counter(tuple(m[c] for c in chave) for m in municipios)
        assert [k for k, n in contagem.items() if n > 1] == []


def test_cnae_is_the_whole_tree_of_version_2_3() -> None:
    assert Counter(no["nivel"] for no in le("cnae_dominio")) == {
        "secao": 21,
        "divisao": 87,
        "grupo": 285,
        "classe": 673,
        "subclasse": 1331,
    }


def test_every_cnae_node_hangs_from_the_level_above_with_its_prefix() -> None:
    acima = {"divisao": "secao", "grupo": "divisao", "classe": "grupo", "subclasse": "classe"}
    nos = {no["id"]: no for no in le("cnae_dominio")}
    for no in nos.values():
        if no["nivel"] == "secao":
            assert no["cnae_pai_id"] == "", no
            continue
        pai = nos[no["cnae_pai_id"]]
        assert pai["nivel"] == acima[no["nivel"]], no
        assert pai["nivel"] == "secao" or no["id"].startswith(pai["id"]), no


def test_each_division_has_one_segment_and_each_segment_a_division() -> None:
    divisoes = [no["id"] for no in le("cnae_dominio") if no["nivel"] == "divisao"]
    mapa = le("cnae_segmento")
    assert sorted(linha["divisao_id"] for linha in mapa) == sorted(divisoes)
    assert {linha["segmento_mercado_id"] for linha in mapa} == ids("segmento_mercado_dominio")


def test_every_class_says_who_the_client_is_except_not_informed() -> None:
    tipos = {c["id"]: c["tipo_cliente"] for c in le("classe_consumo_dominio")}
    assert len(tipos) == 41
    assert {c for c, tipo in tipos.items() if tipo == ""} == {"0"}
    assert set(tipos.values()) == {"", "PF", "PJ"}
    assert (tipos["RE1"], tipos["RU3"], tipos["RU1"], tipos["CO1"]) == ("PF", "PF", "PJ", "PJ")


def test_only_69_kv_and_above_have_a_fixed_tariff_modality() -> None:
    subgrupos = le("subgrupo_tarifario_dominio")
    fixos = {s["id"] for s in subgrupos if s["modalidade_tarifaria_id"] == "AZUL"}
    assert fixos == {s["id"] for s in subgrupos if s["modalidade_tarifaria_id"]}
    assert fixos == {"A1", "A2", "A3"}


def test_supply_voltage_codes_are_volts_only_through_the_table() -> None:
    tensoes = {t["id"]: t["tensao_v"] for t in le("tensao_fornecimento_dominio")}
    assert tensoes.keys() == {str(codigo) for codigo in range(103)}
    assert tensoes.pop("0") == ""
    assert all(110 <= float(v) <= 1_000_000 for v in tensoes.values())
    assert (tensoes["10"], tensoes["49"], tensoes["102"]) == ("220", "13800", "550000")


def test_distributors_are_those_of_aneels_catalogue() -> None:
    distribuidoras = {d["id"]: d for d in le("distribuidora_dominio")}
    assert len(distribuidoras) == 114
    assert distribuidoras["401"]["nome"] == "Mux Energia"
    assert {d["documentado"] for d in distribuidoras.values()} == {"true"}
    assert not any("_" in d["nome"] for d in distribuidoras.values())


# Offers -------------------------------------------------------------------------------------------


def test_every_row_of_the_offers_seeds_says_where_it_comes_from() -> None:
    com_fonte = {nome for nome in ARQUIVOS if "fonte" in colunas(nome)}
    assert {"oferta", "criterio", "oferta_criterio", "parametro_oferta", "regra_mercado_livre"} < (
        com_fonte
    )
    assert {nome for nome in com_fonte if not le(nome)} <= EDITABLE
    assert [(n, li) for n in sorted(com_fonte) for li in le(n) if not li["fonte"]] == []


def test_the_weights_of_an_offer_sum_to_one() -> None:
    somas: Counter[str] = Counter()
    for linha in le("oferta_criterio"):
        assert linha["id"] == f"{linha['oferta_id']}:{linha['criterio_id']}"
        assert linha["direcao"] in {"maior", "menor"}, linha
        somas[linha["oferta_id"]] += float(linha["peso"])
    assert somas.keys() == ids("oferta")
    assert somas == pytest.approx(dict.fromkeys(somas, 1))


def test_every_criterion_is_weighed_and_its_sentence_has_its_figure() -> None:
    assert {linha["criterio_id"] for linha in le("oferta_criterio")} == ids("criterio")
    for criterio in le("criterio"):
        assert criterio["casas"] in {"0", "1"}, criterio
        assert ("{valor}" in criterio["frase"]) == (criterio["unidade"] != "0 ou 1"), criterio


def test_a_load_curve_has_96_points_and_every_kind_of_day() -> None:
    dias: dict[str, set[str]] = {}
    for linha in le("curva_classe"):
        pontos = [float(v) for v in linha["potencia"].strip("{}").split(",")]
        assert len(pontos) == 96 and min(pontos) >= 0, linha["id"]
        dias.setdefault(linha["chave"], set()).add(linha["tipo_dia"])
    assert all(tipos == {"DU", "SA", "DO"} for tipos in dias.values())
    assert {"MT todas", "BT todas"} < dias.keys()


def test_peak_is_three_hours_and_one_row_is_everybodys() -> None:
    postos = le("posto_tarifario_hora")
    for posto in postos:
        inicio, fim = (int(posto[c][:2]) * 60 + int(posto[c][3:]) for c in ("inicio", "fim"))
        assert fim - inicio == 180, posto
    assert [p["id"] for p in postos if not p["distribuidora_id"]] == ["padrao"]


def test_holidays_are_of_every_year_from_2015_to_2030() -> None:
    anos = Counter(linha["data"][:4] for linha in le("feriado"))
    assert anos.keys() == {str(ano) for ano in range(2015, 2031)}
    assert {linha["data"] for linha in le("feriado")} > {"2024-03-29", "2024-11-20"}
    assert set(anos.values()) == {9, 10}


def test_an_earlier_edition_of_cnae_has_codes_that_2_3_lacks() -> None:
    anteriores = le("cnae_anterior")
    assert {"9412000", "5611202", "1610202", "4713001"} <= {c["id"] for c in anteriores}
    assert not {c["id"] for c in anteriores} & ids("cnae_dominio")
    assert all(c["id"][:5] == c["sucessor_id"][:5] for c in anteriores)
