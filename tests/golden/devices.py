"""AICSS devices: their settings since when, their days and months, what marks a day, their peers.

Belongs here: dispositivo, dispositivo_vigencia and the marts of ``aicss``. Not here: readings and
hours (readings.py).
"""

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from statistics import median

from tests.golden.curves import PEAK_H, index
from tests.golden.domains import seed
from tests.golden.expected import Domains, Row, Rows, grouped, total
from tests.golden.network import SEEDS
from tests.golden.tables import TOWNS_OF_MUX
from tests.golden.tariffs import NONE, first_class
from tests.golden.written import rows_of

LOCAL = timezone(timedelta(hours=-3))
"""São Paulo's, without the summer time that it had until 2019."""
ALWAYS, FOREVER = "-infinity", "infinity"
FIRMWARE = {"limiar_luz": 2000.0, "limiar_distancia_cm": 100.0, "periodo_s": 1.0}
WATTS = ("potencia_interna_w", "potencia_externa_w")
SETTINGS = (*WATTS, *FIRMWARE, "tarifa_brl_kwh")
DAY_S = 86400
_HOUR = timedelta(hours=1)


# ── Settings ──────────────────────────────────────────────────────────────────────────────────────
def _number(value: object) -> float | None:
    return None if value is None else float(value)


def _settings(row: Row) -> Row:
    return {c: FIRMWARE.get(c) if row.get(c) is None else float(row[c]) for c in SETTINGS}


def _instant(value: str) -> datetime | None:
    """None: since always."""
    return None if value == ALWAYS else datetime.fromisoformat(f"{value}:00")


def _configured(*, made_up: bool) -> dict[str, Rows]:
    """Device → its settings, oldest first; landing gives a device of the seed that has none its."""
    found: dict[str, Rows] = defaultdict(list)
    for row in rows_of("app.dispositivo_config") if made_up else []:
        found[row["dispositivo_id"]].append(row)
    for row in seed(SEEDS, "dispositivo_dominio").to_dict("records"):
        if row["id"] not in found:
            found[row["id"]] = [row | {"valido_de": ALWAYS}]
    return found


def domain(heard: set[str], towns: set[str]) -> Rows:
    """What is valid today of each device of the seed, of the settings, or heard."""
    seeds = {r["id"]: r for r in seed(SEEDS, "dispositivo_dominio").to_dict("records")}
    configured = _configured(made_up=bool(heard))
    found = []
    for name in sorted({*seeds, *configured, *heard}):
        sown = seeds.get(name, {})
        now = datetime.now(LOCAL)
        past = [r for r in configured.get(name, []) if (_instant(r["valido_de"]) or now) <= now]
        row = past[-1] if past else sown
        town = row.get("municipio_id")
        found.append(
            {"id": name, "nome": row.get("nome"), "municipio_id": town if town in towns else None}
            | _settings(row)
            | {c: _number(sown.get(c)) for c in _OF_SEED}
            | {"documentado": name in seeds or name in configured}
        )
    return found


_OF_SEED = (
    "uso_interno_h_dia", "uso_externo_h_dia", "consumo_esperado_interno_kwh_mes",
    "consumo_esperado_externo_kwh_mes", "economia_esperada_interna_pct",
    "economia_esperada_externa_pct",
)  # fmt: skip


def validity(devices: Rows) -> Rows:
    """A device's settings since a whole hour until the next; of two in an hour the later."""
    seeds = {r["id"]: r for r in seed(SEEDS, "dispositivo_dominio").to_dict("records")}
    configured = _configured(made_up=True)
    found = []
    for device in devices:
        name = device["id"]
        rows = configured.get(name, [])
        if not rows or rows[0]["valido_de"] != ALWAYS:
            rows = [seeds.get(name, {}) | {"valido_de": ALWAYS}, *rows]
        by_hour: dict[datetime | None, Row] = {}
        for row in rows:
            since = _instant(row["valido_de"])
            if since and since != since.replace(minute=0, second=0, microsecond=0):
                since = since.replace(minute=0, second=0, microsecond=0) + _HOUR
            by_hour[since] = row
        since = list(by_hour)
        for start, end in zip(since, [*since[1:], FOREVER], strict=True):
            row = by_hour[start]
            place = {c: _number(row.get(c)) for c in ("municipio_id", "distribuidora_id")}
            found.append(
                {"dispositivo_id": name, "vigente_desde": start or ALWAYS, "vigente_ate": end}
                | {"cod_id": row.get("cod_id")}
                | {c: None if v is None else int(v) for c, v in place.items()}
                | _settings(row)
            )
    return found


def at(valid: Rows, device: str, when: datetime) -> Row:
    """The settings of a device at an instant."""
    return next(
        r
        for r in valid
        if r["dispositivo_id"] == device
        and (r["vigente_desde"] == ALWAYS or r["vigente_desde"] <= when)
        and (r["vigente_ate"] == FOREVER or when < r["vigente_ate"])
    )


# ── Days and months ───────────────────────────────────────────────────────────────────────────────
def expected(made: dict[str, Rows], valid: Rows, domains: Domains, tables: dict[str, Rows]) -> dict:
    """The marts, of readings, states and hours."""
    devices = index(domains, "dispositivo")
    days = _days(made, valid, devices)
    months = _months(days, devices)
    return {
        "dispositivo_vigencia": valid,
        "marts.consumo_dispositivo_dia": days,
        "marts.consumo_dispositivo_mes": months,
        "marts.mart_alerta_aicss": _marks(days, devices),
        "marts.mart_aicss_vs_perfil": _peers(months, valid, domains, tables),
    }


def _whole(values: list[float | None]) -> float | None:
    """The sum; nothing where a part is not known."""
    return None if None in values else total(values)


def _days(made: dict[str, Rows], valid: Rows, devices: dict[str, Row]) -> Rows:
    holidays = set(seed(SEEDS, "feriado")["data"])
    hours: dict[tuple[str, date], Rows] = defaultdict(list)
    read: dict[tuple[str, date], Rows] = defaultdict(list)
    for row in made["marts.consumo_dispositivo_hora"]:
        hours[row["dispositivo_id"], row["hora"].astimezone(LOCAL).date()].append(row)
    for row in made["leitura_sensor"]:
        read[row["dispositivo_id"], row["medido_em"].astimezone(LOCAL).date()].append(row)
    found = []
    for (name, day), of in hours.items():
        works = day.weekday() < 5 and day.isoformat() not in holidays
        whole = [r["energia_total_kwh"] for r in of]
        peak = [
            r["energia_total_kwh"]
            for r in of
            if works and PEAK_H[0] <= r["hora"].astimezone(LOCAL).hour < PEAK_H[1]
        ]
        start = datetime(day.year, day.month, day.day, tzinfo=LOCAL)
        settings, mine = at(valid, name, start), read[name, day]
        covered = total([r["segundos_cobertos"] for r in of])
        row = {c: total([r[c] for r in of]) for c in _SECONDS} | {
            "dispositivo_id": name,
            "dia": day,
            "horas": len(of),
            "leituras": sum(r["leituras"] for r in of),
            "leituras_fora_da_faixa": sum(
                r["luz_fora_da_faixa"] is True or r["distancia_fora_da_faixa"] is True for r in mine
            ),
            "leituras_sem_eco": sum(r["sem_eco"] is True for r in mine),
            "cobertura_pct": 100 * covered / DAY_S,
            "energia_interna_kwh": _whole([r["energia_interna_kwh"] for r in of]),
            "energia_externa_kwh": _whole([r["energia_externa_kwh"] for r in of]),
            "energia_total_kwh": _whole(whole),
            "energia_ponta_kwh": None if None in whole else total(peak) or 0.0,
            "custo_brl": _whole([r["custo_brl"] for r in of]),
            "ultima_leitura_id": max(
                (r["medido_em"], r["leitura_id"]) for r in mine
            )[1] if mine else None,
            "recebido_em": "~datetime" if mine else None,
        }  # fmt: skip
        for name_, column in (("luz", "luz"), ("distancia", "distancia_cm")):
            values = [r[column] for r in mine if r[column] is not None]
            unit = column.removeprefix(name_)
            row |= {f"{name_}_minima{unit}": min(values, default=None)}
            row |= {f"{name_}_maxima{unit}": max(values, default=None)}
        for side in ("interna", "externa"):
            use = devices[name][f"uso_{side[:-1]}o_h_dia"]
            watts = settings[f"potencia_{side}_w"]
            known = use is not None and watts is not None
            row[f"base_{side}_kwh"] = watts * use / 1000 * covered / DAY_S if known else None
        found.append(row)
    return found


_SECONDS = (
    "segundos_cobertos", "segundos_sem_estado", "segundos_ligado_interno",
    "segundos_ligado_externo",
)  # fmt: skip
_KWH = (
    "energia_interna_kwh", "energia_externa_kwh", "energia_total_kwh", "energia_ponta_kwh",
    "custo_brl", "base_interna_kwh", "base_externa_kwh",
)  # fmt: skip


def _after(month: date) -> date:
    return (month + timedelta(31)).replace(day=1)


def _months(days: Rows, devices: dict[str, Row]) -> Rows:
    groups: dict[tuple[str, date], Rows] = defaultdict(list)
    for row in days:
        groups[row["dispositivo_id"], row["dia"].replace(day=1)].append(row)
    found = []
    for (name, month), of in groups.items():
        sums = {c: total([r[c] for r in of]) for c in _SECONDS}
        sums |= {c: _whole([r[c] for r in of]) for c in _KWH}
        bases = [sums["base_interna_kwh"], sums["base_externa_kwh"], sums["energia_total_kwh"]]
        saved = None if None in bases else bases[0] + bases[1] - bases[2]
        cost, used = sums["custo_brl"], sums["energia_total_kwh"]
        price = cost / used if cost is not None and used else devices[name]["tarifa_brl_kwh"]
        found.append(
            sums
            | {
                "dispositivo_id": name,
                "mes": month,
                "dias": len(of),
                "leituras": sum(r["leituras"] for r in of),
                "cobertura_pct": 100
                * sums["segundos_cobertos"]
                / (DAY_S * (_after(month) - month).days),
                "economia_interna_pct": _saved(sums, "interna"),
                "economia_externa_pct": _saved(sums, "externa"),
                "economia_kwh": saved,
                "economia_brl": None if None in (saved, price) else saved * price,
            }
            | {c: devices[name][c] for c in _OF_SEED if c.startswith("economia")}
        )
    return found


def _saved(sums: Row, side: str) -> float | None:
    used, base = sums[f"energia_{side}_kwh"], sums[f"base_{side}_kwh"]
    return 100 * (1 - used / base) if used is not None and base else None


# ── What marks a day ──────────────────────────────────────────────────────────────────────────────
def _br(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _figure(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")


def _marks(days: Rows, devices: dict[str, Row]) -> Rows:
    limits = {r["id"]: float(r["valor"]) for r in seed(SEEDS, "parametro_aicss").to_dict("records")}
    found = []
    for (name,), of in grouped(days, "dispositivo_id").items():
        of = sorted(of, key=lambda r: r["dia"])
        judged = [r for r in of if r["cobertura_pct"] >= limits["cobertura_minima_pct"]]
        marks = _above(judged, limits) + _silent(of, limits)
        marks += _stuck(judged, limits) + _impossible(of, limits)
        last = {"impossivel": of[-1]["dia"]}
        for mark in marks:
            newest = last.get(mark["tipo"], judged[-1]["dia"] if judged else None)
            reads = {r["dia"]: r["leituras"] for r in of}
            found.append(
                {"esperado": None, "escore": None}
                | mark
                | {
                    "dispositivo_id": name,
                    "nome": devices[name]["nome"],
                    "leituras": reads.get(mark["dia"]),
                    # Of a device without a day to judge by it is not known.
                    "atual": None if newest is None else mark["dia"] == newest,
                }
            )
    return found


def _above(judged: Rows, limits: dict[str, float]) -> Rows:
    """A robust z over the device's own days before, as if each had been covered whole."""
    used = [
        (r["dia"], r["energia_total_kwh"] * DAY_S / r["segundos_cobertos"])
        for r in judged
        if r["energia_total_kwh"] is not None and r["segundos_cobertos"]
    ]
    found = []
    for day, kwh in used:
        window = timedelta(limits["janela_dias"])
        before = [v for d, v in used if day - window <= d < day]
        if len(before) < limits["dias_minimos"]:
            continue
        middle = median(before)
        spread = median(abs(v - middle) for v in before)
        floor = max(middle * limits["mad_piso_pct"] / 100, 0.001)
        z = 0.6745 * (kwh - middle) / max(spread, floor)
        if z > limits["z_limite"]:
            text = f"Em {_br(day)} consumiu {_figure(kwh)} kWh (em 24 h); a mediana dos"
            text += f" {len(before)} dias anteriores é {_figure(middle)} kWh."
            found.append(
                {"tipo": "acima_da_media", "dia": day, "fim": day, "valor": kwh}
                | {"esperado": middle, "escore": z, "limite": limits["z_limite"]}
                | {"evidencia": text}
            )
    return found


def _silent(of: Rows, limits: dict[str, float]) -> Rows:
    """Whole days of nothing between two; what is silent still depends on when it is asked."""
    found = []
    for one, other in zip(of, of[1:], strict=False):
        days = (other["dia"] - one["dia"]).days - 1
        if days > 0:
            first, last = one["dia"] + timedelta(1), other["dia"] - timedelta(1)
            found.append(
                {"tipo": "calado", "dia": first, "fim": last, "valor": 24.0 * days}
                | {"limite": limits["calado_h"]}
                | {"evidencia": f"Nada mediu de {_br(first)} a {_br(last)}."}
            )
    return found


def _stuck(judged: Rows, limits: dict[str, float]) -> Rows:
    found = []
    for r in judged:
        echo = r["leituras_sem_eco"] == 0 or r["distancia_minima_cm"] is None
        still = r["luz_minima"] is not None and r["luz_minima"] == r["luz_maxima"]
        still = still and r["distancia_minima_cm"] == r["distancia_maxima_cm"]
        if r["leituras"] >= limits["travado_leituras"] and still and echo:
            text = f"Em {_br(r['dia'])} as {r['leituras']} leituras têm a mesma luz"
            text += f" ({r['luz_minima']:.0f}) e a mesma distância: confira o sensor."
            found.append(
                {"tipo": "travado", "dia": r["dia"], "fim": r["dia"], "valor": r["luz_minima"]}
                | {"limite": limits["travado_leituras"], "evidencia": text}
            )
    return found


def _impossible(of: Rows, limits: dict[str, float]) -> Rows:
    found = []
    for r in of:
        wrong = r["leituras_fora_da_faixa"]
        share = 100 * wrong / r["leituras"] if r["leituras"] else 0
        if share > limits["fora_da_faixa_pct"]:
            text = f"Em {_br(r['dia'])}, {wrong} de {r['leituras']} leituras têm luz ou distância"
            text += " que o sensor não mede: confira o sensor."
            found.append(
                {"tipo": "impossivel", "dia": r["dia"], "fim": r["dia"], "valor": share}
                | {"limite": limits["fora_da_faixa_pct"], "evidencia": text}
            )
    return found


# ── Beside its peers ──────────────────────────────────────────────────────────────────────────────
def _peers(months: Rows, valid: Rows, domains: Domains, tables: dict[str, Rows]) -> Rows:
    """A device's month beside that of its município's units, by class and all together."""
    kinds = index(domains, "classe_consumo")
    newest: dict[int, int] = {}
    for row in tables["safra_publicada"]:
        utility = row["distribuidora_id"]
        newest[utility] = max(row["ano"], newest.get(utility, 0))
    series = [
        (*r["serie_id"].split("|"), r)
        for r in tables["safra_serie"]
        if r["nivel"] == "municipio_classe"
        and not r["suprimido"]
        and r["ano"] == newest[r["distribuidora_id"]]
    ]
    peaks = _peak_shares(tables["marts.resumo_classe_mes"])
    found = []
    for month in months:
        place = next(
            r
            for r in valid
            if r["dispositivo_id"] == month["dispositivo_id"] and r["vigente_ate"] == FOREVER
        )
        town = place["municipio_id"]
        if town is None or town in TOWNS_OF_MUX:
            continue
        unit = _unit(place, tables["lead_bruto"])
        own = kinds.get(unit["classe_consumo_id"], {}).get("grupo") if unit else None
        price, source = _price(place, unit, month, tables["tarifa_vigente"])
        of = [(kind, r) for code, kind, r in series if code == str(town)]
        for kind in sorted({k for k, _ in of} | ({"todas"} if of else set())):
            rows = [(k, r) for k, r in of if kind in ("todas", k)]
            row = _beside(month, rows, peaks, price, source)
            if row:
                named = {"municipio_id": town, "classe": kind, "classe_da_uc": kind == own}
                found.append(named | row)
    return found


def _unit(place: Row, leads: Rows) -> Row | None:
    mine = [
        r
        for r in leads
        if (r["distribuidora_id"], r["cod_id"]) == (place["distribuidora_id"], place["cod_id"])
    ]
    return max(mine, key=lambda r: r["ano"], default=None)


def _price(
    place: Row, unit: Row | None, month: Row, tariffs: Rows
) -> tuple[float | None, str | None]:
    """The mean of the days' flat tariff where every day has one, else what the device is set to."""
    group = unit["subgrupo_tarifario_id"] if unit else None
    flat = [
        r
        for r in tariffs
        if (r["distribuidora_id"], r["subgrupo_tarifario_id"]) == (place["distribuidora_id"], group)
        and (r["modalidade"], r["posto"], r["grandeza"]) == ("convencional", "unico", "energia")
        and r["detalhe"] == r["acessante"] == NONE
    ]
    days, prices = (_after(month["mes"]) - month["mes"]).days, []
    for n in range(days):
        day = month["mes"] + timedelta(n)
        there = [r for r in flat if r["inicio"] <= day <= (r["fim"] or day)]
        if there:
            best = min(there, key=first_class)
            prices.append(best["tusd_brl_kwh"] + best["te_brl_kwh"])
    if len(prices) == days:
        return sum(prices) / days, "tarifa"
    cost, used = month["custo_brl"], month["energia_total_kwh"]
    source = None if cost is None else "dispositivo"
    return (cost / used if cost is not None and used else None), source


def _peak_shares(rows: Rows) -> dict[tuple, float | None]:
    sums: dict[tuple, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for r in rows:
        if not r["suprimido"] and r["energia_ponta_kwh"] is not None:
            cell = sums[r["ano"], r["distribuidora_id"], r["classe"], r["mes"]]
            cell[0] += r["energia_ponta_kwh"]
            cell[1] += r["energia_kwh"]
    return {key: peak / whole if whole else None for key, (peak, whole) in sums.items()}


def _beside(
    month: Row, of: list, peaks: dict, price: float | None, source: str | None
) -> Row | None:
    number = month["mes"].month
    there = [(k, r, r["energia_mes"][number - 1]) for k, r in of]
    there = [(k, r, kwh) for k, r, kwh in there if kwh is not None]
    if not there:
        return None
    shares = [(kwh, peaks.get((r["ano"], r["distribuidora_id"], k, number))) for k, r, kwh in there]
    shares = [(kwh, share) for kwh, share in shares if share is not None]
    units, energy = sum(r["quantidade_leads"] for _, r, _ in there), total([x for *_, x in there])
    used, covered = month["energia_total_kwh"], month["cobertura_pct"]
    whole = None if used is None or not covered else used * 100 / covered
    mean, known = energy / units, total([kwh for kwh, _ in shares])
    return {
        "dispositivo_id": month["dispositivo_id"],
        "mes": month["mes"],
        "ano_perfil": max(r["ano"] for _, r, _ in there),
        "unidades": units,
        "cobertura_pct": covered,
        "energia_medida_kwh": used,
        "energia_mes_kwh": whole,
        "media_kwh": mean,
        "razao": whole / mean if whole is not None and mean else None,
        "participacao_ponta": month["energia_ponta_kwh"] / used if used else None,
        "participacao_ponta_perfil": sum(kwh * s for kwh, s in shares) / known if known else None,
        "custo_mes_brl": None if None in (whole, price) else whole * price,
        "preco_brl_kwh": price,
        "preco_origem": source,
    }


def last_read(paths: tuple[Path, ...], readings: Rows) -> Rows:
    """The reading that landed last."""
    *_, line = paths[-1].read_text(encoding="utf-8").splitlines()
    device, stamp = line.split(",")[:2]
    when = datetime.fromisoformat(stamp)
    names = {(r["dispositivo_id"], r["medido_em"]): r["leitura_id"] for r in readings}
    return [{"id": 1, "ultima_leitura_id": names[device, when], "lido_em": "~datetime"}]
