"""Open data as tables have them: flags, weather, CCEE, SAMP, continuity, generation, places.

Belongs here: intel_lead's tables of ANEEL, IBGE, CCEE and INMET but for tariffs (tariffs.py). Not
here: what a text means (written.py), what the marts make of them with the BDGD (context.py).
"""

import math
from collections import defaultdict
from datetime import datetime, timedelta

from tests.golden import written
from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, grouped, mean, total
from tests.golden.written import cnpj, decimal, last, month, plain, rows_of, said, upper

EARTH_KM = 6371
_PLAIN = {
    "RESIDENCIAL": "residencial", "INDUSTRIAL": "industrial", "COMERCIA": "comercial",
    "RURAL": "rural", "PODERPUBLICO": "poder público", "PODERESPUBLICOS": "poder público",
    "ILUMINACAOPUBLICA": "iluminação pública", "SERVICOPUBLICO": "serviço público",
    "SERVICOSPUBLICOS": "serviço público", "CONSUMOPROPRIO": "consumo próprio",
}  # fmt: skip
MEASURES = ("ENERGIATEKWH", "ENERGIATUSDKWH", "NUMERODECONSUMIDORES")


def expected(domains: Domains) -> dict[str, Rows]:
    """Table → rows, of what lies in ``rows/``."""
    known = {int(k) for k in index(domains, "distribuidora")}
    towns = index(domains, "municipio")
    weather = _weather()
    made = {
        "bandeira_tarifaria": _flags(),
        "clima_mensal": weather,
        "consumo_ccee_mensal": _free_market(towns),
        "consumo_samp_mensal": _sold(known),
        "continuidade_conjunto": _continuity(known),
        "geracao_distribuida": _generation(known, towns),
        "municipio_divisao": _divisions(towns),
        "municipio_estacao": _stations(weather, towns),
        "municipio_indicador": _indicators(towns),
        "pld_horario": _prices(),
        "usina": _plants(),
    }
    return made | {"distribuidora_sem_chave": _strangers(made, known)}


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None


def _whole(value: str | None) -> int | None:
    return None if decimal(value) is None else int(decimal(value))


# ── By month ──────────────────────────────────────────────────────────────────────────────────────
def _flags() -> Rows:
    rows = [
        r | {"competencia": month(r["datcompetencia"])} for r in rows_of("raw.aberto_bandeiras")
    ]
    return [
        {
            "competencia": r["competencia"],
            "bandeira": _text(r["nombandeiraacionada"]),
            "adicional_brl_mwh": decimal(r["vlradicionalbandeira"]),
        }
        for r in last([r for r in rows if r["competencia"]], "competencia")
    ]


def _weather() -> Rows:
    rows = [
        r | {"estacao": upper(r["estacao"]), "competencia": month(r["data"]), "uf": upper(r["uf"])}
        for r in rows_of("raw.aberto_clima")
    ]
    rows = [r for r in rows if r["estacao"] and r["competencia"]]
    found = []
    for (station, when), of in grouped(rows, "estacao", "competencia").items():
        heat, rain, wet, north, east = (
            [decimal(r[c]) for r in of]
            for c in ("temperatura_c", "precipitacao_mm", "umidade_pct", "latitude", "longitude")
        )
        there = [v for v in heat if v is not None]
        found.append(
            {
                "estacao": station,
                "competencia": when,
                "nome": max(_text(r["nome"]) for r in of),
                "uf": max(r["uf"] for r in of),
                "latitude": mean(north),
                "longitude": mean(east),
                "temperatura_media_c": mean(heat),
                "temperatura_minima_c": min(there, default=None),
                "temperatura_maxima_c": max(there, default=None),
                "precipitacao_mm": total(rain),
                "umidade_media_pct": mean(wet),
                "horas_com_temperatura": len(there),
                "horas_com_precipitacao": sum(v is not None for v in rain),
            }
        )
    return found


def _free_market(towns: dict[str, Row]) -> Rows:
    codes = {(t["uf"], plain(t["nome"])): int(code) for code, t in towns.items()}
    rows = [
        {
            "competencia": month(r["mes_referencia"]),
            "agente": _text(r["sigla_perfil_agente"]) or "Não informado",
            "ramo": said(r["ramo_atividade"]) or "Não informado",
            "cidade": _text(r["cidade"]) or "Não informado",
            "uf": (_text(r["estado_uf"]) or "NI").upper(),
            "carga": r["sigla_parcela_carga"],
            "consumo_livre_mwh": decimal(r["consumo_acl"]),
            "consumo_cativo_mwh": decimal(r["consumo_cativo_parc_livre"]),
            "consumo_total_mwh": decimal(r["consumo_total"]),
        }
        for r in rows_of("raw.aberto_ccee_consumo")
        if month(r["mes_referencia"])
    ]
    key = ("competencia", "agente", "ramo", "cidade", "uf")
    sums = ("consumo_livre_mwh", "consumo_cativo_mwh", "consumo_total_mwh")
    return [
        dict(zip(key, values, strict=True))
        | {c: total([r[c] for r in of]) for c in sums}
        | {"cargas": len({r["carga"] for r in of})}
        | {"municipio_id": codes.get((values[4], plain(values[3])))}
        for values, of in grouped(rows, *key).items()
    ]


def group_of(name: str | None) -> str:
    """SAMP's class as ours."""
    return next(
        (g for p, g in _PLAIN.items() if (plain(name) or "").startswith(p)), "não informado"
    )


def _sold(known: set[int]) -> Rows:
    rows = []
    for r in rows_of("raw.aberto_samp"):
        rebilled = "refaturamento" in (r["nomtipomercado"] or "").lower()
        rows.append(
            {
                "sig_agente": _text(r["sigagentedistribuidora"]),
                "cnpj": cnpj(r["numcnpjagentedistribuidora"]),
                "competencia": month(r["datcompetencia"]),
                "opcao_energia": (said(r["dscopcaoenergia"]) or "NÃO INFORMADO").upper(),
                "subgrupo": (said(r["dscsubgrupotarifario"]) or "NÃO INFORMADO").upper(),
                "classe": said(r["dscclasseconsumomercado"]) or "Não informado",
                "measure": plain(r["dscdetalhemercado"]),
                "value": decimal(r["vlrmercado"]),
                "rebilled": rebilled or "-" in r["vlrmercado"],
            }
        )
    rows = [r for r in rows if r["sig_agente"] and r["competencia"] and r["measure"] in MEASURES]
    key = ("sig_agente", "competencia", "opcao_energia", "subgrupo", "classe")
    found = []
    for values, of in grouped(rows, *key).items():
        named = dict(zip(key, values, strict=True))
        number = max((r["cnpj"] for r in of if r["cnpj"]), default=None)
        energy, wires, customers = (
            total([r["value"] for r in of if r["measure"] == measure]) for measure in MEASURES
        )
        again = [r["value"] for r in of if r["measure"] == MEASURES[0] and r["rebilled"]]
        found.append(
            named
            | {
                "cnpj": number,
                "classe_grupo": group_of(named["classe"]),
                "energia_te_kwh": energy,
                "energia_tusd_kwh": wires,
                "refaturada_te_kwh": total(again) or 0.0,
                "consumidores": customers,
                "distribuidora_id": written.utility_of(named["sig_agente"], number, known),
            }
        )
    return found


def _prices() -> Rows:
    """The hour within the month, by day and hour where both are a month's, else by its period."""
    rows = []
    for r in rows_of("raw.aberto_pld"):
        when, day, hour, period = (
            month(r["mes_referencia"]),
            *(_whole(r[c]) for c in ("dia", "hora", "periodo_comercializacao")),
        )
        hours = None
        if day is not None and hour is not None and 1 <= day <= 31 and 0 <= hour <= 23:
            hours = 24 * (day - 1) + hour
        elif period is not None and 1 <= period <= 744:
            hours = period - 1
        price, market = decimal(r["pld_hora"]), upper(r["submercado"])
        if when and hours is not None and price is not None and market:
            start = datetime(when.year, when.month, 1)
            rows.append(
                {"hora": start + timedelta(hours=hours), "submercado": market, "pld_brl_mwh": price}
                | {c: r[c] for c in ("arquivo_id", "linha")}
            )
    return [_without_file(r) for r in last(rows, "hora", "submercado")]


def _without_file(row: Row) -> Row:
    return {c: v for c, v in row.items() if c not in ("arquivo_id", "linha")}


# ── Continuity ────────────────────────────────────────────────────────────────────────────────────
def _named(row: Row, year: str) -> Row:
    return {
        "conjunto_id": _whole(row["ideconjundconsumidoras"]),
        "ano": _whole(row[year]),
        "indicador": upper(row["sigindicador"]),
        "sig_agente": _text(row["sigagente"]),
        "cnpj": cnpj(row["numcnpj"]),
        "nome": _text(row["dscconjundconsumidoras"]),
        "arquivo_id": row["arquivo_id"],
        "linha": row["linha"],
    }


def _continuity(known: set[int]) -> Rows:
    """A conjunto and year that either file has; its name and owner of the last month, if any."""
    measured = [
        _named(r, "anoindice")
        | {"mes": _whole(r["numperiodoindice"]), "valor": decimal(r["vlrindiceenviado"])}
        for r in rows_of("raw.aberto_continuidade")
    ]
    limits = [
        _named(r, "anolimitequalidade") | {"mes": 0, "limite": decimal(r["vlrlimite"])}
        for r in rows_of("raw.aberto_continuidade_limite")
    ]
    key = ("conjunto_id", "ano", "indicador")

    def usable(row: Row, months: range) -> bool:
        both = row["conjunto_id"] is not None and row["ano"] is not None
        return both and row["indicador"] in ("DEC", "FEC") and row["mes"] in months

    measured = last([r for r in measured if usable(r, range(1, 13))], *key, "mes")
    limits = last([r for r in limits if usable(r, range(1))], *key)
    found = []
    for (conjunto, year), of in grouped(measured + limits, "conjunto_id", "ano").items():
        months = [r for r in of if r["mes"]]
        owner = max(of, key=lambda r: r["mes"])
        sums = {i: [r["valor"] for r in months if r["indicador"] == i] for i in ("DEC", "FEC")}
        limit = {r["indicador"]: r["limite"] for r in of if not r["mes"]}
        found.append(
            {c: owner[c] for c in ("nome", "sig_agente", "cnpj")}
            | {
                "conjunto_id": conjunto,
                "ano": year,
                "dec_h": total(sums["DEC"]),
                "fec": total(sums["FEC"]),
                "meses": min(len(sums["DEC"]), len(sums["FEC"])),
                "dec_limite_h": limit.get("DEC"),
                "fec_limite": limit.get("FEC"),
                "distribuidora_id": written.utility_of(owner["sig_agente"], owner["cnpj"], known),
            }
        )
    return found


# ── Plants ────────────────────────────────────────────────────────────────────────────────────────
def _generation(known: set[int], towns: dict[str, Row]) -> Rows:
    codes = {int(code): int(code) for code in towns} | {int(c) // 10: int(c) for c in towns}
    rows = [r | {"ceg_gd": upper(r["codempreendimento"])} for r in _rows_of_generation()]
    return [
        {
            "ceg_gd": r["ceg_gd"],
            "sig_agente": _text(r["sigagente"]),
            "cnpj": cnpj(r["numcnpjdistribuidora"]),
            "municipio_id": codes.get(_whole(r["codmunicipioibge"])),
            "classe": said(r["dscclasseconsumo"]),
            "subgrupo": upper(said(r["dscsubgrupotarifario"])),
            "tipo_consumidor": upper(said(r["sigtipoconsumidor"])),
            "modalidade": upper(said(r["sigmodalidadeempreendimento"])),
            "tipo_geracao": upper(said(r["sigtipogeracao"])),
            "fonte": said(r["dscfontegeracao"]),
            "porte": said(r["dscporte"]),
            "potencia_kw": decimal(r["mdapotenciainstaladakw"]),
            "unidades_com_credito": _whole(r["qtducrecebecredito"]),
            "atualizada_em": written.said_day(r["dthatualizacadastralempreend"]),
            "distribuidora_id": written.utility_of(
                r["sigagente"], cnpj(r["numcnpjdistribuidora"]), known
            ),
        }
        for r in last([r for r in rows if r["ceg_gd"]], "ceg_gd")
    ]


def _rows_of_generation() -> Rows:
    return rows_of("raw.aberto_geracao_distribuida")


def _plants() -> Rows:
    rows = [r | {"ceg": _text(r["codceg"])} for r in rows_of("raw.aberto_siga")]
    return [
        {
            "ceg": r["ceg"],
            "nucleo_ceg": _whole(r["idenucleoceg"]),
            "nome": _text(r["nomempreendimento"]),
            "uf": _text(r["sigufprincipal"]),
            "tipo_geracao": _text(r["sigtipogeracao"]),
            "fase": said(r["dscfaseusina"]),
            "origem": said(r["dscorigemcombustivel"]),
            "fonte": said(r["dscfontecombustivel"]),
            "outorga": said(r["dsctipooutorga"]),
            "entrada_operacao": written.said_day(r["datentradaoperacao"]),
            "potencia_outorgada_kw": decimal(r["mdapotenciaoutorgadakw"]),
            "potencia_fiscalizada_kw": decimal(r["mdapotenciafiscalizadakw"]),
            "garantia_fisica_kw": decimal(r["mdagarantiafisicakw"]),
            "latitude": decimal(r["numcoordnempreendimento"]),
            "longitude": decimal(r["numcoordeempreendimento"]),
            "municipios": _text(r["dscmuninicpios"]),
        }
        for r in last([r for r in rows if r["ceg"]], "ceg")
    ]


# ── Places ────────────────────────────────────────────────────────────────────────────────────────
def _divisions(towns: dict[str, Row]) -> Rows:
    rows = [r | {"municipio_id": _whole(r["id"])} for r in rows_of("raw.aberto_municipios")]
    parts = ("nome", "regiao_imediata", "regiao_intermediaria", "microrregiao", "mesorregiao")
    return [
        {"municipio_id": r["municipio_id"]} | {c: _text(r[c]) for c in parts}
        for r in last(rows, "municipio_id")
        if str(r["municipio_id"]) in towns
    ]


def _stations(weather: Rows, towns: dict[str, Row]) -> Rows:
    """The nearest to each município, where the station stood last; of two as near the first."""
    at = {
        r["estacao"]: (r["latitude"], r["longitude"])
        for r in sorted(weather, key=lambda r: r["competencia"])
    }
    found = []
    for code, town in towns.items():
        place = (float(town["latitude"]), float(town["longitude"]))
        away, station = min((_distance(place, there), name) for name, there in at.items())
        found.append({"municipio_id": int(code), "estacao": station, "distancia_km": away})
    return found


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """By the angle between the two, as vectors: another formula than the haversine."""
    one, other = (
        [
            math.cos(math.radians(lat)) * math.cos(math.radians(lon)),
            math.cos(math.radians(lat)) * math.sin(math.radians(lon)),
            math.sin(math.radians(lat)),
        ]
        for lat, lon in (a, b)
    )
    return EARTH_KM * 2 * math.asin(min(1.0, math.dist(one, other) / 2))


def _indicators(towns: dict[str, Row]) -> Rows:
    """Of a código of seven digits, or of six without the check digit."""
    codes = {int(c): int(c) for c in towns} | {int(c) // 10: int(c) for c in towns}
    sources = {
        "populacao": ("populacao", "d1c", "d3c", "v", 1),
        "pib_brl": ("pib", "d1c", "d3c", "v", 1000),
        "idhm": ("idhm", "codmun7", "ano", "idhm", 1),
        "renda_brl_mes": ("renda", "codmun7", "ano", "rdpc", 1),
    }
    rows = []
    for name, (table, code, year, value, times) in sources.items():
        for r in rows_of(f"raw.aberto_{table}"):
            town, when, what = codes.get(_whole(r[code])), _whole(r[year]), decimal(r[value])
            if None not in (town, when, what):
                named = {"municipio_id": town, "indicador": name, "ano": when}
                rows.append(
                    named
                    | {"valor": times * what, "arquivo_id": r["arquivo_id"], "linha": r["linha"]}
                )
    return [_without_file(r) for r in last(rows, "municipio_id", "indicador", "ano")]


# ── Who is nobody ─────────────────────────────────────────────────────────────────────────────────
def _strangers(made: dict[str, Rows], known: set[int]) -> Rows:
    tariffs = [
        {"sig_agente": _text(r["sigagente"]), "cnpj": cnpj(r["numcnpjdistribuidora"])}
        for r in rows_of("raw.aberto_tarifas")
    ]
    sources = {
        "tarifas": tariffs,
        "samp": made["consumo_samp_mensal"],
        "continuidade": made["continuidade_conjunto"],
        "geracao_distribuida": made["geracao_distribuida"],
    }
    counted: dict[tuple, int] = defaultdict(int)
    for name, rows in sources.items():
        for row in rows:
            if written.utility_of(row["sig_agente"], row["cnpj"], known) is None:
                counted[name, row["sig_agente"], row["cnpj"]] += 1
    return [
        {"conjunto": name, "sig_agente": agent, "cnpj": number, "linhas": n}
        for (name, agent, number), n in counted.items()
    ]
