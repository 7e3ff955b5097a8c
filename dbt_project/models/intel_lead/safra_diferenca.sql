{#- Of the vintage with fewer units, the share that must be found in the other: codes may be made anew. #}
{%- set parte_comum = 0.1 %}

with agora as (
    select
        l.cod_id,
        l.origem,
        l.municipio_id,
        l.classe_consumo_id,
        m.demanda_contratada_kw,
        case when m.uc_id is not null then coalesce(m.energia_anual_kwh, 0) end as kwh,
        row_number() over (partition by l.cod_id order by l.origem) as vez
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('lead_mercado') }} as m on l.uc_id = m.uc_id
    -- A file without COD_ID numbers its rows: the same number is no unit's.
    where l.chave_origem = 'cod_id'
),

antes as (
    select
        l.ano,
        l.cod_id,
        l.origem,
        l.municipio_id,
        l.classe_consumo_id,
        m.demanda_contratada_kw,
        case when m.uc_id is not null then coalesce(m.energia_anual_kwh, 0) end as kwh,
        row_number() over (partition by l.cod_id order by l.origem) as vez
    from {{ source('publicado', 'lead_bruto_anterior') }} as l
    left join {{ source('publicado', 'lead_mercado_anterior') }} as m on l.uc_id = m.uc_id
    where l.chave_origem = 'cod_id'
),

-- Nearly every COD_ID is in one layer; one that is in two is compared first with first, second with second.
pares as (
    select
        coalesce(n.municipio_id, a.municipio_id) as municipio_id,
        n.cod_id is not null as existe,
        a.cod_id is not null as existia,
        n.origem <> a.origem as outra_camada,
        coalesce(n.classe_consumo_id, '') <> coalesce(a.classe_consumo_id, '') as outra_classe,
        coalesce(n.municipio_id, 0) <> coalesce(a.municipio_id, 0) as outro_municipio,
        n.demanda_contratada_kw as demanda,
        a.demanda_contratada_kw as demanda_antes,
        n.kwh,
        a.kwh as kwh_antes
    from agora as n
    full outer join antes as a on n.cod_id = a.cod_id and n.vez = a.vez
),

safras as (
    select
        (select max(ano) from {{ ref('lead_bruto') }}) as ano,
        (select max(distribuidora_id) from {{ ref('lead_bruto') }}) as distribuidora_id,
        (select max(ano) from antes) as ano_de
),

comparavel as (
    select
        count(*) filter (where existe and existia) > 0
        and count(*) filter (where existe and existia)
        >= {{ parte_comum }} * least(count(*) filter (where existe), count(*) filter (where existia)) as sim
    from pares
)

select
    count(*) filter (where p.existia) as unidades_antes,
    count(*) filter (where p.existe) as unidades,
    count(*) filter (where p.existe and not p.existia) as novas,
    count(*) filter (where p.existia and not p.existe) as sumiram,
    count(*) filter (where p.existe and p.existia and p.outra_camada) as mudaram_camada,
    count(*) filter (where p.existe and p.existia and p.outra_classe) as mudaram_classe,
    count(*) filter (where p.existe and p.existia and p.outro_municipio) as mudaram_municipio,
    count(*) filter (where p.demanda > p.demanda_antes) as subiram_demanda,
    count(*) filter (where p.demanda < p.demanda_antes) as baixaram_demanda,
    coalesce(sum(p.demanda) filter (where p.demanda_antes is not null), 0) as demanda_contratada_kw,
    coalesce(sum(p.demanda_antes) filter (where p.demanda is not null), 0) as demanda_contratada_antes_kw,
    coalesce(sum(p.kwh_antes), 0) as energia_antes_kwh,
    coalesce(sum(p.kwh), 0) as energia_kwh,
    coalesce(sum(p.kwh) filter (where p.kwh_antes is null), 0) as energia_novas_kwh,
    coalesce(sum(p.kwh_antes) filter (where p.kwh is null), 0) as energia_sumiram_kwh,
    coalesce(sum(p.kwh - p.kwh_antes) filter (where p.kwh > p.kwh_antes), 0) as energia_subiu_kwh,
    coalesce(sum(p.kwh_antes - p.kwh) filter (where p.kwh < p.kwh_antes), 0) as energia_caiu_kwh,
    s.distribuidora_id,
    p.municipio_id,
    s.ano,
    s.ano_de
from pares as p
cross join safras as s
cross join comparavel as c
where c.sim
group by s.distribuidora_id, s.ano, s.ano_de, p.municipio_id
