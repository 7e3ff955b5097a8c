"""Companies of the CNPJ registry beside units: who may be whose, by what evidence, by how much.

Belongs here: lead_empresa and the marts of ``empresas``, a unit and an establishment at a time.
Not here: what a unit gains by its company (rollups.py, market.py).
"""

import re
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.golden.curves import index
from tests.golden.domains import seed
from tests.golden.expected import Domains, Row, Rows, Safra, grouped, total
from tests.golden.network import SEEDS
from tests.golden.readers import legal_person
from tests.golden.written import rows_of

SITUATIONS = {"1": "nula", "2": "ativa", "3": "suspensa", "4": "inapta", "8": "baixada"}
_CENT = Decimal("0.01")


def ran(safra: Safra) -> set[str]:
    """The steps from outside that ran for a safra and that nobody took back."""
    return {
        r["etapa"]
        for r in rows_of("controle.enriquecimento")
        if (int(r["ano"]), int(r["distribuidora_id"])) == (safra.year, safra.utility)
        and r["sinal"]
        and r["desfeita"] == "false"
    }


def addresses(safra: Safra) -> dict[tuple[str, str], dict[str, float]]:
    """Layer and COD_ID of a unit → CNPJ at its number → how much the streets are alike."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for r in rows_of("raw.empresa_semelhanca"):
        if (int(r["ano"]), int(r["distribuidora_id"])) == (safra.year, safra.utility):
            found[r["origem"], r["cod_id"]][r["cnpj"]] = float(r["logradouro"])
    return found


def places() -> dict[str, tuple[float | None, float | None]]:
    """CNPJ → what a service answered for its address."""
    return {
        r["cnpj"]: tuple(None if r[c] is None else float(r[c]) for c in ("latitude", "longitude"))
        for r in rows_of("raw.geocodificacao")
    }


def finish(safra: Safra, domains: Domains) -> None:
    """Add lead_empresa."""
    steps = ran(safra)
    safra.tables["lead_empresa"] = []
    if "empresa" not in steps:
        return
    kinds, activities = index(domains, "classe_consumo"), index(domains, "cnae")
    asked = places() if "geocodificacao" in steps else {}
    alike = addresses(safra) if "endereco" in steps else {}
    leads = [
        lead | {"now": _today(lead["cnae_id"], activities)}
        for lead in safra.tables["lead_bruto"]
        if legal_person(lead, kinds) and lead["cep"] and lead["municipio_id"]
    ]
    firms: dict[tuple, Rows] = defaultdict(list)
    for row in rows_of("raw.empresa_estabelecimento"):
        if row["cep"]:
            firms[row["municipio_id"], row["cep"]].append(_establishment(row, safra.year))
    persons = grouped(rows_of("raw.empresa_pessoas"), "municipio_id", "cep")
    for place, here in grouped(leads, "municipio_id", "cep").items():
        place = (str(place[0]), place[1])
        near = _Place(firms[place], persons.get(place, []), here)
        for lead in here:
            of = alike.get((lead["origem"], lead["cod_id"]), {})
            scored = [c for f in near.firms if (c := near.candidate(lead, f, of))]
            safra.tables["lead_empresa"] += _judged(lead, scored, asked, activities, safra)


def _today(cnae: str | None, activities: dict[str, Row]) -> str | None:
    return activities.get(cnae, {}).get("sucessor_id") or cnae


def _establishment(row: Row, year: int) -> Row:
    begun = date.fromisoformat(row["data_inicio"]) if row["data_inicio"] else None
    since = date.fromisoformat(row["data_situacao"])
    active = row["situacao"] == "2" or since > date(year, 1, 1)
    others = (row["cnaes_secundarios"] or "{}").strip("{}")
    return row | {
        "there": begun is not None and begun <= date(year, 12, 31) and active,
        "others": [c for c in others.split(",") if c],
        "number": _digits(row["numero"]),
        "abertura": begun,
        "situacao_desde": since,
    }


def _digits(value: str | None) -> str:
    return re.sub(r"\D", "", value or "").lstrip("0")


class _Place:
    """A CEP of a município: its establishments, natural persons' and units, counted."""

    def __init__(self, firms: Rows, persons: Rows, leads: Rows) -> None:
        self.firms, self.persons, self.leads = firms, persons, leads

    def _same_activity(self, code: str) -> int:
        """Establishments and persons' of an activity, or the units of it, whichever are more."""
        n = len(code)
        firms = {
            f["cnpj"]
            for f in self.firms
            if f["there"] and any(c[:n] == code for c in [f["cnae"] or "", *f["others"]])
        }
        persons = [
            int(p["quantas"])
            for p in self.persons
            if p["chave"] == "cnae" and p["valor"][:n] == code
        ]
        units = sum((u["now"] or "")[:n] == code for u in self.leads)
        return max(len(firms) + sum(persons), units)

    def _same_number(self, number: str) -> int | None:
        firms = sum(f["there"] and f["number"] == number for f in self.firms) if number else 0
        persons = [
            int(p["quantas"])
            for p in self.persons
            if p["chave"] == "numero" and _digits(p["valor"]) == number
        ]
        return firms + sum(persons) or None

    def candidate(self, lead: Row, firm: Row, alike: dict[str, float]) -> Row | None:
        """The establishment with its points, if its activity or its address is the unit's."""
        code, counts = lead["now"], []
        activity = None
        if code and code == firm["cnae"]:
            activity = "cnae_principal"
        elif code and code in firm["others"]:
            activity = "cnae_secundario"
        elif code and firm["cnae"] and code[:5] == firm["cnae"][:5]:
            activity = "cnae_classe"
        street = alike.get(firm["cnpj"])
        many = code is not None and self._same_activity(code[:5]) > _parameter("maximo_no_cep")
        if street is None and (activity is None or many):
            return None
        if activity:
            counts.append(self._same_activity(code[:5] if activity == "cnae_classe" else code))
        if street is not None and (n := self._same_number(firm["number"])):
            counts.append(n)
        n = max(min(counts, default=0) + (not firm["there"]), 1)
        general = lead["cep"].endswith("000")
        parts = [(activity, Decimal(1), lead["now"])] if activity else []
        parts += [("cep_geral" if general else "cep", Decimal(1), lead["cep"])]
        parts += [("raridade", Decimal(1) / n, f"uma de {n}")]
        if street is not None:
            parts += [("numero", Decimal(1), None)]
            share = Decimal(str(street))
            whole = (100 * share).quantize(Decimal(1), ROUND_HALF_UP)
            parts += [("logradouro", share, f"{whole} %")]
        parts += [("ativa", Decimal(1), str(lead["ano"]))] if firm["there"] else []
        points = [(name, _points(name, part), detail) for name, part, detail in parts]
        return {"firm": firm, "score": sum(p for _, p, _ in points), "points": points}


def _seeded(name: str) -> dict[str, Row]:
    return {r["id"]: r for r in seed(SEEDS, name).to_dict("records")}


def _parameter(name: str) -> Decimal:
    return Decimal(_seeded("parametro_empresa")[name]["valor"])


def _points(name: str, part: Decimal) -> Decimal:
    weight = Decimal(_seeded("evidencia_empresa")[name]["peso"])
    return (weight * part).quantize(_CENT, ROUND_HALF_UP)


def evidence(parts: list[tuple[str, Decimal | float, str]]) -> str:
    """The pieces of evidence as one text, here and of the table."""
    return "; ".join(f"{name} {float(points):g} {said}" for name, points, said in parts)


def _judged(lead: Row, scored: Rows, asked: dict, activities: dict, safra: Safra) -> Rows:
    """The first five of those with enough points; the first is sure if it is well ahead."""
    kept = [c for c in scored if c["score"] >= _parameter("escore_minimo")]
    kept.sort(key=lambda c: (-c["score"], c["firm"]["cnpj"]))
    said, sizes = _seeded("evidencia_empresa"), _seeded("porte_empresa")
    found = []
    for n, c in enumerate(kept[: int(_parameter("maximo_candidatos"))], 1):
        after = kept[n]["score"] if n < len(kept) else None
        ahead = after is None or c["score"] - after >= _parameter("margem_alta")
        sure = n == 1 and c["score"] >= _parameter("escore_alto") and ahead
        firm = c["firm"]
        activity, size = activities.get(firm["cnae"]), sizes.get(firm["porte"], {})
        place = asked.get(firm["cnpj"], (None, None)) if sure else (None, None)
        parts = [
            (name, points, said[name]["descricao"] + (f" ({detail})" if detail else ""))
            for name, points, detail in c["points"]
        ]
        found.append(
            {c: firm[c] for c in _SAME}
            | {
                "uc_id": lead["uc_id"],
                "capital_social": None
                if firm["capital_social"] is None
                else float(firm["capital_social"]),
                "latitude": place[0],
                "longitude": place[1],
                "escore": float(c["score"]),
                "entrega_id": int(firm["entrega_id"]),
                "candidatos": len(kept),
                "ordem": n,
                "matriz": firm["matriz"] == "true",
                "preenche_cnae": sure and lead["now"] is None and activity is not None,
                "confianca": "alta" if sure else "possivel",
                "situacao": SITUATIONS[firm["situacao"]],
                "cnae_id": firm["cnae"] if activity else None,
                "cnae": activity and activity["descricao"],
                "endereco": _address(firm),
                "porte": size.get("descricao", "Não informado"),
                "faturamento_faixa": size.get("faturamento_faixa"),
                "evidencia": evidence(parts),
            }
            | safra.key
        )
    return found


_SAME = (
    "abertura", "situacao_desde", "cnpj", "cnpj_basico", "razao_social", "nome_fantasia",
    "natureza_juridica", "cep", "telefone", "email",
)  # fmt: skip


def _address(firm: Row) -> str:
    street = " ".join(filter(None, (firm["tipo_logradouro"], firm["logradouro"])))
    return ", ".join(filter(None, (street, firm["numero"], firm["complemento"], firm["bairro"])))


# ── Companies ─────────────────────────────────────────────────────────────────────────────────────
def views(tables: dict[str, Rows]) -> dict[str, Rows]:
    """What readers see: candidates as they are, and companies over the newest safras' units."""
    candidates = tables["lead_empresa"]
    leads = {row["uc_id"]: row for row in tables["marts.mart_lead"]}
    found = []
    for (root,), of in grouped(candidates, "cnpj_basico").items():
        mine = [c | {"lead": leads[c["uc_id"]]} for c in of if c["uc_id"] in leads]
        if not mine:
            continue
        name = min(of, key=lambda c: (-c["entrega_id"], not c["matriz"], c["cnpj"]))
        first, sure = (
            [c for c in mine if c["ordem"] == 1],
            [c for c in mine if c["confianca"] == "alta"],
        )
        best = min(first, key=_best, default=None)
        found.append(
            {c: name[c] for c in _OF_COMPANY}
            | {
                "cnpj_basico": root,
                "estabelecimentos": len({c["cnpj"] for c in first}),
                "unidades": len(first),
                "unidades_confianca_alta": len(sure),
                "unidades_possiveis": len({c["uc_id"] for c in mine}),
                "energia_anual_kwh": _energy(first),
                "energia_confianca_alta_kwh": _energy(sure),
                "melhor_oferta": best and best["lead"]["melhor_oferta"],
                "melhor_score": best and best["lead"]["melhor_score"],
                "maior_escore": max(c["escore"] for c in mine),
            }
        )
    return {"marts.mart_lead_empresa": candidates, "marts.mart_empresa": found}


_OF_COMPANY = (
    "razao_social", "natureza_juridica", "porte", "faturamento_faixa", "capital_social",
)  # fmt: skip


def _best(candidate: Row) -> tuple:
    score = candidate["lead"]["melhor_score"]
    return score is None, -(score or 0), candidate["uc_id"]


def _energy(of: Rows) -> float:
    return total([c["lead"]["energia_anual_kwh"] for c in of]) or 0.0
