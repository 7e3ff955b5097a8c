"""What the offers ask of a unit: where it may buy, its place, its peers, what it is eligible for.

Belongs here: LEADS §1, §5 and §9 of one safra. Not here: its year (curves.py), what an offer makes
of it (scores.py), sums over units (cells.py).
"""

from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np

from tests.golden.curves import hours_of, index
from tests.golden.domains import seed
from tests.golden.expected import Domains, Row, Rows, Safra, total
from tests.golden.network import SEEDS
from tests.golden.readers import legal_person
from tests.golden.rollups import possible


@cache
def parameter(name: str) -> float:
    """The value in force of a parameter of offers."""
    rows = [r for r in seed(SEEDS, "parametro_oferta").to_dict("records") if r["nome"] == name]
    return float(max(rows, key=lambda r: r["vigencia"])["valor"])


def finish(safra: Safra, domains: Domains) -> None:
    """Add lead_mercado and lead_elegivel."""
    market = _market(safra, domains, index(domains, "classe_consumo"))
    safra.tables["lead_mercado"] = [row | safra.key for row in market]
    safra.tables["lead_elegivel"] = [row | safra.key for row in _eligible(market, safra.year)]


def medians(safra: Safra) -> dict[int, tuple[float, float | None]]:
    """Conjunto → median DIC and FIC of its units, households too, where five or more say a DIC."""
    year = {row["uc_id"]: row for row in safra.tables["lead_resumo_anual"]}
    groups: dict[int, list[tuple[float, float | None]]] = defaultdict(list)
    for lead in safra.tables["lead_bruto"]:
        dic, fic = (
            possible(year[lead["uc_id"]][name], safra.year) for name in ("dic_anual_h", "fic_anual")
        )
        if dic is not None and lead["conjunto_id"] is not None:
            groups[lead["conjunto_id"]].append((dic, fic))
    found = {}
    for key, of in groups.items():
        fics = [f for _, f in of if f is not None]
        if len(of) >= 5:
            found[key] = (
                float(np.median([d for d, _ in of])),
                float(np.median(fics)) if fics else None,
            )
    return found


def segment_of(lead: Row, of_class: dict[str, str]) -> str | None:
    """By CNAE, else what the class says."""
    return lead["segmento_mercado_id"] or of_class.get(lead["classe_consumo_id"])


def segments_of_classes() -> dict[str, str]:
    """Class → segment."""
    frame = seed(SEEDS, "classe_segmento")
    return dict(zip(frame["classe_consumo_id"], frame["segmento_mercado_id"], strict=True))


def _criticality(cnae: str | None, lines: Rows) -> float:
    fits = [r for r in lines if cnae and cnae.startswith(r["id"])]
    if not fits:
        return parameter("criticidade_padrao")
    return float(max(fits, key=lambda r: len(r["id"]))["criticidade"])


def _may_leave(lead: Row, group: str, volts: float | None, rules: Rows) -> str | None:
    """The date of the first rule that lets any unit like it buy elsewhere."""
    kv = volts / 1000 if volts is not None else 69 if lead["origem"] == "UCAT" else None

    def fits(rule: Row) -> bool:
        least = [("tensao_min_kv", kv), ("demanda_min_kw", lead["pac"])]
        enough = all(rule[c] is None or (v is not None and v >= float(rule[c])) for c, v in least)
        of_group = rule["grupo"] == ("B" if lead["origem"] == "UCBT" else "A")
        of_class = rule["classe"] is None or rule["classe"] == group
        return rule["condicao"] == "todas" and of_group and enough and of_class

    return min((r["inicio"] for r in rules if fits(r)), default=None)


def _left_in(lead: Row, months: list[float | None], older: Rows, year: int) -> str | None:
    """The first month with energy after the last one of its captive rows, of a free unit."""
    captive = [r["meses_com_energia"] for r in older if r["livre"] is False]
    if lead["livre"] is not True or not captive:
        return None
    last = max((months_[-1] if months_ else 0) for months_ in captive)
    after = [m for m, v in enumerate(months, 1) if m > last and v is not None and v != 0]
    return f"{year}-{after[0]:02d}-01" if after else None


def _market(safra: Safra, domains: Domains, kinds: dict[str, Row]) -> Rows:
    names = ("distribuidora", "municipio", "cnae", "subgrupo_tarifario", "tensao_fornecimento")
    of = {n: index(domains, n) for n in (*names, "segmento_mercado", "situacao_uc")}
    by_uc = {
        name: {row["uc_id"]: row for row in safra.tables[name]}
        for name in ("lead_perfil", "lead_resumo_anual", "lead_com_coordenadas")
    }
    older: dict[str, Rows] = defaultdict(list)
    for row in safra.tables["lead_historico"]:
        older[row["uc_id"]].append(row)
    rules = seed(SEEDS, "regra_mercado_livre").to_dict("records")
    lines = seed(SEEDS, "criticidade_cnae").to_dict("records")
    of_class, sets = segments_of_classes(), medians(safra)
    set_names = {row["conjunto_id"]: row["nome"] for row in safra.tables["conjunto"]}
    plants: dict[str, list[float | None]] = defaultdict(list)
    for plant in safra.tables["geracao"]:
        if plant["ceg_gd"] and plant["situacao_uc_id"] != "DS":
            plants[plant["ceg_gd"]].append(plant["potencia_instalada_kw"])
    companies = {c["uc_id"]: c for c in safra.tables["lead_empresa"] if c["preenche_cnae"]}
    found = []
    for lead in safra.tables["lead_bruto"]:
        if not legal_person(lead, kinds):
            continue
        own, of_company = lead["cnae_id"], companies.get(lead["uc_id"], {}).get("cnae_id")
        lead = lead | {"cnae_id": own or of_company}
        by_company = of["cnae"].get(of_company, {}).get("segmento_mercado_id")
        uc, kind = lead["uc_id"], kinds[lead["classe_consumo_id"]]
        profile, year = by_uc["lead_perfil"][uc], by_uc["lead_resumo_anual"][uc]
        place = by_uc["lead_com_coordenadas"][uc]
        segment = lead["segmento_mercado_id"] or by_company or segment_of(lead, of_class)
        volts = of["tensao_fornecimento"].get(lead["tensao_fornecimento_id"], {}).get("tensao_v")
        volts = float(volts) if volts is not None else None
        town = of["municipio"].get(_text(lead["municipio_id"]), {})
        tariff = of["subgrupo_tarifario"].get(lead["subgrupo_tarifario_id"], {}).get("grupo")
        dic, fic = sets.get(lead["conjunto_id"], (None, None))
        source = "classe" if segment else None
        source = "cnae" if lead["segmento_mercado_id"] else "empresa" if by_company else source
        found.append(
            {c: lead[c] for c in _OF_LEAD}
            | {c: profile[c] for c in _OF_PROFILE}
            | {
                "latitude": place["latitude_final"],
                "longitude": place["longitude_final"],
                "origem_coordenada": place["origem_coordenada"],
                "geom": place["geom"],
                "demanda_contratada_kw": lead["pac"],
                "dic_anual_h": year["dic_anual_h"],
                "fic_anual": year["fic_anual"],
                "dic_mediana_conjunto_h": dic,
                "fic_mediana_conjunto": fic,
                "criticidade": _criticality(lead["cnae_id"], lines),
                "inadimplencia_pct": None,
                "area_estrategica": None,
                "gd_kw": total(plants.get(lead["ceg_gd"], [])),
                "mercado_livre_desde": _may_leave(lead, kind["grupo"], volts, rules),
                "migrou_em": _left_in(lead, profile["energia_mes"], older[uc], safra.year),
                "livre": lead["livre"] is True,
                "optante_b": lead["origem"] != "UCBT" and tariff == "B",
                "desativada": lead["situacao_uc_id"] == "DS",
                "distribuidora": of["distribuidora"][str(safra.utility)]["nome"],
                "municipio": town.get("nome"),
                "uf": town.get("uf"),
                "classe_consumo": kind["descricao"],
                "classe": kind["grupo"],
                "segmento_mercado_id": segment,
                "segmento_mercado": of["segmento_mercado"].get(segment, {}).get("descricao"),
                "segmento_origem": source,
                "cnae_origem": "bdgd" if own else "empresa" if of_company else None,
                "cnae": of["cnae"].get(lead["cnae_id"], {}).get("descricao"),
                "situacao": of["situacao_uc"]
                .get(lead["situacao_uc_id"], {})
                .get("descricao", "Não informada"),
                "conjunto": set_names.get(lead["conjunto_id"]),
            }
        )
    _beside_peers(found)
    return found


_OF_LEAD = (  # noqa: SIM905
    "uc_id cod_id origem municipio_id conjunto_id possui_geracao bairro cep classe_consumo_id"
    " cnae_id subgrupo_tarifario_id circuito transformador"
).split()
_OF_PROFILE = (  # noqa: SIM905
    "demanda_maxima_kw demanda_ponta_kw razao_demanda energia_anual_kwh energia_ponta_kwh"
    " participacao_ponta fator_carga sazonalidade origem_perfil energia_mes energia_ponta_mes"
).split()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _beside_peers(leads: Rows) -> None:
    """The median energy of the same voltage and segment, of the voltage where they are few."""
    groups: dict[tuple, list[float]] = defaultdict(list)
    for lead in leads:
        kwh = lead["energia_anual_kwh"]
        if kwh is not None and kwh > 0:
            groups[lead["origem"],].append(kwh)
            groups[lead["origem"], lead["segmento_mercado_id"]].append(kwh)
    least = parameter("comparacao_minimo_leads")
    for lead in leads:
        peers = groups[lead["origem"], lead["segmento_mercado_id"]]
        if lead["segmento_mercado_id"] is None or len(peers) < least:
            peers = groups[lead["origem"],]
        lead["energia_mediana_pares_kwh"] = float(np.median(peers)) if peers else None


def _eligible(leads: Rows, year: int) -> Rows:
    """Lead × offer: why not, or the group in which it is compared."""
    offers = seed(SEEDS, "oferta")["id"]
    found = [
        {"uc_id": x["uc_id"], "oferta": o, "motivo": _why_not(x, o, year), "lead": x}
        for x in leads
        for o in offers
    ]
    sizes: dict[tuple, int] = defaultdict(int)
    for row in found:
        if row["motivo"] is None:
            sizes[row["oferta"], row["lead"]["origem"], row["lead"]["classe"]] += 1
    for row in found:
        lead: dict[str, Any] = row.pop("lead")
        many = sizes[row["oferta"], lead["origem"], lead["classe"]]
        group = lead["origem"][2:]
        if many >= parameter("comparacao_minimo_leads"):
            group += f" {lead['classe']}"
        row["grupo_comparacao"] = group if row["motivo"] is None else None
    return found


def _why_not(lead: Row, offer: str, year: int) -> str | None:
    if lead["desativada"]:
        return "Unidade desativada"
    if (lead["energia_anual_kwh"] or 0) <= 0:
        return "Sem energia no ano"
    if offer == "migracao" and lead["livre"]:
        return "Já no mercado livre"
    if offer == "arbitragem" and lead["origem"] == "UCBT":
        return "Sem tarifa horária: baixa tensão"
    if offer == "arbitragem" and lead["optante_b"]:
        return "Sem tarifa horária: optante B"
    if offer == "backup" and lead["dic_anual_h"] is None:
        return "Sem DIC"
    if offer == "backup" and lead["dic_anual_h"] > hours_of(year):
        return "DIC impossível: mais horas que o ano"
    return None
