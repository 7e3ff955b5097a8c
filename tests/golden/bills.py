"""What a unit's electricity costs in each modality, and what an offer saves of it.

Belongs here: LEADS §10 and the R$ of §5. Not here: what a month costs (tariffs.py).
"""

from collections import defaultdict

from tests.golden import tariffs
from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, Safra, first, greatest, total
from tests.golden.market import parameter


def finish(safra: Safra, domains: Domains, valid: Rows) -> None:
    """Add the months' tariffs and the leads' bills, by the tariffs that are valid."""
    safra.tables["tarifa_mensal"] = [row | safra.key for row in tariffs.months(valid, safra)]
    bills = _bills(safra, domains)
    safra.tables["marts.mart_custo_lead"] = [row | safra.key for row in bills]


# ── A month's bill ────────────────────────────────────────────────────────────────────────────────
def _bills(safra: Safra, domains: Domains) -> Rows:
    only = index(domains, "subgrupo_tarifario")
    series = {row["uc_id"]: row for row in safra.tables["lead_serie"]}
    prices = tariffs.by_group(safra.tables["tarifa_mensal"])
    found = []
    for lead in safra.tables["lead_mercado"]:
        group = lead["subgrupo_tarifario_id"]
        flat = lead["optante_b"] or lead["origem"] == "UCBT"
        for price in prices.get(group, []):
            modality = price["modalidade"]
            azul_alone = only[group]["modalidade_tarifaria_id"] == "AZUL"
            wanted = flat == (modality == "convencional")
            if lead["desativada"] or not wanted or (azul_alone and modality == "verde"):
                continue
            bill = _bill(lead, series[lead["uc_id"]], price)
            if bill:
                found.append(bill)
    return found


def _at(series: Row, name: str, month: int) -> float | None:
    return (series[f"demanda_{name}"] or [None] * 12)[month - 1]


def _demands(series: Row, price: Row) -> list[tuple[float | None, float]]:
    """Measured kW, each with its price: Azul has two, Verde the greatest, the others none."""
    whole, peak, off = (_at(series, n, price["mes"]) for n in ("total", "ponta", "fora_ponta"))
    if price["modalidade"] == "convencional":
        return []
    if price["modalidade"] == "verde":
        return [(greatest([whole, peak, off]), price["demanda_brl_kw"])]
    return [
        (first(off, whole), price["demanda_brl_kw"]),
        (first(peak, whole), price["demanda_ponta_brl_kw"]),
    ]


def _bill(lead: Row, series: Row, price: Row) -> Row | None:
    """Contract or measured above it; beyond the tolerance the excess twice, on top; energy."""
    month, flat = price["mes"], price["modalidade"] == "convencional"
    contract = lead["demanda_contratada_kw"] or None
    energy = lead["energia_mes"][month - 1]
    peak = 0.0 if flat else lead["energia_ponta_mes"][month - 1]
    demands = _demands(series, price)
    billed = [greatest([kw, contract]) for kw, _ in demands]
    if None in (energy, peak, *billed):
        return None
    slack = parameter("tolerancia_ultrapassagem")
    excess = [
        kw - contract if contract and kw is not None and kw > slack * contract else 0.0
        for kw, _ in demands
    ]
    te_peak = 0.0 if flat else price["te_ponta_brl_kwh"]
    parts = {
        "demanda_brl": sum((kw * brl for kw, (_, brl) in zip(billed, demands, strict=True)), 0.0),
        "ultrapassagem_brl": 2.0
        * sum((kw * brl for kw, (_, brl) in zip(excess, demands, strict=True)), 0.0),
        "ponta_brl": 0.0 if flat else peak * (price["tusd_ponta_brl_kwh"] + te_peak),
        "fora_ponta_brl": (energy - peak) * (price["tusd_brl_kwh"] + price["te_brl_kwh"]),
    }
    whole = sum(parts.values())
    te = peak * te_peak + (energy - peak) * price["te_brl_kwh"]
    gone = lead["migrou_em"] is None or f"{lead['ano']}-{month:02d}-01" >= lead["migrou_em"]
    said = []
    if price["modalidade"] == "azul" and lead["origem"] == "UCMT":
        said.append("O arquivo tem uma demanda só: vale nos dois postos")
    if not flat and contract is None:
        said.append("Sem demanda contratada: conta a medida, sem ultrapassagem")
    return (
        {c: price[c] for c in ("mes", "modalidade", "tarifa")}
        | parts
        | {
            "uc_id": lead["uc_id"],
            "total_brl": whole,
            "te_brl": te,
            "distribuidora_brl": whole - te if lead["livre"] and gone else whole,
            "ressalva": ". ".join(said) or None,
        }
    )


# ── A year ────────────────────────────────────────────────────────────────────────────────────────
def years(safra: Safra) -> dict[str, dict[str, tuple[float, float]]]:
    """uc_id → modality → the year's bill and its TE, where all twelve months have one."""
    found: dict[str, dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    for row in safra.tables["marts.mart_custo_lead"]:
        found[row["uc_id"]][row["modalidade"]].append(row)
    return {
        uc: {
            modality: (total([r["total_brl"] for r in of]), total([r["te_brl"] for r in of]))
            for modality, of in by.items()
            if len(of) == 12
        }
        for uc, by in found.items()
    }


def savings(safra: Safra, lead: Row, offer: str, kw: float | None, of_year: dict) -> Row:
    """R$ a year of an offer, in both modalities and in the cheaper; nothing without a price."""
    made: dict[str, float] = {}
    for modality, (_, te) in of_year.items():
        if offer == "migracao":
            price = parameter("preco_energia_livre_brl_mwh")
            made[modality] = te - lead["energia_anual_kwh"] / 1000 * price
        elif offer == "arbitragem":
            made[modality] = _shifted(safra, lead, modality, kw)
    if lead["optante_b"]:
        made = {}
    order = sorted(made, key=lambda modality: (of_year[modality][0], modality))
    return {
        "economia_verde_brl_ano": made.get("verde"),
        "economia_azul_brl_ano": made.get("azul"),
        "economia_brl_ano": made[order[0]] if order else None,
    }


def _shifted(safra: Safra, lead: Row, modality: str, kw: float | None) -> float:
    """The year's peak energy bought off peak, with what the battery loses; Azul: the kW too."""
    key = (lead["subgrupo_tarifario_id"], modality)
    months = [
        row
        for row in safra.tables["tarifa_mensal"]
        if (row["subgrupo_tarifario_id"], row["modalidade"]) == key
    ]
    energy, demand = [], []
    for row in months:
        peak = lead["energia_ponta_mes"][row["mes"] - 1]
        off = (row["tusd_brl_kwh"] + row["te_brl_kwh"]) / parameter("bess_eficiencia")
        if peak is not None:
            energy.append(peak * (row["tusd_ponta_brl_kwh"] + row["te_ponta_brl_kwh"] - off))
        demand.append(row["demanda_ponta_brl_kw"])
    return (total(energy) or 0.0) + (kw or 0.0) * (total(demand) or 0.0)
