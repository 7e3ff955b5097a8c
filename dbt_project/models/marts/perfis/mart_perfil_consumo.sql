{%- set chaves = ['ano', 'distribuidora_id', 'grupo', 'perfil_id'] %}
{%- set medidas = [
    'quantidade_leads', 'energia_anual_kwh', 'media_kwh_mes', 'media_sazonalidade', 'participacao_verao',
    'participacao_ponta', 'media_fator_carga', 'silhueta'
] %}
with unidades as (
    select
        f.ano,
        f.distribuidora_id,
        k.grupo,
        f.perfil_id,
        k.perfil,
        f.silhueta,
        p.energia_anual_kwh,
        p.energia_ponta_kwh,
        case when p.energia_ponta_kwh is not null then p.energia_anual_kwh end as energia_com_ponta_kwh,
        p.sazonalidade,
        case when p.fator_carga <= 1 then p.fator_carga end as fator_carga,
        case
            when p.energia_anual_kwh > 0
                then p.energia_anual_kwh * {{ participacao_verao('p.energia_mes', 'p.energia_anual_kwh') }}
        end as energia_verao_kwh,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica
    from {{ ref('lead_perfil_consumo') }} as f
    inner join {{ ref('lead_perfil') }} as p on f.uc_id = p.uc_id
    inner join {{ ref('lead_bruto') }} as l on f.uc_id = l.uc_id
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    inner join {{ ref('perfil_centro') }} as k on f.perfil_id = k.perfil_id
),

celulas as (
    select
        ano,
        distribuidora_id,
        grupo,
        perfil_id,
        perfil,
        count(*) as leads,
        count(*) filter (where pessoa_fisica) as leads_pf,
        sum(energia_anual_kwh) as energia,
        max(energia_anual_kwh) as maior,
        sum(energia_anual_kwh) filter (where pessoa_fisica) as energia_pf,
        max(energia_anual_kwh) filter (where pessoa_fisica) as maior_pf,
        count(*) as quantidade_leads,
        sum(energia_anual_kwh) as energia_anual_kwh,
        avg(energia_anual_kwh) / 12 as media_kwh_mes,
        avg(sazonalidade) as media_sazonalidade,
        sum(energia_verao_kwh) / nullif(sum(energia_anual_kwh), 0) as participacao_verao,
        sum(energia_ponta_kwh) / nullif(sum(energia_com_ponta_kwh), 0) as participacao_ponta,
        avg(fator_carga) as media_fator_carga,
        avg(silhueta) as silhueta
    from unidades
    group by ano, distribuidora_id, grupo, perfil_id, perfil
),

-- A group's total stands in the rollups by class, and the distributor's in its own.
{{ esconde_em_totais(
    'celulas', chaves, [['ano', 'distribuidora_id', 'grupo'], ['ano', 'distribuidora_id']]
) }}

select
    {{ medidas_mostradas('c', 'o.oculta', medidas) }},
    c.distribuidora_id,
    c.ano,
    coalesce(o.oculta, false) as suprimido,
    c.perfil_id,
    c.perfil,
    c.grupo
from celulas as c
left join escondidas as o on {{ mesma_chave('c', 'o', chaves) }}
