"""The closed list of what a rule may measure: SQL over marts, so legal persons and aggregates.

Belongs here: one metric, its unit, its levels, its words. Not here: comparing with a limit
(judge.py). People choose a metric by name; no SQL of theirs is run.
Each query gives distribuidora_id, alvo, nome, ano, mes, valor, evidencia, of the newest year that
is published: one row per thing. A null valor says that the figure is not known (a small cell).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """What a rule may measure.

    Attributes:
        title: in words, with the unit.
        queries: level → SQL; it takes janela and nivel as parameters.
        windows: of how many last months it can be; a figure of the year has 12 alone.
        absence: why an alert closes whose thing has no row any more.
    """

    title: str
    queries: dict[str, str]
    windows: range = range(12, 13)
    absence: Literal["voltou", "sem_alvo"] = "sem_alvo"


_AREAS = {
    "distribuidora": ("resumo_distribuidora", "distribuidora_id", "r.distribuidora"),
    "municipio": ("resumo_municipio", "municipio_id", "concat_ws('/', r.municipio, r.uf)"),
    "conjunto": ("resumo_conjunto", "conjunto_id", "r.conjunto"),
}
"""Level → rollup, key, name. A município has a distributor where one alone serves it."""


def _area(level: str, value: str, figures: str) -> str:
    table, key, name = _AREAS[level]
    newest = f"select max(x.ano) from marts.{table} as x where x.{key} = r.{key}"
    distributor = "r.distribuidora_id"
    if level == "municipio":
        distributor = (
            "(select min(p.distribuidora_id) from marts.safra_publicada as p"
            " where p.distribuidora = r.distribuidora)"
        )
    else:
        newest += " and x.distribuidora_id = r.distribuidora_id"
    if level == "conjunto":
        # A conjunto that the newest file has not is gone; a município of another's file is not.
        newest = (
            "select max(x.ano) from marts.resumo_conjunto as x"
            " where x.distribuidora_id = r.distribuidora_id"
        )
    pairs = ", ".join(f"'{figure}', r.{figure}" for figure in figures.split())
    return f"""
        select {distributor} as distribuidora_id, r.{key}::text as alvo, {name} as nome, r.ano,
            null::smallint as mes, {value} as valor, jsonb_build_object({pairs}) as evidencia
        from marts.{table} as r
        where r.{key} is not null and r.ano = ({newest})"""


# The worst of a unit's marked months. uc_id is of one year; layer and code name the unit for good.
_CLIENT = """
    select distinct on (l.distribuidora_id, l.origem, l.cod_id)
        l.distribuidora_id, l.origem || '|' || l.cod_id as alvo,
        concat_ws(' ', l.origem, l.cod_id, '(' || l.municipio || ')') as nome, a.ano, a.mes,
        a.valor / a.esperado as valor,
        jsonb_build_object(
            'mes_kwh', a.valor, 'tipico_kwh', a.esperado, 'tipo', a.tipo, 'motivo', a.evidencia,
            'municipio', l.municipio, 'classe_consumo', l.classe_consumo
        ) as evidencia
    from marts.mart_anomalia as a
    inner join (
        select distribuidora_id, max(ano) as ano from marts.safra_publicada group by 1
    ) as p using (distribuidora_id, ano)
    inner join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)
    where a.nivel = %(nivel)s and a.tipo in ('pico', 'desvio_proprio')
        and a.valor > a.esperado and a.esperado > 0 and a.mes > 12 - %(janela)s
    order by l.distribuidora_id, l.origem, l.cod_id, a.valor / a.esperado desc, a.mes, a.tipo"""
_FALL = """
    select distinct on (a.distribuidora_id, a.serie_id)
        a.distribuidora_id, a.serie_id as alvo, null::text as nome, a.ano, a.mes,
        100 * (1 - a.valor / a.esperado) as valor,
        jsonb_build_object('mes_kwh', a.valor, 'esperado_kwh', a.esperado, 'motivo', a.evidencia)
            as evidencia
    from marts.mart_anomalia as a
    inner join (
        select distribuidora_id, max(ano) as ano from marts.safra_publicada group by 1
    ) as p using (distribuidora_id, ano)
    where a.nivel = %(nivel)s and a.tipo = 'queda_na_area'
        and a.esperado > 0 and a.mes > 12 - %(janela)s
    order by a.distribuidora_id, a.serie_id, a.valor / a.esperado, a.mes"""


def _device(kind: str, value: str) -> dict[str, str]:
    """Of a device's last judged day, or of a silence that goes on."""
    return {
        "dispositivo": f"""
        select null::integer as distribuidora_id, a.dispositivo_id as alvo, a.nome,
            extract(year from a.dia)::smallint as ano, extract(month from a.dia)::smallint as mes,
            {value}::double precision as valor,
            jsonb_build_object(
                'dia', a.dia, 'valor', a.valor, 'esperado', a.esperado, 'motivo', a.evidencia
            ) as evidencia
        from marts.mart_alerta_aicss as a
        where a.tipo = '{kind}' and a.atual"""
    }


_DIC = "media_dic_anual_h dic_mediana_conjunto_h leads_dic_impossivel quantidade_leads"
_FIC = "media_fic_anual fic_mediana_conjunto leads_fic_impossivel quantidade_leads"
METRICS = {
    "dic_anual_h": Metric(
        "DIC médio do ano na área, horas",
        {level: _area(level, "r.media_dic_anual_h", _DIC) for level in _AREAS},
    ),
    "dic_sobre_limite": Metric(
        "DIC médio do ano ÷ limite de DEC do conjunto; os limites ainda não têm fonte: sem eles"
        " nada se compara",
        {
            "conjunto": _area(
                "conjunto",
                "r.media_dic_anual_h / nullif(r.dec_limite_h, 0)",
                f"{_DIC} dec_limite_h",
            )
        },
    ),
    "dic_sobre_mediana": Metric(
        "DIC médio do ano ÷ DIC mediano do conjunto (no município, dos conjuntos dele), vezes",
        {
            level: _area(level, "r.media_dic_anual_h / nullif(r.dic_mediana_conjunto_h, 0)", _DIC)
            for level in _AREAS
        },
    ),
    "fic_sobre_mediana": Metric(
        "FIC médio do ano ÷ FIC mediano do conjunto (no município, dos conjuntos dele), vezes",
        {
            level: _area(level, "r.media_fic_anual / nullif(r.fic_mediana_conjunto, 0)", _FIC)
            for level in _AREAS
        },
    ),
    "consumo_sobre_tipico": Metric(
        "pior mês de um cliente (pessoa jurídica) ÷ a mediana dos seus meses, vezes; só meses que"
        " marts.mart_anomalia marca como pico ou desvio_proprio",
        {"uc": _CLIENT},
        windows=range(1, 13),
        absence="voltou",
    ),
    "queda_na_area": Metric(
        "quanto o pior mês da área ficou abaixo do esperado, %; só quedas que marts.mart_anomalia"
        " marca",
        dict.fromkeys(("circuito", "conjunto", "bairro", "municipio"), _FALL),
        windows=range(1, 13),
        absence="voltou",
    ),
    "aicss_consumo_z": Metric(
        "z robusto do consumo do último dia de um dispositivo AICSS sobre os seus 28 dias de antes;"
        " só dias que marts.mart_alerta_aicss marca",
        _device("acima_da_media", "a.escore"),
        absence="voltou",
    ),
    "aicss_horas_calado": Metric(
        "horas desde que um dispositivo AICSS não envia nada, até a última construção",
        _device("calado", "a.valor"),
        absence="voltou",
    ),
    "aicss_leituras_travadas": Metric(
        "leituras do último dia de um dispositivo AICSS, se todas têm a mesma luz e distância",
        _device("travado", "a.leituras"),
        absence="voltou",
    ),
    "aicss_fora_da_faixa_pct": Metric(
        "leituras que o sensor de um dispositivo AICSS não pode ter medido, % do último dia",
        _device("impossivel", "a.valor"),
        absence="voltou",
    ),
}
