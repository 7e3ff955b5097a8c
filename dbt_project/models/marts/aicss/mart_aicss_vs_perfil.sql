{{ config(materialized='view', barreira=true) }}

with aparelho as (

    select
        v.dispositivo_id,
        v.municipio_id,
        v.distribuidora_id,
        c.grupo as classe_da_uc,
        uc.subgrupo_tarifario_id
    from {{ ref('dispositivo_vigencia') }} as v
    -- The unit's newest published row; a device of an unknown unit has no class.
    left join lateral (
        select
            l.classe_consumo_id,
            l.subgrupo_tarifario_id
        from {{ ref('lead_bruto') }} as l
        where l.distribuidora_id = v.distribuidora_id and l.cod_id = v.cod_id
        order by l.ano desc
        limit 1
    ) as uc on true
    left join {{ ref('classe_consumo') }} as c on uc.classe_consumo_id = c.id
    -- Settings of a day to come are not yet the device's.
    where now() >= v.vigente_desde and now() < v.vigente_ate and v.municipio_id is not null

),

-- What the unit pays for a kWh at any hour: Grupo A and branca have no such price.
-- Where classes have their own, that of no class.
preco as (

    select
        a.dispositivo_id,
        c.mes,
        avg(t.brl_kwh)::double precision as brl_kwh
    from aparelho as a
    inner join {{ ref('consumo_dispositivo_mes') }} as c on a.dispositivo_id = c.dispositivo_id
    cross join
        lateral generate_series(
            c.mes, c.mes + interval '1 month' - interval '1 day', interval '1 day'
        ) as d (dia)
    cross join
        lateral (
            select (v.tusd_brl_kwh + v.te_brl_kwh)::numeric as brl_kwh
            from {{ ref('tarifa_vigente') }} as v
            where
                v.distribuidora_id = a.distribuidora_id
                and v.subgrupo_tarifario_id = a.subgrupo_tarifario_id
                and v.modalidade = 'convencional'
                and v.posto = 'unico'
                and v.grandeza = 'energia'
                and v.detalhe = 'nao se aplica'
                and v.acessante = 'nao se aplica'
                and d.dia >= v.inicio
                and d.dia <= coalesce(v.fim, d.dia)
            order by
                v.classe = 'nao se aplica' desc, v.subclasse = 'nao se aplica' desc,
                v.subclasse = v.classe desc, v.classe asc, v.subclasse asc
            limit 1
        ) as t
    group by a.dispositivo_id, c.mes
    -- A month that is not priced whole has no price.
    having count(*) = extract(day from c.mes + interval '1 month' - interval '1 day')

),

nova as (

    select
        distribuidora_id,
        max(ano) as ano
    from {{ ref('safra_publicada') }}
    group by distribuidora_id

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
    inner join nova as p on s.distribuidora_id = p.distribuidora_id and s.ano = p.ano
    where s.nivel = 'municipio_classe' and not s.suprimido

),

-- As resumo_classe_mes shows them, but of the leaves that serie is of: that rollup is refreshed after the
-- publication, and readers would see the new safra beside the old one.
{{ classes_mes_a_mes(
    ref('safra_classe_mes'), ref('safra_celula'),
    '(ano, distribuidora_id) in (select n.ano, n.distribuidora_id from nova as n)'
) }},

ponta as (

    select
        r.ano,
        r.distribuidora_id,
        c.grupo as classe,
        r.mes,
        sum(r.energia_ponta_kwh) / nullif(sum(r.energia_kwh), 0) as parte
    from resumo as r
    left join {{ ref('classe_consumo') }} as c on r.classe_consumo_id = c.id
    where not r.suprimido and r.energia_ponta_kwh is not null
    group by r.ano, r.distribuidora_id, c.grupo, r.mes

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
    c.energia_total_kwh * 100 / nullif(c.cobertura_pct, 0)
    * coalesce(preco.brl_kwh, c.custo_brl / nullif(c.energia_total_kwh, 0)) as custo_mes_brl,
    coalesce(preco.brl_kwh, c.custo_brl / nullif(c.energia_total_kwh, 0)) as preco_brl_kwh,
    case
        when preco.brl_kwh is not null then 'tarifa'
        when c.custo_brl is not null then 'dispositivo'
    end as preco_origem
from {{ ref('consumo_dispositivo_mes') }} as c
inner join aparelho as a on c.dispositivo_id = a.dispositivo_id
inner join perfil as p
    on a.municipio_id::text = p.municipio_id and extract(month from c.mes) = p.mes
left join preco on c.dispositivo_id = preco.dispositivo_id and c.mes = preco.mes
