-- A conjunto's year is read by its distributor's safra of that year: a new one makes that safra pending.
{{ config(meta={'da_safra': 'ano = {ano}'}) }}

-- A month that a file brings twice counts once, as it stands last.
with meses as (
    select distinct on (conjunto_id, ano, indicador, mes) *
    from {{ ref('stg_aberto_continuidade') }}
    where indicador in ('DEC', 'FEC') and mes between 1 and 12 and conjunto_id is not null and ano is not null
    order by conjunto_id asc, ano asc, indicador asc, mes asc, arquivo_id desc, linha desc
),

apurados as (
    select
        conjunto_id,
        ano,
        sum(valor) filter (where indicador = 'DEC') as dec_h,
        sum(valor) filter (where indicador = 'FEC') as fec,
        least(
            count(*) filter (where indicador = 'DEC'), count(*) filter (where indicador = 'FEC')
        )::smallint as meses
    from meses
    group by conjunto_id, ano
),

limites_ditos as (
    select distinct on (conjunto_id, ano, indicador) *
    from {{ ref('stg_aberto_continuidade_limite') }}
    where indicador in ('DEC', 'FEC') and conjunto_id is not null and ano is not null
    order by conjunto_id asc, ano asc, indicador asc, arquivo_id desc, linha desc
),

limites as (
    select
        conjunto_id,
        ano,
        max(limite) filter (where indicador = 'DEC') as dec_limite_h,
        max(limite) filter (where indicador = 'FEC') as fec_limite
    from limites_ditos
    group by conjunto_id, ano
),

-- Who had the conjunto at the end of the year, and what it was called.
nomes as (
    select distinct on (conjunto_id, ano)
        conjunto_id,
        ano,
        sig_agente,
        cnpj,
        nome
    from (
        select
            conjunto_id,
            ano,
            mes,
            sig_agente,
            cnpj,
            nome
        from meses
        union all
        select
            conjunto_id,
            ano,
            0 as mes,
            sig_agente,
            cnpj,
            nome
        from limites_ditos
    ) as t
    order by conjunto_id asc, ano asc, mes desc
),

{{ chaves_dos_agentes() }}

select
    n.conjunto_id,
    n.ano,
    n.nome,
    n.sig_agente,
    n.cnpj,
    a.dec_h,
    a.fec,
    coalesce(a.meses, 0::smallint) as meses,
    l.dec_limite_h,
    l.fec_limite,
    {{ distribuidora_do_agente() }} as distribuidora_id
from nomes as n
left join apurados as a on n.conjunto_id = a.conjunto_id and n.ano = a.ano
left join limites as l on n.conjunto_id = l.conjunto_id and n.ano = l.ano
{{ junta_agente('n') }}
