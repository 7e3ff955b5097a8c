"""What offers make of leads: sizes, criteria, scores with their reasons, the leads' own marts.

Belongs here: LEADS §5 and §6, the network's places for generation, history. Not here: what a lead
is like (market.py), averages of scores over cells (cells.py).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from tests.golden import bills as bills_of
from tests.golden import trends
from tests.golden.curves import PEAK_H
from tests.golden.domains import seed
from tests.golden.expected import Row, Rows, Safra, total
from tests.golden.losses import days, present
from tests.golden.market import parameter
from tests.golden.network import SEEDS
from tests.golden.weights import in_use

OFFERS = ("migracao", "arbitragem", "backup", "gtd", "eficiencia")


def finish(safra: Safra) -> None:
    """Add the marts of one safra's leads."""
    leads = {row["uc_id"]: row for row in safra.tables["lead_mercado"]}
    judged = safra.tables["lead_elegivel"]
    chosen = [row for row in judged if row["motivo"] is None]
    bills = bills_of.years(safra)
    sizes = [
        _size(safra, leads[r["uc_id"]], r["oferta"], bills.get(r["uc_id"], {})) for r in chosen
    ]
    saved = {(r["uc_id"], r["oferta"]): r["economia_brl_ano"] for r in sizes}
    criteria = _criteria(safra, chosen, leads, saved)
    scores = _scores(chosen, criteria, leads)
    marts = {
        "lead_excluido": [
            {c: row[c] for c in ("uc_id", "oferta", "motivo")}
            for row in judged
            if row["motivo"] is not None
        ],
        "mart_lead_oferta": sizes,
        "mart_lead_criterio": [
            {c: row[c] for c in row if c not in ("direcao", "grupo")} for row in criteria
        ],
        "mart_lead_score": scores,
        "mart_lead_safra": _leads(list(leads.values()), scores, bills, trends.of_leads(safra)),
        "mart_gtd_rede": _places(safra),
    }
    safra.tables |= {
        f"marts.{name}": [safra.key | row for row in rows] for name, rows in marts.items()
    }


# ── How much ──────────────────────────────────────────────────────────────────────────────────────
def _size(safra: Safra, lead: Row, offer: str, of_year: dict) -> Row:
    """Power, capacity, the way to the market, R$; no price, no R$."""
    daily = [
        kwh / weekdays
        for kwh, weekdays in zip(lead["energia_ponta_mes"], days(safra.year)[:, 0], strict=True)
        if kwh is not None
    ]
    shifted = float(max(daily)) if daily else None
    power = capacity = way = None
    if offer == "migracao":
        power = lead["demanda_contratada_kw"]
        big = power is not None and power >= parameter("demanda_min_atacado_kw")
        way = "atacado" if big else "varejista"
    elif offer == "arbitragem":
        power = lead["demanda_ponta_kw"]
        if shifted is not None:
            usable = parameter("bess_dod") * parameter("bess_eficiencia") ** 0.5
            power = shifted / (PEAK_H[1] - PEAK_H[0]) if power is None else power
            capacity = shifted / usable
    elif offer == "backup":
        power = lead["demanda_maxima_kw"]
        if power is not None and lead["fic_anual"] is not None and lead["fic_anual"] > 0:
            capacity = power * lead["dic_anual_h"] / lead["fic_anual"]
    money = bills_of.savings(safra, lead, offer, power, of_year)
    saved, invested, payback = money["economia_brl_ano"], None, None
    if offer == "arbitragem" and saved is not None:
        invested = capacity * parameter("bess_preco_brl_kwh")
        payback = invested / saved if saved > 0 else None
    return money | {
        "investimento_brl": invested,
        "payback_anos": payback,
        "uc_id": lead["uc_id"],
        "oferta": offer,
        "potencia_kw": power,
        "capacidade_kwh": capacity,
        "via": way,
    }


# ── How good ──────────────────────────────────────────────────────────────────────────────────────
def _values(lead: Row, load: float | None) -> dict[str, float | None]:
    dic, median = lead["dic_anual_h"], lead["dic_mediana_conjunto_h"]
    energy, peers = lead["energia_anual_kwh"], lead["energia_mediana_pares_kwh"]
    factor = lead["fator_carga"]
    same = "energia_anual_kwh demanda_maxima_kw energia_ponta_kwh participacao_ponta razao_demanda"
    same += " sazonalidade dic_anual_h fic_anual criticidade inadimplencia_pct"
    return {name: lead[name] for name in same.split()} | {
        "demanda_contratada_kw": lead["demanda_contratada_kw"] or None,
        "fator_carga": factor if factor is not None and factor <= 1 else None,
        "dic_sobre_conjunto": dic / median if dic is not None and median else None,
        "energia_sobre_pares": energy / peers if energy is not None and peers else None,
        "segmento_industrial": (
            None
            if lead["segmento_mercado_id"] is None
            else float(lead["segmento_mercado_id"] == "INDUSTRIA")
        ),
        "geracao_propria": float(lead["possui_geracao"]),
        "carregamento_rede": load,
        "area_estrategica": None,
    }


def rounded(value: float, places: int) -> Decimal:
    """A double of fifteen digits, its halves away from zero."""
    return Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _loads(safra: Safra) -> dict[str, float]:
    """Transformer → its loading as shown, to a hundredth: it tells nobody's neighbours."""
    found = {}
    for row in safra.tables["marts.mart_transformador"]:
        most = row["carregamento_maximo"]
        load = row["carregamento_medio"] if most is None else most
        if load is not None:
            found[row["transformador"]] = float(rounded(load, 2))
    return found


def _criteria(safra: Safra, chosen: Rows, leads: dict[str, Row], saved: dict) -> Rows:
    """Lead × offer × criterion, with the rank inside its group of comparison."""
    units = dict(seed(SEEDS, "criterio")[["id", "unidade"]].itertuples(index=False))
    weights: dict[str, Rows] = defaultdict(list)
    for row in in_use():
        weights[row["oferta_id"]].append(row)
    loads = _loads(safra)
    values = {uc: _values(x, loads.get(x["transformador"])) for uc, x in leads.items()}
    found, cells = [], defaultdict(list)
    for row in chosen:
        for weight in weights[row["oferta"]]:
            name = weight["criterio_id"]
            one = {
                "uc_id": row["uc_id"],
                "oferta": row["oferta"],
                "criterio": name,
                "valor": saved[row["uc_id"], row["oferta"]]
                if name == "economia_brl_ano"
                else values[row["uc_id"]][name],
                "peso": weight["peso"],
                "unidade": units[name],
                "direcao": weight["direcao"],
                "grupo": row["grupo_comparacao"],
            }
            found.append(one)
            cells[row["oferta"], name, row["grupo_comparacao"]].append(one)
    for rows in cells.values():
        _rank(rows)
    for one in found:
        one["contribuicao"] = rounded(100 * one["peso"] * one["valor_normalizado"], 6)
    return found


def _rank(rows: Rows) -> None:
    """The share below, and half of the equal; what is missing counts nothing."""
    there = sorted(rounded(row["valor"], 6) for row in rows if row["valor"] is not None)
    for row in rows:
        if row["valor"] is None:
            row["valor_normalizado"] = 0.0
            continue
        value = rounded(row["valor"], 6)
        part = (bisect_left(there, value) + bisect_right(there, value)) / 2 / len(there)
        row["valor_normalizado"] = 1 - part if row["direcao"] == "menor" else part


# ── In words ──────────────────────────────────────────────────────────────────────────────────────
def written(value: float, places: int = 0) -> str:
    """21.071.844 or 8,8."""
    return f"{rounded(value, places):,.{places}f}".translate(str.maketrans(",.", ".,"))


def _sentence(one: Row, lead: Row, of: Row) -> str:
    details = {
        "participacao_ponta": ("energia_ponta_kwh", 12000),
        "dic_sobre_conjunto": ("dic_mediana_conjunto_h", 1),
        "energia_sobre_pares": ("energia_mediana_pares_kwh", 1000),
    }
    text = of["frase"].replace(
        "{valor}", written(one["valor"] * float(of["fator"]), int(of["casas"]))
    )
    if one["criterio"] in details:
        column, by = details[one["criterio"]]
        text = text.replace("{detalhe}", written(lead[column] / by, 1))
    than = "menos" if one["direcao"] == "menor" else "mais"
    part = written(min(100 * one["valor_normalizado"], 99))
    return f"{text}, {than} que {part} % do grupo"


def _reasons(rows: Rows, lead: Row, offer: str, criteria: dict[str, Row]) -> list[str | None]:
    """The three largest contributions, but not what a lead is not; what is missing, with them."""
    order = sorted(rows, key=lambda r: (-r["contribuicao"], -r["peso"], r["criterio"]))
    counted = [
        r
        for r in order
        if r["contribuicao"] > 0 and not (r["unidade"] in ("0 ou 1", "R$") and r["valor"] <= 0)
    ]
    said: list[str | None] = [_sentence(r, lead, criteria[r["criterio"]]) for r in counted[:3]]
    said += [None] * (3 - len(said))
    if offer == "migracao" and said[0] is not None:
        if lead["optante_b"]:
            said[0] += ". Optante B: antes precisa voltar ao Grupo A"
        elif lead["origem"] == "UCBT":
            year, month, day = lead["mercado_livre_desde"].split("-")
            said[0] += f". Próxima onda: até {day}/{month}/{year}"
    missing = sorted((-r["peso"], r["criterio"]) for r in rows if r["valor"] is None)
    if missing and said[2] is not None:
        names = ", ".join(criteria[name]["nome"].lower() for _, name in missing)
        said[2] += f". Sem dado, contam 0: {names}"
    return said


def _scores(chosen: Rows, criteria: Rows, leads: dict[str, Row]) -> Rows:
    known = {row["id"]: row for row in seed(SEEDS, "criterio").to_dict("records")}
    origin = {row["oferta_id"]: row["origem"] for row in in_use()}
    parts: dict[tuple[str, str], Rows] = defaultdict(list)
    for one in criteria:
        parts[one["uc_id"], one["oferta"]].append(one)
    found = []
    for row in chosen:
        mine = parts[row["uc_id"], row["oferta"]]
        reasons = _reasons(mine, leads[row["uc_id"]], row["oferta"], known)
        found.append(
            {c: row[c] for c in ("uc_id", "oferta", "grupo_comparacao")}
            | {
                "score": sum(one["contribuicao"] for one in mine),
                "origem_pesos": origin[row["oferta"]],
            }
            | {f"motivo_{n}": reason for n, reason in enumerate(reasons, 1)}
        )
    by_group: dict[tuple, list[Decimal]] = defaultdict(list)
    for row in found:
        by_group[row["oferta"],].append(row["score"])
        by_group[row["oferta"], row["grupo_comparacao"]].append(row["score"])
    by_group = {key: sorted(of) for key, of in by_group.items()}
    for row in found:
        every = by_group[row["oferta"],]
        group = by_group[row["oferta"], row["grupo_comparacao"]]
        less, less_or_same = (side(group, row["score"]) for side in (bisect_left, bisect_right))
        row["percentil"] = 100 * (less + less_or_same) / 2 / len(group)
        row["posicao"] = 1 + len(every) - bisect_right(every, row["score"])
    return found


# ── Leads as readers see them ─────────────────────────────────────────────────────────────────────
NOT_SHOWN = {
    "demanda_ponta_kw", "energia_mediana_pares_kwh", "criticidade", "inadimplencia_pct", "classe",
    "area_estrategica", "desativada", "transformador", "energia_ponta_mes",
}  # fmt: skip


def _leads(leads: Rows, scores: Rows, bills: dict[str, dict], trend: dict[str, Row]) -> Rows:
    """Active ones, with their scores; the best is the one that leads its group most."""
    of: dict[str, Rows] = defaultdict(list)
    for row in scores:
        of[row["uc_id"]].append(row)
    found = []
    for lead in leads:
        if lead["desativada"]:
            continue
        mine = sorted(of[lead["uc_id"]], key=lambda r: (-r["percentil"], -r["score"], r["oferta"]))
        by_offer = {r["oferta"]: r["score"] for r in mine}
        found.append(
            {c: v for c, v in lead.items() if c not in NOT_SHOWN}
            | {f"score_{offer}": by_offer.get(offer) for offer in OFFERS}
            | {
                "melhor_oferta": mine[0]["oferta"] if mine else None,
                "melhor_score": mine[0]["score"] if mine else None,
                "custo_anual_brl": min(
                    (bill for bill, _ in bills.get(lead["uc_id"], {}).values()), default=None
                ),
            }
            | trend.get(lead["uc_id"], {"tendencia_pct_ano": None, "tendencia_safras": None})
        )
    return found


def views(safras: list[Safra]) -> dict[str, Rows]:
    """The newest safra of each distributor, and each safra beside the one before."""
    years: dict[int, list[int]] = defaultdict(list)
    leads: dict[tuple[int, int], Rows] = {}
    for safra in safras:
        years[safra.utility].append(safra.year)
        leads[safra.utility, safra.year] = safra.tables["marts.mart_lead_safra"]
    newest = [row for u, of in years.items() for row in leads[u, max(of)]]
    beside = []
    for utility, of in years.items():
        for before, year in zip(sorted(of), sorted(of)[1:], strict=False):
            beside += _beside(leads[utility, year], leads[utility, before], before)
    return {"marts.mart_lead": newest, "marts.mart_lead_historico": beside}


def _beside(now: Rows, then: Rows, before: int) -> Rows:
    was = {(row["origem"], row["cod_id"]): row for row in then}
    found = []
    same = "uc_id cod_id distribuidora_id origem ano municipio uf classe_consumo"
    both = "demanda_contratada_kw demanda_maxima_kw dic_anual_h livre possui_geracao"
    for row in now:
        old = was.get((row["origem"], row["cod_id"]), {})
        kwh, before_kwh = row["energia_anual_kwh"], old.get("energia_anual_kwh")
        grown = None
        if before_kwh is not None and before_kwh > 0 and kwh is not None:
            grown = 100 * (kwh / before_kwh - 1)
        found.append(
            {c: row[c] for c in [*same.split(), *both.split(), "energia_anual_kwh"]}
            | {_then(c): old.get(c) for c in both.split()}
            | {
                "ano_anterior": before,
                "uc_id_anterior": old.get("uc_id"),
                "energia_anterior_kwh": before_kwh,
                "variacao_energia_pct": grown,
                "parte_encontrada": sum((r["origem"], r["cod_id"]) in was for r in now) / len(now),
            }
        )
    return found


def _then(column: str) -> str:
    named = {"dic_anual_h": "dic_anterior_h"}
    if column in named:
        return named[column]
    return column[:-3] + "_anterior_kw" if column.endswith("_kw") else f"{column}_anterior"


# ── Places in the network ─────────────────────────────────────────────────────────────────────────
def _places(safra: Safra) -> Rows:
    """Transformers and feeders: generation that is not one of few, leads, loading."""
    there = present(safra)
    has_plants = any(there.get(layer) for layer in ("UGAT", "UGMT", "UGBT"))
    told = {"transformador": bool(there.get("UCBT"))}
    told["alimentador"] = told["transformador"] and bool(there.get("UCMT"))
    columns = {"transformador": "transformador", "alimentador": "circuito"}
    plants = [g for g in safra.tables["geracao"] if g["situacao_uc_id"] != "DS"]
    leads = [x for x in safra.tables["lead_mercado"] if not x["desativada"]]

    def on(rows: Rows, kind: str, name: str) -> Rows:
        return [row for row in rows if row[columns[kind]] == name]

    found = []
    hidden: dict[str | None, int] = defaultdict(int)
    for row in safra.tables["marts.mart_transformador"]:
        few = len(on(plants, "transformador", row["transformador"]))
        hidden[row["circuito"]] += few if 1 <= few <= 4 else 0
    for kind, table in (("transformador", "mart_transformador"), ("alimentador", None)):
        for row in safra.tables[f"marts.{table or 'mart_perda_alimentador'}"]:
            name = row[columns[kind]]
            if name is None:
                continue
            of = on(plants, kind, name)
            shown = has_plants and not 1 <= len(of) <= 4
            if kind == "alimentador":
                shown = shown and not 1 <= hidden[row["circuito"]] <= 4
            mean, most = row.get("carregamento_medio"), row.get("carregamento_maximo")
            load = mean if most is None else most
            limit = parameter("rede_perto_do_limite")
            kw = total([g["potencia_instalada_kw"] for g in of]) or 0.0
            found.append(
                {
                    "tipo": kind,
                    "codigo": name,
                    "circuito": row["circuito"],
                    "carregamento_medio": mean,
                    "carregamento_maximo": most,
                    "perdas_pct": row.get("perdas_pct"),
                    "perto_do_limite": None if load is None else load >= limit,
                    "gd_kw": kw if shown else None,
                    "geradoras": len(of) if shown else None,
                    "leads": len(on(leads, kind, name)) if told[kind] else None,
                }
            )
    return found
