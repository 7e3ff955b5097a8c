"""Yearly figures of a lead, its enrichment, rollups and views.

Belongs here: sums and joins over what expected.py makes. Not here: single rows of a file.
"""

import calendar
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tests.golden import companies
from tests.golden.expected import (
    Domains,
    Rows,
    Safra,
    first,
    greatest,
    mean,
    month_energy,
    point,
    total,
)
from tests.golden.layers import NETWORK, UC_LAYERS, Delivery
from tests.golden.readers import legal_person

Row = dict[str, Any]


def _by(rows: Iterable[Row], *columns: str) -> dict[tuple, Rows]:
    groups: dict[tuple, Rows] = defaultdict(list)
    for row in rows:
        groups[tuple(row[c] for c in columns)].append(row)
    return groups


def _index(domains: Domains, name: str) -> dict[str, Row]:
    return {row["id"]: row for row in domains[name].to_dict("records")}


def finish(safra: Safra, domains: Domains) -> None:
    """Add enrichment, yearly figures, located leads and the safra's totals to its tables."""
    towns = _index(domains, "municipio")
    poles = {p["cod_id"]: p for p in safra.tables["ponto_notavel"]}
    series = {s["uc_id"]: s for s in safra.tables["lead_serie"]}
    firsts = {c["uc_id"]: c for c in safra.tables["lead_empresa"] if c["ordem"] == 1}
    outside = _outside(safra, domains)
    names = "lead_enrichment_log lead_resumo_anual lead_com_coordenadas"
    safra.tables |= {name: [] for name in names.split()}
    for lead in safra.tables["lead_bruto"]:
        pole, town = poles.get(lead["pn_con"]), towns.get(lead["municipio_id"])
        company = firsts.get(lead["uc_id"])
        steps = _steps(lead, pole, town)
        good = [result for result, _ in steps.values()].count("success")
        # A município's point alone is no place of the unit's: partial, which counts as none.
        lead["status"] = "enriched" if good == 3 else "partial" if good else "raw"
        steps |= outside(lead, pole, company, steps)
        for step, (result, details) in steps.items():
            safra.tables["lead_enrichment_log"].append(
                {
                    "id": "~int",
                    "uc_id": lead["uc_id"],
                    "created_at": "~datetime",
                    "resultado": result,
                    "etapa": step,
                    "detalhes": details,
                }
                | safra.key
            )
        safra.tables["lead_resumo_anual"].append(_year(lead, series[lead["uc_id"]], steps))
        safra.tables["lead_com_coordenadas"].append(_located(lead, pole, company, town))
    safra.tables["safra_resumo"] = _totals(safra, domains)
    safra.tables["safra_publicada"] = [
        {"publicada_em": "~datetime", "import_id": "~int"} | safra.key
    ]


def _steps(lead: Row, pole: Row | None, town: Row | None) -> dict[str, tuple[str, str | None]]:
    if lead["latitude"] is not None:
        place = ("success", "uc")
    elif pole:
        place = ("success", "ponto_notavel")
    elif town:
        place = ("partial", "municipio: PN_CON sem ponto notável")
    else:
        place = ("failed", "sem ponto notável e sem município")
    if lead["segmento_mercado_id"]:
        activity = ("success", lead["segmento_mercado_id"])
    elif lead["cnae_id"] is None:
        activity = ("partial", "CNAE não informado ou fora da tabela")
    else:
        activity = ("failed", "CNAE sem segmento")
    missing = "código de município ausente ou fora da tabela do IBGE"
    known = ("success", None) if lead["municipio_id"] else ("failed", missing)
    return {"coordenada": place, "cnae_segmento": activity, "municipio": known}


Steps = dict[str, tuple[str, str | None]]


def _outside(safra: Safra, domains: Domains) -> Callable[..., Steps]:
    """What the steps from outside say of a legal person's unit, and what they change of the own."""
    ran, alike, asked = companies.ran(safra), companies.addresses(safra), companies.places()
    kinds, activities = _index(domains, "classe_consumo"), _index(domains, "cnae")

    def steps(lead: Row, pole: Row | None, company: Row | None, own: Steps) -> Steps:
        made: Steps = {}
        if company and company["latitude"] is not None and own["coordenada"][0] != "success":
            made["coordenada"] = ("partial", "geocodificacao: endereço da empresa candidata")
        if company and company["preenche_cnae"] and not lead["segmento_mercado_id"]:
            segment = activities[company["cnae_id"]]["segmento_mercado_id"]
            if segment:
                made["cnae_segmento"] = ("success", f"{segment} (da empresa candidata)")
        person = not legal_person(lead, kinds)
        if "empresa" in ran and not person:
            made["empresa"] = _found(company)
        streets = alike.get((lead["origem"], lead["cod_id"]), {})
        if "endereco" in ran and streets and not person:
            best = max(streets.values())
            said = f"{len(streets)} empresa(s) no mesmo CEP e número, logradouro igual em até"
            share = f" {math.floor(100 * best + 0.5)} %"
            made["endereco"] = ("success" if best >= 0.5 else "partial", said + share)
        placed = lead["latitude"] is not None or pole
        sure = company and company["confianca"] == "alta" and company["cnpj"] in asked
        if "geocodificacao" in ran and sure and not placed:
            there = company["latitude"] is not None
            said = "o serviço não acha o endereço, ou o põe fora do município"
            made["geocodificacao"] = (
                ("success", "endereço da empresa candidata") if there else ("failed", said)
            )
        return made

    return steps


def _found(company: Row | None) -> tuple[str, str]:
    if not company:
        return "failed", "nenhuma empresa com escore suficiente"
    said = f"{company['candidatos']} candidata(s), a melhor com escore {company['escore']:.2f}"
    return "success" if company["confianca"] == "alta" else "partial", said


def _year(lead: Row, series: Row, steps: Steps) -> Row:
    def months(name: str) -> list[float | None]:
        return series[name] or [None] * 12

    energy = [
        month_energy(*three)
        for three in zip(
            *(months(n) for n in ("energia_total", "energia_ponta", "energia_fora_ponta")),
            strict=True,
        )
    ]
    demand = [
        first(whole, greatest([peak, off]))
        for whole, peak, off in zip(
            *(months(n) for n in ("demanda_total", "demanda_ponta", "demanda_fora_ponta")),
            strict=True,
        )
    ]
    whole = all(steps[s][0] == "success" for s in ("coordenada", "cnae_segmento", "municipio"))
    some = any(result == "success" for result, _ in steps.values())
    return {
        "uc_id": lead["uc_id"],
        "origem": lead["origem"],
        "ano": lead["ano"],
        "distribuidora_id": lead["distribuidora_id"],
        "energia_anual_kwh": total(energy),
        "media_energia": mean(energy),
        "energia_ponta_anual_kwh": total(months("energia_ponta")),
        "energia_fora_ponta_anual_kwh": total(months("energia_fora_ponta")),
        "maxima_demanda": greatest(demand),
        "media_demanda": mean(demand),
        # Model M10 has the year alone: a twelfth of it is the month's mean.
        "dic_anual_h": first(total(months("dic")), lead["dic_anual"]),
        "media_dic": first(mean(months("dic")), _twelfth(lead["dic_anual"])),
        "fic_anual": first(total(months("fic")), lead["fic_anual"]),
        "media_fic": first(mean(months("fic")), _twelfth(lead["fic_anual"])),
        "data_enriquecimento": "~datetime",
        "enriquecimento_status": "success" if whole else "partial" if some else "failed",
    }


def _twelfth(value: float | None) -> float | None:
    return None if value is None else value / 12


def _located(lead: Row, pole: Row | None, company: Row | None, town: Row | None) -> Row:
    """The lead with a place: its own, else its pole's, its company's, the município's."""
    place, source = None, None
    places = (("uc", lead), ("ponto_notavel", pole), ("geocodificacao", company))
    for name, where in (*places, ("municipio", town)):
        if where is not None and where["latitude"] is not None:
            place, source = where, name
            break
    x, y = (place["longitude"], place["latitude"]) if place else (None, None)
    return lead | {
        "latitude_final": y,
        "longitude_final": x,
        "origem_coordenada": source,
        "geom": point(x, y),
    }


def _totals(safra: Safra, domains: Domains) -> Rows:
    kinds = _index(domains, "classe_consumo")
    year = {row["uc_id"]: row for row in safra.tables["lead_resumo_anual"]}
    groups = _by(safra.tables["lead_bruto"], "municipio_id", "origem")
    return [
        {"municipio_id": town, "origem": layer}
        | safra.key
        | _total(leads, year)
        | _of_persons(leads, year, kinds)
        for (town, layer), leads in groups.items()
    ]


def _of_persons(leads: Rows, year: dict[str, Row], kinds: dict[str, Row]) -> Row:
    """What tells whether a cell says something of one person."""

    def energies(of: Rows) -> list[float | None]:
        return [year[lead["uc_id"]]["energia_anual_kwh"] for lead in of]

    persons = [lead for lead in leads if not legal_person(lead, kinds)]
    return {
        "leads_pf": len(persons),
        "maior_energia_anual_kwh": greatest(energies(leads)),
        "energia_pf_kwh": total(energies(persons)),
        "maior_energia_pf_kwh": greatest(energies(persons)),
    }


def _total(leads: Rows, year: dict[str, Row]) -> Row:
    of_year = [year[lead["uc_id"]] for lead in leads]
    dic, fic = (
        [possible(row[name], row["ano"]) for row in of_year]
        for name in ("dic_anual_h", "fic_anual")
    )

    def summed(rows: Rows, column: str) -> float | None:
        return total([row[column] for row in rows])

    return {
        "quantidade_leads": len(leads),
        "energia_anual_kwh": summed(of_year, "energia_anual_kwh"),
        "energia_ponta_anual_kwh": summed(of_year, "energia_ponta_anual_kwh"),
        "energia_fora_ponta_anual_kwh": summed(of_year, "energia_fora_ponta_anual_kwh"),
        "demanda_contratada_kw": summed(leads, "pac"),
        "carga_instalada_kw": summed(leads, "carga_instalada_kw"),
        "dic_anual_h": total(dic),
        "fic_anual": total(fic),
        "leads_com_dic": len(dic) - dic.count(None),
        "leads_com_fic": len(fic) - fic.count(None),
        "leads_dic_impossivel": _said(of_year, "dic_anual_h") - len(dic) + dic.count(None),
        "leads_fic_impossivel": _said(of_year, "fic_anual") - len(fic) + fic.count(None),
        "leads_livres": sum(lead["livre"] is True for lead in leads),
        "leads_com_geracao": sum(lead["possui_geracao"] for lead in leads),
        "leads_enriquecidos": sum(r["enriquecimento_status"] == "success" for r in of_year),
    }


def possible(value: float | None, year: int) -> float | None:
    """An indicator of a year has at most its hours."""
    hours = 8784 if calendar.isleap(year) else 8760
    return value if value is not None and 0 <= value <= hours else None


def _said(rows: Rows, column: str) -> int:
    return sum(row[column] is not None for row in rows)


# ── Views over all safras ─────────────────────────────────────────────────────────────────────────
def views(safras: list[Safra], deliveries: list[Delivery], domains: Domains) -> dict[str, Rows]:
    """The views of intel_lead that are not one lead's own columns."""
    whole = defaultdict(list)
    for safra in safras:
        for name, rows in safra.tables.items():
            whole[name] += rows
    made = {
        "vw_lead_com_cnae_desc": _with_activity(whole["lead_bruto"], domains),
        "vw_lead_completo_detalhado": _detailed(whole, domains),
        "vw_lead_status_enriquecimento": _status(whole),
        "vw_import_status_resumido": _ledger(deliveries, domains),
        "marts.mart_safra_camada": _layers(whole["safra_camada"], deliveries),
    }
    return made | _rollups(whole["lead_bruto"], whole["lead_resumo_anual"], domains)


def _with_activity(leads: Rows, domains: Domains) -> Rows:
    cnaes, segments = _index(domains, "cnae"), _index(domains, "segmento_mercado")
    same = ["uc_id", "ano", "distribuidora_id", "origem", "cod_id", "cnae_id"]
    same += ["segmento_mercado_id"]
    return [
        {name: lead[name] for name in same}
        | {
            "cnae_codigo": cnaes.get(lead["cnae_id"], {}).get("codigo_formatado"),
            "cnae_descricao": cnaes.get(lead["cnae_id"], {}).get("descricao"),
            "cnae_divisao_id": cnaes.get(lead["cnae_id"], {}).get("divisao_id"),
            "segmento_mercado": segments.get(lead["segmento_mercado_id"], {}).get("descricao"),
        }
        for lead in leads
    ]


DESCRIBED = {
    "distribuidora": ("distribuidora", "distribuidora_id", "nome"),
    "situacao_uc": ("situacao_uc", "situacao_uc_id", "descricao"),
    "classe_consumo": ("classe_consumo", "classe_consumo_id", "descricao"),
    "tipo_cliente": ("classe_consumo", "classe_consumo_id", "tipo_cliente"),
    "segmento_mercado": ("segmento_mercado", "segmento_mercado_id", "descricao"),
    "cnae_descricao": ("cnae", "cnae_id", "descricao"),
    "grupo_tensao": ("grupo_tensao", "grupo_tensao_id", "descricao"),
    "subgrupo_tarifario": ("subgrupo_tarifario", "subgrupo_tarifario_id", "descricao"),
    "fases": ("fase_conexao", "fase_conexao_id", "fases"),
    "tensao_v": ("tensao_fornecimento", "tensao_fornecimento_id", "tensao_v"),
    "municipio": ("municipio", "municipio_id", "nome"),
    "uf": ("municipio", "municipio_id", "uf"),
}
OWN = (  # noqa: SIM905
    "uc_id cod_id ano distribuidora_id origem status situacao_uc_id classe_consumo_id"
    " segmento_mercado_id cnae_id grupo_tensao_id subgrupo_tarifario_id modalidade_tarifaria_id"
    " tipo_sistema_id fase_conexao_id tensao_fornecimento_id pac carga_instalada_kw livre"
    " possui_geracao ceg_gd sem_rede data_conexao municipio_id bairro cep area_localizacao"
    " conjunto_id subestacao circuito pn_con latitude_final longitude_final origem_coordenada geom"
).split()
OF_YEAR = (  # noqa: SIM905
    "energia_anual_kwh media_energia energia_ponta_anual_kwh energia_fora_ponta_anual_kwh"
    " maxima_demanda media_demanda dic_anual_h media_dic fic_anual media_fic enriquecimento_status"
    " data_enriquecimento"
).split()


def _detailed(whole: dict[str, Rows], domains: Domains) -> Rows:
    year = {row["uc_id"]: row for row in whole["lead_resumo_anual"]}
    tables = {domain: _index(domains, domain) for domain, _, _ in DESCRIBED.values()}
    return [
        {name: lead[name] for name in OWN}
        | {name: year[lead["uc_id"]][name] for name in OF_YEAR}
        | {
            name: tables[domain].get(_text(lead[column]), {}).get(wanted)
            for name, (domain, column, wanted) in DESCRIBED.items()
        }
        for lead in whole["lead_com_coordenadas"]
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _status(whole: dict[str, Rows]) -> Rows:
    year = {row["uc_id"]: row for row in whole["lead_resumo_anual"]}
    outside = ("empresa", "endereco", "geocodificacao")
    none = {name: None for step in outside for name in (step, f"{step}_detalhes")}
    rows = {}
    for step in whole["lead_enrichment_log"]:
        uc = step["uc_id"]
        key = {n: step[n] for n in ("uc_id", "ano", "distribuidora_id")}
        row = rows.setdefault(uc, key | none)
        row[step["etapa"]] = step["resultado"]
        row[f"{step['etapa']}_detalhes"] = step["detalhes"]
        row |= {n: year[uc][n] for n in ("enriquecimento_status", "data_enriquecimento")}
    return list(rows.values())


def _rollups(leads: Rows, years: Rows, domains: Domains) -> dict[str, Rows]:
    """Straight from leads, not from the totals per safra that the warehouse adds up."""
    year = {row["uc_id"]: row for row in years}
    towns, utilities = _index(domains, "municipio"), _index(domains, "distribuidora")

    def grouped(key: tuple[str, ...], columns: str, more: Callable[[tuple, Rows], Row]) -> Rows:
        rows = []
        for values, group in _by(leads, *key).items():
            sums = _total(group, year)
            for mean_, sum_, count in (
                ("media_dic_anual_h", "dic_anual_h", "leads_com_dic"),
                ("media_fic_anual", "fic_anual", "leads_com_fic"),
            ):
                sums[mean_] = sums[sum_] / sums[count] if sums[count] else None
            kept = {name: sums[name] for name in columns.split()}
            rows.append(dict(zip(key, values, strict=True)) | kept | more(values, group))
        return rows

    common = "quantidade_leads energia_anual_kwh demanda_contratada_kw media_dic_anual_h"
    common += " media_fic_anual leads_livres"

    def distinct(group: Rows, column: str) -> int:
        return len({lead[column] for lead in group} - {None})

    by_town = grouped(
        ("ano", "municipio_id"),
        f"{common} energia_ponta_anual_kwh leads_com_geracao",
        lambda key, _: {
            "municipio": towns.get(key[1], {}).get("nome"),
            "uf": towns.get(key[1], {}).get("uf"),
        },
    )
    by_utility = grouped(
        ("ano", "distribuidora_id"),
        f"{common} leads_com_geracao leads_enriquecidos",
        lambda key, group: {
            "distribuidora": utilities[str(key[1])]["nome"],
            "municipios": distinct(group, "municipio_id"),
        },
    )
    by_layer = grouped(
        ("ano", "origem"),
        common,
        lambda _, group: {"distribuidoras": distinct(group, "distribuidora_id")},
    )
    for row in by_layer:
        row["camada"] = row.pop("origem")
    return {
        "resumo_energia_por_municipio": by_town,
        "resumo_leads_distribuidora": by_utility,
        "resumo_leads_ano_camada": by_layer,
    }


def _layers(rows: Rows, deliveries: list[Delivery]) -> Rows:
    """What a published safra is made of, with its files."""
    file = {(d.utility, d.year, name): d for d in deliveries for name in d.layers}
    found = []
    for row in rows:
        of = file[row["distribuidora_id"], row["ano"], row["camada"]]
        said = {"arquivo": of.file, "sha256": of.sha256, "importada_em": "~datetime"}
        found.append(row | said | {"linhas_rejeitadas": of.rejected.get(row["camada"], 0)})
    return found


def _ledger(deliveries: list[Delivery], domains: Domains) -> Rows:
    """The last landing of each layer of each safra; a geodatabase answers for all."""
    utilities = _index(domains, "distribuidora")
    rows = {}
    for d in deliveries:
        for layer in d.layers if d.partial else (*UC_LAYERS, "PONNOT", *NETWORK):
            rows[d.utility, d.year, layer] = {
                "distribuidora_id": d.utility,
                "distribuidora": utilities[str(d.utility)]["nome"],
                "ano": d.year,
                "camada": layer,
                "status": "completed",
                "linhas_processadas": len(d.layers[layer]),
                "linhas_rejeitadas": d.rejected.get(layer, 0),
                "data_inicio": "~datetime",
                "data_fim": "~datetime",
                "duracao": "~timedelta",
                "arquivo": d.file,
                "publicada_em": "~datetime",
            }
    return list(rows.values())
