"""Tariffs: which row prices a day, which is refused and why, what a month costs.

Belongs here: tarifa_vigente, tarifa_recusada, tarifa_mensal, segment by segment of the calendar.
Not here: what a unit pays (bills.py).
"""

import csv
import hashlib
import re
import unicodedata
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, Safra, grouped
from tests.golden.layers import day
from tests.golden.written import cnpj, decimal, rows_of, utility_of

NONE = "nao se aplica"
MONTHS = "jan fev mar abr mai jun jul ago set out nov dez".split()  # noqa: SIM905
DAY = timedelta(days=1)
END = date(9000, 1, 1)
KEY = (
    "distribuidora_id", "subgrupo_tarifario_id", "modalidade", "classe", "subclasse", "detalhe",
    "acessante", "posto", "grandeza",
)  # fmt: skip


def landed(path: Path | None, *, made_up: bool) -> Rows:
    """The rows of a file as its raw table has them, and the made-up ones."""
    found: Rows = []
    if path:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file, delimiter=";"))
        found += [
            {c.lower(): v or None for c, v in line.items()} | {"arquivo_id": "1", "linha": str(n)}
            for n, line in enumerate(lines, 1)
        ]
    return found + (rows_of("raw.aberto_tarifas") if made_up else [])


def expected(rows: Rows, domains: Domains) -> dict[str, Rows]:
    """Tables of all distributors."""
    known = {int(k) for k in index(domains, "distribuidora")}
    groups = index(domains, "subgrupo_tarifario")
    paid = [r for r in rows if _bare(r["dscbasetarifaria"]) != _NOT_PAID]
    judged = [_judged(r, known, groups) for r in paid]
    for of in grouped(_good(judged), *KEY, "unidade", "resolucao", "inicio", "fim").values():
        of.sort(key=lambda r: (r["made"] or date.min, r["arquivo_id"], r["linha"]))
        for row in of[:-1]:
            if (row["tusd"], row["te"]) != (of[-1]["tusd"], of[-1]["te"]):
                row["motivo"] = "Contradiz outra linha da mesma resolução"
    return {
        "tarifa_vigente": [t for of in grouped(_good(judged), *KEY).values() for t in _valid(of)],
        "tarifa_recusada": [
            {c: row[c] for c in _REFUSED} | {"subgrupo": row["subgrupo_tarifario_id"]}
            for row in judged
            if row["motivo"]
        ],
    }


_PAID, _NOT_PAID = "tarifa de aplicacao", "base economica"
_MOST = {"energia": 10, "demanda": 1000}
_REFUSED = (
    "motivo", "sig_agente", "cnpj", "inicio", "fim", "tusd", "te", "resolucao", "arquivo_id",
    "linha",
)  # fmt: skip


def _bare(value: str | None) -> str | None:
    """Lower case, no accents, single spaces."""
    plain = unicodedata.normalize("NFD", value or "")
    kept = "".join(c for c in plain if unicodedata.category(c) != "Mn").lower()
    return " ".join(kept.split()) or None


# ── What a row says ───────────────────────────────────────────────────────────────────────────────
def _judged(row: Row, known: set[int], groups: dict[str, Row]) -> Row:
    said = {
        c: _bare(row[name]) or NONE
        for c, name in (
            ("classe", "dscclasse"),
            ("subclasse", "dscsubclasse"),
            ("detalhe", "dscdetalhe"),
            ("acessante", "sigagenteacessante"),
        )
    }
    unit = re.sub(r"^r\$ ?/ ?", "", _bare(row["dscunidadeterciaria"]) or "")
    unit = unit if unit in ("kw", "mw", "kwh", "mwh") else None
    title = (row["dscreh"] or "").strip() or None
    number = re.search(r"\d{1,3}(\.?\d{3})*", title or "")
    made = {
        "sig_agente": (row["sigagente"] or "").strip() or None,
        "cnpj": cnpj(row["numcnpjdistribuidora"]),
        "subgrupo_tarifario_id": _subgroup(row),
        "modalidade": _modality(_bare(row["dscmodalidadetarifaria"]) or ""),
        "posto": _post(_bare(row["nompostotarifario"]) or NONE),
        "unidade": unit,
        "grandeza": "energia" if unit in ("kwh", "mwh") else "demanda",
        "base": _bare(row["dscbasetarifaria"]),
        "inicio": day(row["datiniciovigencia"]),
        "fim": day(row["datfimvigencia"]),
        "tusd": decimal(row["vlrtusd"]),
        "te": decimal(row["vlrte"]),
        "resolucao": title,
        "of": _day_of(title),
        "number": int(number[0].replace(".", "")) if number else None,
        "made": day(row["datgeracaoconjuntodados"]),
        "arquivo_id": int(row["arquivo_id"]),
        "linha": int(row["linha"]),
    }
    made |= said
    made["distribuidora_id"] = utility_of(made["sig_agente"], made["cnpj"], known)
    return made | {"motivo": _why_not(made, groups)}


def _subgroup(row: Row) -> str | None:
    code = (_bare(row["dscsubgrupo"]) or "").replace(" ", "").upper() or None
    words = " ".join(_bare(row[c]) or "" for c in ("dscclasse", "dscsubclasse", "dscdetalhe"))
    kinds = {
        "B1": [("baixa renda", "B1BR")],
        "B2": [("cooperativa", "B2CO"), ("irriga", "B2SP"), ("", "B2RU")],
        "B4": [("b4a", "B4A"), ("rede de distribuicao", "B4A"), ("b4b", "B4B"), ("bulbo", "B4B")],
    }
    return next((kind for word, kind in kinds.get(code, []) if word in words), code)


def _modality(said: str) -> str | None:
    last = said.split(" ")[-1]
    before = set(said.split(" ")[:-1]) - {"tarifa", "modalidade", "horaria", "horo-sazonal"}
    return last if last in ("azul", "verde", "branca", "convencional") and not before else None


def _post(said: str) -> str | None:
    names = {NONE: "unico", "unico": "unico", "ponta": "ponta", "na ponta": "ponta"}
    names |= dict.fromkeys(("fora ponta", "fora-ponta", "fora de ponta"), "fora_ponta")
    return (names | {"intermediario": "intermediario"}).get(said)


def _day_of(title: str | None) -> date | None:
    written = re.search(r"(\d{1,2}) de ([a-z]+) de (\d{4})", _bare(title) or "")
    if not written:
        return None
    return date(int(written[3]), MONTHS.index(written[2][:3]) + 1, int(written[1]))


def _why_not(row: Row, groups: dict[str, Row]) -> str | None:
    energy = row["grandeza"] == "energia"
    price = (row["tusd"] or 0) + (row["te"] or 0)
    in_kilo = price / 1000 if (row["unidade"] or "").startswith("m") else price
    reasons = [
        (row["base"] != _PAID, "Base que não é Tarifa de Aplicação nem Base Econômica"),
        (
            row["distribuidora_id"] is None,
            "Distribuidora sem código: nem o CNPJ nem a sigla estão em distribuidora_agente",
        ),
        (row["inicio"] is None, "Sem início de vigência"),
        (
            row["fim"] and row["inicio"] and row["fim"] < row["inicio"],
            "A vigência termina antes de começar",
        ),
        (
            not groups.get(row["subgrupo_tarifario_id"], {}).get("grupo"),
            "Subgrupo que a BDGD não tem",
        ),
        (not row["modalidade"], "Modalidade que não é azul, verde, branca nem convencional"),
        (not row["posto"], "Posto desconhecido"),
        (not row["unidade"], "Unidade que não é kW nem kWh, MW nem MWh"),
        (row["tusd"] is None or (energy and row["te"] is None), "Sem preço"),
        (price < 0, "Preço negativo"),
        (in_kilo > _MOST[row["grandeza"]], "Preço fora do possível para a unidade"),
    ]
    for holds, reason in reasons:
        if holds:
            return reason
    return None


def _good(judged: Rows) -> Rows:
    return [row for row in judged if not row["motivo"]]


# ── Which row prices a day ────────────────────────────────────────────────────────────────────────
def _newness(row: Row) -> tuple:
    return (
        row["of"] or date.min,
        row["number"] or 0,
        row["inicio"],
        row["made"] or date.min,
        row["arquivo_id"],
        row["linha"],
    )


def _valid(of: Rows) -> Rows:
    """Stretches of days between which nothing begins or ends, each the newest row's."""
    edges = sorted({r["inicio"] for r in of} | {(r["fim"] or END) + DAY for r in of})
    found: Rows = []
    for since, after in zip(edges, edges[1:], strict=False):
        there = [r for r in of if r["inicio"] <= since and (r["fim"] or END) >= since]
        if not there:
            continue
        row = max(there, key=_newness)
        if found and found[-1]["row"] is row and found[-1]["fim"] == since - DAY:
            found[-1]["fim"] = after - DAY
        else:
            found.append({"row": row, "inicio": since, "fim": after - DAY})
    return [_priced(of["row"], of["inicio"], of["fim"]) for of in found]


def _priced(row: Row, since: date, until: date) -> Row:
    by = 1000 if row["unidade"].startswith("m") else 1
    tusd, te = row["tusd"] / by, (row["te"] or 0.0) / by
    energy = row["grandeza"] == "energia"
    named = "|".join([*(str(row[c]) for c in KEY), str(since)])
    return {c: row[c] for c in (*KEY, "resolucao")} | {
        "tarifa_id": hashlib.md5(named.encode()).hexdigest(),
        "inicio": since,
        "fim": None if until == END else until,
        "tusd_brl_kwh": tusd if energy else None,
        "te_brl_kwh": te if energy else None,
        "tusd_brl_kw": None if energy else tusd,
        "te_brl_kw": None if energy else te,
    }


def first_class(row: Row) -> tuple:
    """Of prices that differ by class that of no class, of no subclass, of the class itself."""
    kind, sub = row["classe"], row["subclasse"]
    return kind != NONE, sub != NONE, sub != kind, kind, sub


# ── A month ───────────────────────────────────────────────────────────────────────────────────────
def months(valid: Rows, safra: Safra) -> Rows:
    """What each subgroup and modality costs in each month of a safra."""
    everybody = [
        r
        for r in valid
        if r["distribuidora_id"] == safra.utility
        and r["detalhe"] == r["acessante"] == NONE
        and r["modalidade"] != "branca"
    ]
    found = []
    for (group, modality), of in grouped(everybody, "subgrupo_tarifario_id", "modalidade").items():
        for month in range(1, 13):
            row = _month(of, modality, safra.year, month)
            if row:
                since = row.pop("since")
                dates = " e ".join(f"{d:%d/%m/%Y}" for d in sorted(since))
                named = {"mes": month, "subgrupo_tarifario_id": group, "modalidade": modality}
                found.append(named | row | {"tarifa": f"{group} desde {dates}"})
    return found


def _month(of: Rows, modality: str, year: int, month: int) -> Row | None:
    """Means over the days, exact; None where a part that a bill needs is not priced every day."""
    day_, days = date(year, month, 1), []
    while day_.month == month:
        days.append(day_)
        day_ += DAY
    means: dict[tuple, dict[str, float]] = {}
    since: set[date] = set()
    for part, rows in grouped(of, "posto", "grandeza").items():
        chosen = []
        for d in days:
            there = [r for r in rows if r["inicio"] <= d and d <= (r["fim"] or END)]
            if there:
                chosen.append(min(there, key=first_class))
        since |= {r["inicio"] for r in chosen}
        if len(chosen) == len(days):
            there = [c for c in _PRICES if chosen[0][c] is not None]
            means[part] = {c: _mean([r[c] for r in chosen]) for c in there}

    def at(post: str, kind: str) -> dict[str, float]:
        return means.get((post, kind), {})

    def kw(post: str) -> float | None:
        of = at(post, "demanda")
        return of["tusd_brl_kw"] + of["te_brl_kw"] if of else None

    flat = modality == "convencional"
    off, peak = at("unico" if flat else "fora_ponta", "energia"), at("ponta", "energia")
    whole = kw("unico") if kw("unico") is not None else kw("fora_ponta")
    needed = [off] if flat else [off, peak, whole is not None]
    needed += [kw("ponta") is not None] if modality == "azul" else []
    if not all(needed):
        return None
    return {
        "since": since,
        "demanda_ponta_brl_kw": kw("ponta") if modality == "azul" else None,
        "demanda_brl_kw": None if flat else whole,
        "tusd_ponta_brl_kwh": None if flat else peak["tusd_brl_kwh"],
        "te_ponta_brl_kwh": None if flat else peak["te_brl_kwh"],
        "tusd_brl_kwh": off["tusd_brl_kwh"],
        "te_brl_kwh": off["te_brl_kwh"],
    }


_PRICES = ("tusd_brl_kwh", "te_brl_kwh", "tusd_brl_kw", "te_brl_kw")


def _mean(values: list[float]) -> float:
    return float(sum(Fraction(str(v)) for v in values) / len(values))


def by_group(rows: Rows) -> dict[str, Rows]:
    """A safra's months by subgroup."""
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[row["subgrupo_tarifario_id"]].append(row)
    return found
