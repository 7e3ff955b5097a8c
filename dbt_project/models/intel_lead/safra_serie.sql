{%- set safra = ['ano', 'distribuidora_id'] %}
{%- set chaves = safra + ['nivel', 'serie_id'] %}

-- The series that are forecast, a row each: 500 k units are 500 k rows of twelve months, not 6 M.
with leads as (
    select
        l.ano,
        l.distribuidora_id,
        l.municipio_id,
        coalesce(c.grupo, 'não informado') as classe,
        coalesce(l.conjunto_id::text, 'não informado') as conjunto,
        coalesce({{ segmento_da_unidade() }}, 'não informado') as segmento,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica,
        p.energia_mes,
        p.energia_anual_kwh
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    left join {{ ref('classe_segmento') }} as cs on l.classe_consumo_id = cs.classe_consumo_id
    left join {{ ref('lead_empresa') }} as em on l.uc_id = em.uc_id and em.preenche_cnae and l.cnae_id is null
    left join {{ ref('cnae') }} as ce on em.cnae_id = ce.id
    inner join {{ ref('lead_perfil') }} as p on l.uc_id = p.uc_id
),

series as (
    select
        ano,
        distribuidora_id,
        case
            when grouping(classe) = 0 then 'municipio_classe'
            when grouping(conjunto) = 0 then 'conjunto'
            when grouping(segmento) = 0 then 'segmento'
            else 'distribuidora'
        end as nivel,
        case
            when grouping(classe) = 0 then coalesce(municipio_id::text, 'não informado') || '|' || classe
            when grouping(conjunto) = 0 then conjunto
            when grouping(segmento) = 0 then segmento
            else distribuidora_id::text
        end as serie_id,
        municipio_id,
        classe,
        count(*) as quantidade_leads,
        count(*) filter (where pessoa_fisica) as leads_pf,
        sum(energia_anual_kwh) as energia_anual_kwh,
        max(energia_anual_kwh) as maior_energia_anual_kwh,
        sum(energia_anual_kwh) filter (where pessoa_fisica) as energia_pf_kwh,
        max(energia_anual_kwh) filter (where pessoa_fisica) as maior_energia_pf_kwh,
        {{ soma_vetor('energia_mes', 'count') }} as unidades_mes,
        {{ soma_vetor('energia_mes', 'count', 'pessoa_fisica') }} as unidades_pf_mes,
        {{ soma_vetor('energia_mes') }} as energia_mes,
        {{ soma_vetor('energia_mes', 'max') }} as maior_mes,
        {{ soma_vetor('energia_mes', 'sum', 'pessoa_fisica') }} as energia_pf_mes,
        {{ soma_vetor('energia_mes', 'max', 'pessoa_fisica') }} as maior_pf_mes
    from leads
    group by grouping sets (
        (ano, distribuidora_id),
        (ano, distribuidora_id, municipio_id, classe),
        (ano, distribuidora_id, conjunto),
        (ano, distribuidora_id, segmento)
    )
),

-- The year stands as month 0: what is hidden of one month is hidden of all, or the year would give it away.
meses as (
    select
        {{ ', '.join(chaves) }},
        municipio_id,
        classe,
        0 as mes,
        quantidade_leads as leads,
        leads_pf,
        energia_anual_kwh as energia,
        maior_energia_anual_kwh as maior,
        energia_pf_kwh as energia_pf,
        maior_energia_pf_kwh as maior_pf
    from series
    union all
    select
        {{ 's.' ~ ', s.'.join(chaves) }},
        s.municipio_id,
        s.classe,
        m.mes,
        m.leads,
        m.leads_pf,
        m.energia,
        m.maior,
        m.energia_pf,
        m.maior_pf
    from series as s
    cross join
        lateral unnest(
            s.unidades_mes, s.unidades_pf_mes, s.energia_mes, s.maior_mes, s.energia_pf_mes, s.maior_pf_mes
        )
        with ordinality as m (leads, leads_pf, energia, maior, energia_pf, maior_pf, mes)
    where m.leads > 0
),

-- Whole parts of the distributor.
areas as (
    select
        *,
        {{ pequena_de() }} as pequena
    from meses
    where nivel <> 'municipio_classe'
),

{{ esconde_complementos('areas', total=safra + ['nivel', 'mes'], parte='serie_id', nome='areas_ocultas') }},

-- A município that the rollups hide must not come back as the sum of its classes.
municipios as (
    select
        *,
        {{ pequena_de() }} as pequena
    from (
        select
            {{ ', '.join(safra) }},
            municipio_id,
            mes,
            sum(leads) as leads,
            sum(leads_pf) as leads_pf,
            sum(energia) as energia,
            max(maior) as maior,
            sum(energia_pf) as energia_pf,
            max(maior_pf) as maior_pf
        from meses
        where nivel = 'municipio_classe'
        group by {{ ', '.join(safra) }}, municipio_id, mes
    ) as m
),

{{ esconde_complementos(
    'municipios', total=safra + ['mes'], parte='municipio_id', nome='municipios_ocultos'
) }},

municipios_escondidos as (
    select
        {{ ', '.join(safra) }},
        municipio_id,
        bool_or(oculta) as oculto
    from municipios_ocultos
    group by {{ ', '.join(safra) }}, municipio_id
),

partes_1 as (
    select
        m.*,
        {{ pequena_de() }} or (m.leads_pf > 0 and coalesce(o.oculto, false)) as pequena
    from meses as m
    left join municipios_escondidos as o on {{ mesma_chave('m', 'o', safra + ['municipio_id']) }}
    where m.nivel = 'municipio_classe'
),

{{ esconde_complementos(
    'partes_1', total=safra + ['municipio_id', 'mes'], parte='serie_id', nome='do_municipio'
) }},

-- The later totals know what the earlier ones hid.
partes_2 as (
    select
        m.*,
        coalesce(o.oculta, false) as pequena
    from meses as m
    left join do_municipio as o on {{ mesma_chave('m', 'o', chaves + ['mes']) }}
    where m.nivel = 'municipio_classe'
),

{{ esconde_complementos('partes_2', total=safra + ['classe', 'mes'], parte='serie_id', nome='da_classe') }},

partes_3 as (
    select
        m.*,
        coalesce(o.oculta, false) as pequena
    from meses as m
    left join da_classe as o on {{ mesma_chave('m', 'o', chaves + ['mes']) }}
    where m.nivel = 'municipio_classe'
),

{{ esconde_complementos('partes_3', total=safra + ['mes'], parte='serie_id', nome='da_distribuidora') }},

escondidas as (
    select
        {{ ', '.join(chaves) }},
        bool_or(oculta) as oculta
    from (
        select
            {{ ', '.join(chaves) }},
            oculta
        from areas_ocultas
        union all
        select
            {{ ', '.join(chaves) }},
            oculta
        from da_distribuidora
    ) as o
    group by {{ ', '.join(chaves) }}
)

select
    s.quantidade_leads,
    s.leads_pf,
    s.distribuidora_id,
    s.ano,
    coalesce(o.oculta, false) as suprimido,
    s.nivel,
    s.serie_id,
    s.energia_mes
from series as s
left join escondidas as o on {{ mesma_chave('s', 'o', chaves) }}
