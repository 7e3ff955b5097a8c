"""The statements that land AICSS readings; each works on the temporary table ``aicss_chegada``.

Belongs here: SQL. Not here: their order (landing.py), tables (schema.sql).
"""

from dataclasses import fields

from loaders.aicss.reading import TIE, Reading
from loaders.aicss.records import NUMBERS, STATES

COLUMNS = ", ".join(c.name for c in fields(Reading)) + ", arquivo, linha, recebido_em"
_MEASURES = ", ".join(f"{{0}}.{c}" for c in (*NUMBERS, *STATES))

SPLIT_TIES = f"""
    with empatada as (
        select dispositivo_id, medido_em
        from aicss_chegada
        where motivo is null
        group by dispositivo_id, medido_em
        having count(*) > 1
    ),

    distinta as (
        select dispositivo_id, medido_em, {_MEASURES.format("c")}, min(ordem) as ordem
        from aicss_chegada as c inner join empatada using (dispositivo_id, medido_em)
        where motivo is null
        group by dispositivo_id, medido_em, {_MEASURES.format("c")}
    ),

    posta as (
        select *, row_number() over (partition by dispositivo_id, medido_em order by ordem) - 1 as n
        from distinta
    )

    update aicss_chegada as c
    set
        medido_em = c.medido_em + posta.n * interval '1 microsecond',
        ressalva_horario = coalesce(c.ressalva_horario, '{TIE}')
    from posta
    where
        c.motivo is null
        and posta.n > 0
        and c.dispositivo_id = posta.dispositivo_id
        and c.medido_em = posta.medido_em
        and ({_MEASURES.format("c")}) is not distinct from ({_MEASURES.format("posta")})
"""
CHANNEL = "aicss_leitura"
"""Where PostgreSQL tells, at the commit, whose readings have landed: a JSON list; empty: many."""
NOTIFY = f"""
    with deles as (
        select json_agg(distinct dispositivo_id)::text as nomes
        from aicss_chegada
        where motivo is null
    )

    select pg_notify('{CHANNEL}', case when octet_length(nomes) < 7000 then nomes else '[]' end)
    from deles
"""
MAKE_MONTHS = """
    select controle.cria_meses_aicss(array_agg(mes))
    from (
        select distinct date_trunc('month', medido_em at time zone 'America/Sao_Paulo')::date as mes
        from aicss_chegada
        where motivo is null
    ) as m
    having count(*) > 0
"""
INSERT_READINGS = f"""
    with nova as (
        insert into raw.aicss_leitura ({COLUMNS})
        select distinct on (dispositivo_id, medido_em) {COLUMNS}
        from aicss_chegada
        where motivo is null
        order by dispositivo_id, medido_em, ordem
        on conflict (dispositivo_id, medido_em) do nothing
        returning fora_da_faixa, ressalva_horario
    )

    select
        count(*),
        count(*) filter (where fora_da_faixa <> '{{}}'),
        count(ressalva_horario)
    from nova
"""
COUNT_PRESENT = """
    select count(*)
    from aicss_chegada as c
    inner join raw.aicss_leitura as l using (dispositivo_id, medido_em)
    where c.motivo is null
"""
MARK_CONFLICTS = f"""
    update aicss_chegada as c
    set
        motivo = 'conflito',
        registro = jsonb_strip_nulls(to_jsonb(c) - '{{ordem,arquivo,linha,recebido_em}}'::text[])
    from raw.aicss_leitura as l
    where
        c.motivo is null
        and l.dispositivo_id = c.dispositivo_id
        and l.medido_em = c.medido_em
        and ({_MEASURES.format("l")}) is distinct from ({_MEASURES.format("c")})
"""
INSERT_REJECTED = """
    insert into raw.rejeitado (origem, arquivo, linha, motivo, registro)
    select 'aicss', c.arquivo, c.linha, c.motivo, c.registro
    from aicss_chegada as c
    where
        c.motivo is not null
        and not exists (
            select from raw.rejeitado as r
            where
                r.ano is null
                and r.distribuidora_id is null
                and r.origem = 'aicss'
                and r.arquivo = c.arquivo
                and r.linha = c.linha
                and r.registro = c.registro
        )
"""

ALREADY_LANDED = """
    select from controle.aicss_arquivo
    where
        sha256 = %s
        and arquivo = %s
        and dispositivo is not distinct from %s
        and inicio is not distinct from %s::timestamptz
"""
REGISTER = """
    insert into controle.aicss_arquivo (
        sha256, arquivo, dispositivo, inicio, formato, recebido_em,
        registros, leituras, repetidas, conflitos, ilegiveis, fora_da_faixa, ressalvas, ruido
    )
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

REGISTER_STREAM = """
    insert into controle.aicss_arquivo (
        sha256, arquivo, dispositivo, inicio, formato, recebido_em,
        registros, leituras, repetidas, conflitos, ilegiveis, fora_da_faixa, ressalvas, ruido
    )
    values (%s, %s, %s, %s, %s, %s, 0, 0, 0, 0, 0, 0, 0, 0)
    returning carga_id
"""
COUNT_STREAM = """
    update controle.aicss_arquivo
    set
        sha256 = %s, registros = %s, leituras = %s, repetidas = %s, conflitos = %s, ilegiveis = %s,
        fora_da_faixa = %s, ressalvas = %s, ruido = %s
    where carga_id = %s
"""
