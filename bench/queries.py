"""Reading: the documents' queries from what is made for readers, against joins made on the fly.

Belongs here: these figures, and the un-marted SQL they are compared with.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg

from bench.measure import Figure, ms, server_ms
from bench.warehouse import ANO, CLONE, DISTRIBUIDORA, Bench

NAME = "queries"
ABOUT = """\
Server time, planning and execution, median of five in new sessions, caches warm. *On the fly*
is the same query on the joins that nobody prepared: the detailed view with its yearly summary
computed from the monthly tables and the enrichment log; the município's rollup from leads and
months. Rows are discarded by EXPLAIN, so sending them is not counted. A query is given up after two
minutes; the ratio is then a least one."""
ROUNDS = 5
VIEW = "vw_lead_completo_detalhado"

ON_THE_FLY = """
create schema na_hora;
create view na_hora.lead_resumo_anual as
select
    l.uc_id, l.ano, l.distribuidora_id,
    e.energia_anual_kwh, e.media_energia, e.energia_ponta_anual_kwh, e.energia_fora_ponta_anual_kwh,
    d.maxima_demanda, d.media_demanda,
    coalesce(q.dic_anual_h, l.dic_anual) as dic_anual_h,
    coalesce(q.media_dic, l.dic_anual / 12) as media_dic,
    coalesce(q.fic_anual, l.fic_anual) as fic_anual,
    coalesce(q.media_fic, l.fic_anual / 12) as media_fic,
    r.enriquecimento_status, r.data_enriquecimento
from intel_lead.lead_bruto as l
inner join (
    select
        uc_id, ano, distribuidora_id, sum(energia_total) as energia_anual_kwh,
        avg(energia_total) as media_energia, sum(energia_ponta) as energia_ponta_anual_kwh,
        sum(energia_fora_ponta) as energia_fora_ponta_anual_kwh
    from intel_lead.lead_energia_mensal group by uc_id, ano, distribuidora_id
) as e using (uc_id, ano, distribuidora_id)
left join (
    select
        uc_id, ano, distribuidora_id, max(demanda_total) as maxima_demanda,
        avg(demanda_total) as media_demanda
    from intel_lead.lead_demanda_mensal group by uc_id, ano, distribuidora_id
) as d using (uc_id, ano, distribuidora_id)
left join (
    select
        uc_id, ano, distribuidora_id, sum(dic) as dic_anual_h, avg(dic) as media_dic,
        sum(fic) as fic_anual, avg(fic) as media_fic
    from intel_lead.lead_qualidade_mensal group by uc_id, ano, distribuidora_id
) as q using (uc_id, ano, distribuidora_id)
inner join (
    select
        uc_id, ano, distribuidora_id, max(created_at) as data_enriquecimento,
        case
            when bool_and(resultado = 'success') then 'success'
            when bool_or(resultado = 'success') then 'partial'
            else 'failed'
        end::intel_lead.resultado_enum as enriquecimento_status
    from intel_lead.lead_enrichment_log group by uc_id, ano, distribuidora_id
) as r using (uc_id, ano, distribuidora_id);
"""

ROLLUP = "select * from {rollup} where ano = {ano} and municipio_id = {municipio}"
ROLLUP_ON_THE_FLY = """
select
    m.nome, m.uf, count(distinct l.uc_id), sum(e.energia), sum(e.ponta), sum(l.pac),
    avg(q.dic), avg(q.fic), count(*) filter (where l.livre)
from intel_lead.lead_bruto as l
inner join intel_lead.municipio as m on l.municipio_id = m.id
left join (
    select uc_id, sum(energia_total) as energia, sum(energia_ponta) as ponta
    from intel_lead.lead_energia_mensal where ano = {ano} group by uc_id
) as e using (uc_id)
left join (
    select uc_id, sum(dic) as dic, sum(fic) as fic
    from intel_lead.lead_qualidade_mensal where ano = {ano} group by uc_id
) as q using (uc_id)
where l.ano = {ano} and l.municipio_id = {municipio}
group by m.nome, m.uf
"""


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about, a warehouse included."""
    return ucs * 5 / 1e6 + ucs * 8 / 1e6


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size."""
    connect = partial(bench.connect, bench.built(ucs))
    with connect() as conn:
        _prepare(conn)
        cases = _cases(conn)
        figures = [_figure(connect, ucs, *case) for case in cases]
        conn.execute("drop schema na_hora cascade")
    return figures


def _prepare(conn: psycopg.Connection) -> None:
    conn.execute("drop schema if exists na_hora cascade")
    conn.execute(ON_THE_FLY)
    conn.execute("set search_path = public")  # so that the definition names every schema
    (body,) = conn.execute(f"select pg_get_viewdef('intel_lead.{VIEW}'::regclass)").fetchone()
    body = body.replace("intel_lead.lead_resumo_anual", "na_hora.lead_resumo_anual")
    conn.execute(f"create view na_hora.{VIEW} as {body}")


def _cases(conn: psycopg.Connection) -> list[tuple[str, str, str]]:
    """What is asked, from what is made for it, and on the fly."""
    uc_id, municipio = conn.execute(
        "select uc_id, municipio_id from intel_lead.lead_bruto"
        " where municipio_id is not null order by uc_id offset 100 limit 1"
    ).fetchone()
    safra = f"ano = {ANO} and distribuidora_id = {DISTRIBUIDORA}"
    lead = f"select * from {{}} where uc_id = '{uc_id}' and {safra}"
    place = {"ano": ANO, "municipio": municipio}
    return [
        *_documents(),
        ("one lead by uc_id and safra", lead.format(VIEW), lead.format(f"na_hora.{VIEW}")),
        (
            "one município's rollup",
            ROLLUP.format(rollup="intel_lead.resumo_energia_por_municipio", **place),
            ROLLUP_ON_THE_FLY.format(**place),
        ),
    ]


def _documents() -> list[tuple[str, str, str]]:
    """VIE-09 and VIE-10, word for word, and with the view on the fly in the view's place."""
    files: list[Path] = sorted((CLONE / "docs" / "queries").glob("vie_*.sql"))
    texts = {f.stem[:6].upper().replace("_", "-"): f.read_text().rstrip("; \n") for f in files}
    return [
        (name, text, text.replace(VIEW, f"na_hora.{VIEW}"))
        for name, text in texts.items()
        if VIEW in text
    ]


def _figure(
    connect: Callable[[], psycopg.Connection], ucs: int, what: str, made: str, fly: str
) -> Figure:
    ours, other = (server_ms(connect, query, rounds=ROUNDS) for query in (made, fly))
    return Figure(
        group=NAME,
        ucs=ucs,
        what=f"{what}, on the fly vs from view or rollup",
        ours=ms(ours),
        other=ms(other),
        value=other / ours,
    )
