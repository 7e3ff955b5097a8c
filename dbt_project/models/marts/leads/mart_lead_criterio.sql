{{ config(safra_pai='lead_bruto') }}
{%- set celula = 'ano, distribuidora_id, oferta, criterio_id, grupo_comparacao' %}
{#- Two sums of the same months may differ in their last digit, and are equal all the same. #}
{%- set comparado = 'round(valor::numeric, 6)' %}

with leads as (
    select * from {{ ref('lead_mercado') }}
),

ofertas as (
    select * from {{ ref('mart_lead_oferta') }}
),

elegiveis as (
    select * from {{ ref('lead_elegivel') }}
    where motivo is null
),

pesos as (
    select
        p.oferta_id,
        p.criterio_id,
        p.peso,
        p.direcao,
        c.unidade
    from {{ ref('peso_criterio') }} as p
    inner join {{ ref('criterio') }} as c on p.criterio_id = c.id
),

valores as (
    select
        e.uc_id,
        e.ano,
        e.distribuidora_id,
        e.oferta,
        e.grupo_comparacao,
        p.criterio_id,
        p.peso,
        p.direcao,
        p.unidade,
        case p.criterio_id
            when 'energia_anual_kwh' then l.energia_anual_kwh
            when 'demanda_contratada_kw' then nullif(l.demanda_contratada_kw, 0)
            when 'demanda_maxima_kw' then l.demanda_maxima_kw
            when 'energia_ponta_kwh' then l.energia_ponta_kwh
            when 'participacao_ponta' then l.participacao_ponta
            -- Above 1, energy and demand are not of the same unit.
            when 'fator_carga' then case when l.fator_carga <= 1 then l.fator_carga end
            when 'razao_demanda' then l.razao_demanda
            when 'sazonalidade' then l.sazonalidade
            when 'dic_anual_h' then l.dic_anual_h
            when 'fic_anual' then l.fic_anual
            when 'dic_sobre_conjunto'
                then
                    case
                        when l.dic_mediana_conjunto_h > 0 then l.dic_anual_h / l.dic_mediana_conjunto_h
                    end
            when 'criticidade' then l.criticidade
            when 'energia_sobre_pares' then l.energia_anual_kwh / l.energia_mediana_pares_kwh
            when 'segmento_industrial' then (l.segmento_mercado_id = 'INDUSTRIA')::integer
            when 'geracao_propria' then l.possui_geracao::integer
            -- Rounded, so that it does not tell which units share a transformer.
            when 'carregamento_rede'
                then round(coalesce(t.carregamento_maximo, t.carregamento_medio)::numeric, 2)
            when 'economia_brl_ano' then o.economia_brl_ano
            when 'area_estrategica' then l.area_estrategica::integer
            when 'inadimplencia_pct' then l.inadimplencia_pct
        end as valor
    from elegiveis as e
    inner join leads as l on e.uc_id = l.uc_id
    inner join ofertas as o on e.uc_id = o.uc_id and e.oferta = o.oferta
    inner join pesos as p on e.oferta = p.oferta_id
    -- As shown to readers: what a small cell hides is not told by a score.
    left join {{ ref('mart_transformador') }} as t
        on
            l.ano = t.ano
            and l.distribuidora_id = t.distribuidora_id
            and l.transformador = t.transformador
),

-- Percentile rank inside the group: the share below, and half of the equal. What is missing ranks nowhere.
postos as (
    select
        *,
        (
            rank() over (partition by {{ celula }} order by {{ comparado }}) - 1
            + count(*) over (partition by {{ celula }}, {{ comparado }}) / 2.0
        ) / nullif(count(valor) over (partition by {{ celula }}), 0) as percentil
    from valores
),

normalizados as (
    select
        *,
        case
            when valor is null then 0
            when direcao = 'menor' then 1 - percentil
            else percentil
        end as valor_normalizado
    from postos
)

select
    uc_id,
    valor,
    valor_normalizado::double precision as valor_normalizado,
    peso,
    round((100 * peso * valor_normalizado)::numeric, 6)::numeric(9, 6) as contribuicao,
    distribuidora_id,
    ano,
    oferta,
    criterio_id as criterio,
    unidade
from normalizados
