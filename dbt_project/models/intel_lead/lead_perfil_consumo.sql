{{ config(safra_pai='lead_bruto') }}

with unidades as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        {{ grupo_do_perfil('l.origem', 'c.grupo') }} as grupo,
        p.energia_anual_kwh,
        case when p.energia_anual_kwh > 0 then {{ medidas_da_unidade('p') }} end as medidas
    from {{ ref('lead_bruto') }} as l
    inner join {{ ref('lead_perfil') }} as p on l.uc_id = p.uc_id
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    -- Measured once, not once per centre.
    offset 0 -- noqa: AM09
),

proximos as (
    select
        u.uc_id,
        u.ano,
        u.distribuidora_id,
        u.grupo,
        u.energia_anual_kwh,
        u.medidas,
        d.perfil_id,
        d.distancia,
        d.distancia_do_segundo
    from unidades as u
    left join
        lateral (
            select
                (array_agg(d.perfil_id order by d.distancia, d.perfil_id))[1] as perfil_id,
                min(d.distancia) as distancia,
                (array_agg(d.distancia order by d.distancia))[2] as distancia_do_segundo
            from (
                select
                    k.perfil_id,
                    {{ distancia_do_centro('u.medidas', 'k') }} as distancia
                from {{ ref('perfil_centro') }} as k
                where k.grupo = u.grupo and k.nivel is not null and u.medidas is not null
            ) as d
        ) as d
        on true
)

select
    uc_id,
    case when distancia_do_segundo > 0 then 1 - distancia / distancia_do_segundo end as silhueta,
    distribuidora_id,
    ano,
    case
        when grupo is null or energia_anual_kwh is null then 'sem_dados'
        when energia_anual_kwh <= 0 then grupo || '_sem_consumo'
        else perfil_id
    end as perfil_id,
    medidas
from proximos
