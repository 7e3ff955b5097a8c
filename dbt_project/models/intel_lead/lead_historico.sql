{{ config(safra_pai='lead_bruto') }}

with
{% for camada in camadas_uc() %}
{{ camada | lower }} as (
    select
        {{ atributos_uc() }},
        {% if camada == 'UCAT' -%}
        array(
            select coalesce(p, 0) + coalesce(f, 0)
            from unnest({{ serie_anual(camada, 'energia_ponta') }}, {{ serie_anual(camada, 'energia_fora_ponta') }})
                as m (p, f)
        ) as energia
        {%- else -%}
        {{ serie_anual(camada, 'energia_total') }} as energia
        {%- endif %}
    from {{ ref('stg_' ~ camada | lower) }}
),
{% endfor %}

ucs as (
    {% for camada in camadas_uc() %}
    select * from {{ camada | lower }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

leads as (
    select * from {{ ref('lead_bruto') }}
),

superadas as (
    select u.*
    from ucs as u
    inner join leads as l
        on u.uc_id = l.uc_id
        and u.ano = l.ano
        and u.distribuidora_id = l.distribuidora_id
    where u.linha <> l.linha
)

select
    uc_id,
    linha,
    import_id,
    (select sum(e) from unnest(energia) as t (e)) as energia_total_kwh,
    carga_instalada_kw,
    pac,
    distribuidora_id,
    data_conexao,
    origem,
    ano,
    array(
        select mes::smallint from unnest(energia) with ordinality as t (e, mes) where e <> 0
    ) as meses_com_energia,
    cod_id,
    sit_ativ as situacao_uc,
    clas_sub as classe_consumo,
    gru_tar as subgrupo_tarifario,
    ten_forn as tensao_fornecimento,
    cnae
from superadas
