"""What the offers ask of a unit: peak hours, load curves, its year, who may buy where, its peers.

Belongs here: LEADS §1 to §3, §5 (who is eligible) and §9 of one safra, by numpy. Not here: what an
offer makes of it (scores.py), sums over units (cells.py).
"""

from collections import defaultdict
from datetime import date, time
from functools import cache
from typing import Any

import numpy as np

from tests.golden.domains import seed
from tests.golden.expected import Domains, Row, Rows, Safra, first, greatest, month_energy, total
from tests.golden.network import SEEDS, days
from tests.golden.readers import legal_person
from tests.golden.rollups import possible

KINDS = ("DU", "SA", "DO")
PEAK_H = (18, 21)
"""No made-up distributor has a line of its own in seed posto_tarifario_hora, nor has MUX."""


@cache
def parameter(name: str) -> float:
    """The value in force of a parameter of offers."""
    rows = [r for r in seed(SEEDS, "parametro_oferta").to_dict("records") if r["nome"] == name]
    return float(max(rows, key=lambda r: r["vigencia"])["valor"])


def index(domains: Domains, name: str) -> dict[str, Row]:
    """A domain table by its id."""
    return {row["id"]: row for row in domains[name].to_dict("records")}


def finish(safra: Safra, domains: Domains) -> None:
    """Add calendar, curves' shares, lead_perfil, lead_mercado, lead_elegivel and the estimate."""
    kinds = index(domains, "classe_consumo")
    shares = _shares(safra, kinds)
    tables = {
        "calendario_mensal": _calendar(safra.year),
        "curva_participacao": [
            {"nivel": level, "chave": key, "fonte": source, "participacao": share.tolist()}
            for (level, key), (source, share) in shares.items()
        ],
        "lead_perfil": [_year(safra, *unit, shares, kinds) for unit in _units(safra)],
        "desempenho_estimativa": _estimate(safra, shares, kinds),
    }
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}
    market = _market(safra, domains, kinds)
    safra.tables["lead_mercado"] = [row | safra.key for row in market]
    safra.tables["lead_elegivel"] = [row | safra.key for row in _eligible(market, safra.year)]


def hours_of(year: int) -> int:
    """Hours of a year."""
    return 24 * (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _calendar(year: int) -> Rows:
    return [
        {
            "mes": m,
            "dias_uteis": int(du),
            "sabados": int(sa),
            "domingos": int(do),
            "inicio_ponta": str(time(PEAK_H[0])),
            "fim_ponta": str(time(PEAK_H[1])),
        }
        for m, (du, sa, do) in enumerate(days(year), 1)
    ]


# ── Load curves ───────────────────────────────────────────────────────────────────────────────────
Forms = dict[str, np.ndarray]
"""Kind of day → 96 powers, as parts of the weekday's mean."""


def class_key(lead: Row, kinds: dict[str, Row]) -> str:
    """What stands for a unit without a curve: its voltage (high is as medium) and class."""
    group = kinds.get(lead["classe_consumo_id"], {}).get("grupo") or "não informado"
    return f"{'BT' if lead['origem'] == 'UCBT' else 'MT'} {group}"


def _forms(safra: Safra) -> dict[str, Forms]:
    curves: dict[str, Forms] = defaultdict(dict)
    for row in safra.tables["curva_carga"]:
        curves[row["tipo_curva_carga"]][row["tipo_dia"]] = np.array(row["potencia"])
    return {
        name: {kind: powers / of["DU"].mean() for kind, powers in of.items()}
        for name, of in curves.items()
        if "DU" in of and of["DU"].sum() > 0
    }


def _of_classes(safra: Safra, forms: dict[str, Forms], kinds: dict[str, Row]) -> dict[str, Forms]:
    """The median of the curves that a class's units have, each curve once; and of the voltage."""
    used: dict[str, set[str]] = defaultdict(set)
    for lead in safra.tables["lead_bruto"]:
        key = class_key(lead, kinds)
        if lead["tipo_curva_carga"] in forms:
            used[key].add(lead["tipo_curva_carga"])
            used[f"{key[:2]} todas"].add(lead["tipo_curva_carga"])
    found: dict[str, Forms] = {}
    for key, names in used.items():
        of_kind = {k: [forms[n][k] for n in sorted(names) if k in forms[n]] for k in KINDS}
        found[key] = {k: np.median(rows, axis=0) for k, rows in of_kind.items() if rows}
    return found


def _of_seed() -> dict[str, Forms]:
    found: dict[str, Forms] = defaultdict(dict)
    for row in seed(SEEDS, "curva_classe").to_dict("records"):
        powers = np.array([float(v) for v in row["potencia"].strip("{}").split(",")])
        found[row["chave"]][row["tipo_dia"]] = powers
    return found


def _share(forms: Forms, calendar: np.ndarray) -> np.ndarray:
    """Of each month's energy what falls in the peak hours of weekdays."""
    energy = {kind: powers.sum() for kind, powers in forms.items()}
    saturday = first(*(energy.get(k) for k in ("SA", "DO", "DU")))
    sunday = first(*(energy.get(k) for k in ("DO", "SA", "DU")))
    peak = forms["DU"][4 * PEAK_H[0] : 4 * PEAK_H[1]].sum()
    return calendar[:, 0] * peak / (calendar @ np.array([energy["DU"], saturday, sunday]))


Shares = dict[tuple[str, str], tuple[str, np.ndarray]]
"""Level (curva, classe) and key → source, twelve shares."""


def _shares(safra: Safra, kinds: dict[str, Row]) -> Shares:
    calendar = days(safra.year)
    forms = _forms(safra)
    found: Shares = {("curva", n): ("curva", _share(f, calendar)) for n, f in forms.items()}
    own, seeds = _of_classes(safra, forms, kinds), _of_seed()
    for voltage in ("MT", "BT"):
        for group in sorted({row["grupo"] for row in kinds.values()}):
            name, whole = f"{voltage} {group}", f"{voltage} todas"
            tries = [("classe_da_safra", own, name), ("semente", seeds, name)]
            tries += [("classe_da_safra", own, whole), ("semente", seeds, whole)]
            for source, of, key in tries:
                if key in of:
                    found["classe", name] = (source, _share(of[key], calendar))
                    break
    return found


# ── A unit's year ─────────────────────────────────────────────────────────────────────────────────
def _units(safra: Safra) -> list[tuple[Row, Row]]:
    series = {row["uc_id"]: row for row in safra.tables["lead_serie"]}
    return [(lead, series[lead["uc_id"]]) for lead in safra.tables["lead_bruto"]]


def _months(series: Row, name: str) -> list[float | None]:
    return series[name] or [None] * 12


def energy_of(series: Row) -> list[float | None]:
    """A unit's energy month by month."""
    three = [_months(series, f"energia_{n}") for n in ("total", "ponta", "fora_ponta")]
    return [month_energy(*at) for at in zip(*three, strict=True)]


def _year(safra: Safra, lead: Row, series: Row, shares: Shares, kinds: dict[str, Row]) -> Row:
    energy, measured = energy_of(series), _months(series, "energia_ponta")
    curve = shares.get(("curva", lead["tipo_curva_carga"]))
    of_class = shares.get(("classe", class_key(lead, kinds)))
    share = (curve or of_class or ("", [None] * 12))[1]
    has_posts = any(v is not None for v in measured)
    peak = measured if has_posts else [_times(e, s) for e, s in zip(energy, share, strict=True)]
    source = "medido" if has_posts else "estimado_curva" if curve else "estimado_classe"
    year, at_peak = total(energy), total(peak)
    demands = [_months(series, f"demanda_{n}") for n in ("total", "ponta", "fora_ponta")]
    demand = _positive(greatest([v for months in demands for v in months]))
    there = [v for v in energy if v is not None]
    used = year is not None and year > 0
    contract = lead["pac"]
    return {
        "uc_id": lead["uc_id"],
        "origem": lead["origem"],
        "energia_anual_kwh": year,
        "energia_ponta_kwh": at_peak,
        "energia_fora_ponta_kwh": None if at_peak is None else year - at_peak,
        "participacao_ponta": at_peak / year if used and at_peak is not None else None,
        "demanda_maxima_kw": demand,
        "demanda_ponta_kw": _positive(greatest(demands[1])),
        "razao_demanda": demand / contract if demand and contract and contract > 0 else None,
        "fator_carga": year / (demand * hours_of(safra.year)) if demand and there else None,
        "sazonalidade": max(there) * len(there) / year if used else None,
        "origem_perfil": source if there and (has_posts or curve or of_class) else None,
        "energia_mes": energy,
        "energia_ponta_mes": peak,
    }


def _times(value: float | None, share: float | None) -> float | None:
    return None if value is None or share is None else value * float(share)


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _estimate(safra: Safra, shares: Shares, kinds: dict[str, Row]) -> Rows:
    """How far the curve's estimate is from measured posts, of legal persons in high voltage."""
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for lead, series in _units(safra):
        if lead["origem"] != "UCAT" or not legal_person(lead, kinds):
            continue
        keys = {"curva": lead["tipo_curva_carga"], "classe": class_key(lead, kinds)}
        posts = [_months(series, f"energia_{n}") for n in ("ponta", "fora_ponta")]
        for level, key in keys.items():
            if (level, key) not in shares:
                continue
            for m, (peak, off) in enumerate(zip(*posts, strict=True)):
                if peak is not None and peak > 0 and off is not None:
                    guess = (peak + off) * shares[level, key][1][m]
                    pairs[level].append((peak, float(guess)))
    found = []
    for level, of in pairs.items():
        measured, guessed = np.array(of).T
        off = np.abs(guessed - measured)
        found.append(
            {
                "modelo": f"estimado_{level}",
                "mae": float(off.mean()),
                "mape": float(100 * (off / measured).mean()),
                "smape": float(100 * (2 * off / (np.abs(guessed) + measured)).mean()),
            }
        )
    return found


# ── A lead in the market ──────────────────────────────────────────────────────────────────────────
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
        enough = all(
            rule[c] is None or (v is not None and v >= float(rule[c])) for c, v in least
        )
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
    found = []
    for lead in safra.tables["lead_bruto"]:
        if not legal_person(lead, kinds):
            continue
        uc, kind = lead["uc_id"], kinds[lead["classe_consumo_id"]]
        profile, year = by_uc["lead_perfil"][uc], by_uc["lead_resumo_anual"][uc]
        place = by_uc["lead_com_coordenadas"][uc]
        segment = segment_of(lead, of_class)
        volts = of["tensao_fornecimento"].get(lead["tensao_fornecimento_id"], {}).get("tensao_v")
        volts = float(volts) if volts is not None else None
        town = of["municipio"].get(_text(lead["municipio_id"]), {})
        tariff = of["subgrupo_tarifario"].get(lead["subgrupo_tarifario_id"], {}).get("grupo")
        dic, fic = sets.get(lead["conjunto_id"], (None, None))
        source = "cnae" if lead["segmento_mercado_id"] else "classe" if segment else None
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
