"""What became of each unit since the distributor's vintage before, município by município.

Belongs here: safra_diferenca and its mart, unit by unit. Not here: a unit's own figures
(market.py), its line over all vintages (trends.py).
"""

from collections import Counter, defaultdict

from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Safra

COMMON = 0.1
"""Of the smaller vintage: with fewer, codes were made anew."""


def finish(safra: Safra, domains: Domains, earlier: list[Safra]) -> None:
    """Add both; ``earlier`` are the distributor's safras before."""
    before = max(earlier, key=lambda s: s.year, default=None)
    found = _compared(safra, before) if before else []
    safra.tables["safra_diferenca"] = found
    places, utilities = (
        {int(key): row for key, row in index(domains, name).items()}
        for name in ("municipio", "distribuidora")
    )
    safra.tables["marts.mart_diferenca_safra"] = [
        {
            **{name: value for name, value in row.items() if name != "ano"},
            "ano_para": row["ano"],
            "distribuidora": utilities[row["distribuidora_id"]]["nome"],
            "municipio": _town(places, row).get("nome"),
            "uf": _town(places, row).get("uf"),
        }
        for row in found
    ]


def _town(places: dict[int, Row], row: Row) -> Row:
    place = row["municipio_id"]
    return {} if place is None else places.get(int(place), {})


def _units(safra: Safra) -> dict[tuple[str, int], Row]:
    """COD_ID and its how-manieth row, by layer → the unit, with a legal person's year."""
    market = {row["uc_id"]: row for row in safra.tables["lead_mercado"]}
    found, times = {}, Counter()
    order = {"UCAT": 0, "UCMT": 1, "UCBT": 2}
    for lead in sorted(safra.tables["lead_bruto"], key=lambda row: order[row["origem"]]):
        if lead["chave_origem"] == "cod_id":
            times[lead["cod_id"]] += 1
            of_market = market.get(lead["uc_id"])
            found[lead["cod_id"], times[lead["cod_id"]]] = lead | {
                "demanda": of_market and of_market["demanda_contratada_kw"],
                "kwh": None if of_market is None else of_market["energia_anual_kwh"] or 0.0,
            }
    return found


def _compared(safra: Safra, before: Safra) -> list[Row]:
    now, then = _units(safra), _units(before)
    common = now.keys() & then.keys()
    if not common or len(common) < COMMON * min(len(now), len(then)):
        return []
    places: dict[int | None, list[tuple[Row | None, Row | None]]] = defaultdict(list)
    for key in now.keys() | then.keys():
        pair = now.get(key), then.get(key)
        places[(pair[0] or pair[1])["municipio_id"]].append(pair)
    return [
        {**_row(pairs), "municipio_id": place, "ano_de": before.year, **safra.key}
        for place, pairs in places.items()
    ]


def _row(pairs: list[tuple[Row | None, Row | None]]) -> Row:
    both = [(n, t) for n, t in pairs if n and t]
    contracts = [
        (n["demanda"], t["demanda"])
        for n, t in both
        if n["demanda"] is not None and t["demanda"] is not None
    ]
    kwh = [(n and n["kwh"], t and t["kwh"]) for n, t in pairs]
    return {
        "unidades_antes": sum(t is not None for _, t in pairs),
        "unidades": sum(n is not None for n, _ in pairs),
        "novas": sum(t is None for _, t in pairs),
        "sumiram": sum(n is None for n, _ in pairs),
        "mudaram_camada": sum(n["origem"] != t["origem"] for n, t in both),
        "mudaram_classe": sum(n["classe_consumo_id"] != t["classe_consumo_id"] for n, t in both),
        "mudaram_municipio": sum(n["municipio_id"] != t["municipio_id"] for n, t in both),
        "subiram_demanda": sum(n > t for n, t in contracts),
        "baixaram_demanda": sum(n < t for n, t in contracts),
        "demanda_contratada_kw": sum(n for n, _ in contracts),
        "demanda_contratada_antes_kw": sum(t for _, t in contracts),
        "energia_antes_kwh": sum(t for _, t in kwh if t is not None),
        "energia_kwh": sum(n for n, _ in kwh if n is not None),
        "energia_novas_kwh": sum(n for n, t in kwh if n is not None and t is None),
        "energia_sumiram_kwh": sum(t for n, t in kwh if t is not None and n is None),
        "energia_subiu_kwh": sum(n - t for n, t in kwh if None not in (n, t) and n > t),
        "energia_caiu_kwh": sum(t - n for n, t in kwh if None not in (n, t) and n < t),
    }
