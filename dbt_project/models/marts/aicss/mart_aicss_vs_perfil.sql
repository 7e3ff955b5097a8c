{{ config(materialized='view', barreira=true) }}

with aparelho as (

    select
        v.dispositivo_id,
        v.municipio_id,
        c.grupo as classe_da_uc
    from {{ ref('dispositivo_vigencia') }} as v
    -- The unit's newest published row; a device of an unknown unit has no class.
    left join lateral (
        select l.classe_consumo_id
        from {{ ref('lead_bruto') }} as l
        where l.distribuidora_id = v.distribuidora_id and l.cod_id = v.cod_id
        order by l.ano desc
        limit 1
    ) as uc on true
    left join {{ ref('classe_consumo') }} as c on uc.classe_consumo_id = c.id
    where v.vigente_ate = 'infinity' and v.municipio_id is not null

),

-- Of each distributor the newest published year; what readers may not see is left out here too.
serie as (

    select
        s.ano,
        s.distribuidora_id,
        split_part(s.serie_id, '|', 1) as municipio_id,
        split_part(s.serie_id, '|', 2) as classe,
        s.quantidade_leads,
        s.energia_mes
    from {{ ref('safra_serie') }} as s
    inner join (
        select
            distribuidora_id,
            max(ano) as ano
        from {{ ref('safra_publicada') }}
        group by distribuidora_id
    ) as p on s.distribuidora_id = p.distribuidora_id and s.ano = p.ano
    where s.nivel = 'municipio_classe' and not s.suprimido

),

ponta as (

    select
        r.ano,
        r.distribuidora_id,
        r.classe,
        r.mes,
        sum(r.energia_ponta_kwh) / nullif(sum(r.energia_kwh), 0) as parte
    from {{ ref('resumo_classe_mes') }} as r
    where not r.suprimido and r.energia_ponta_kwh is not null
    group by r.ano, r.distribuidora_id, r.classe, r.mes

),

perfil as (

    select
        s.municipio_id,
        case when grouping(s.classe) = 1 then 'todas' else s.classe end as classe,
        m.mes::integer as mes,
        max(s.ano) as ano_perfil,
        sum(s.quantidade_leads)::bigint as unidades,
        sum(m.energia) as energia_kwh,
        sum(m.energia * ponta.parte) / nullif(sum(m.energia) filter (where ponta.parte is not null), 0)
            as participacao_ponta
    from serie as s
    cross join lateral unnest(s.energia_mes) with ordinality as m (energia, mes)
    left join ponta
        on
            s.ano = ponta.ano
            and s.distribuidora_id = ponta.distribuidora_id
            and s.classe = ponta.classe
            and m.mes = ponta.mes
    where m.energia is not null
    group by s.municipio_id, m.mes, grouping sets ((s.classe), ())

)

select
    c.dispositivo_id,
    c.mes,
    a.municipio_id,
    p.classe,
    coalesce(p.classe = a.classe_da_uc, false) as classe_da_uc,
    p.ano_perfil,
    p.unidades,
    c.cobertura_pct,
    c.energia_total_kwh as energia_medida_kwh,
    c.energia_total_kwh * 100 / nullif(c.cobertura_pct, 0) as energia_mes_kwh,
    p.energia_kwh / nullif(p.unidades, 0) as media_kwh,
    c.energia_total_kwh * 100 / nullif(c.cobertura_pct, 0) / nullif(p.energia_kwh / nullif(p.unidades, 0), 0)
        as razao,
    c.energia_ponta_kwh / nullif(c.energia_total_kwh, 0) as participacao_ponta,
    p.participacao_ponta as participacao_ponta_perfil,
    c.custo_brl * 100 / nullif(c.cobertura_pct, 0) as custo_mes_brl,
    c.custo_brl / nullif(c.energia_total_kwh, 0) as preco_brl_kwh,
    case when c.custo_brl is not null then 'dispositivo' end as preco_origem
from {{ ref('consumo_dispositivo_mes') }} as c
inner join aparelho as a on c.dispositivo_id = a.dispositivo_id
inner join perfil as p
    on a.municipio_id::text = p.municipio_id and extract(month from c.mes) = p.mes
