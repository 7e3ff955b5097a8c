{{ config(safra_pai='lead_bruto') }}

-- Joined by the row's number and materialized, so that only the few rows that are left are normalised: in a
-- plain union, PostgreSQL does it in the scan, for all.
with
{% for camada in camadas_uc() %}
{{ camada | lower }} as materialized (
    select
        {{ atributos_uc('u') }},
        {{ energia_anual(camada) }}
    from {{ ref('stg_' ~ camada | lower) }} as u
    left join {{ ref('lead_bruto') }} as l
        on
            u.linha = l.linha
            and u.origem = l.origem
            and u.ano = l.ano
            and u.distribuidora_id = l.distribuidora_id
    where l.linha is null
),
{% endfor %}

superadas as (
    {% for camada in camadas_uc() %}
    select * from {{ camada | lower }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

energia as (
    select
        s.uc_id,
        s.linha,
        sum({{ energia_do_mes() }}) as total_kwh,
        coalesce(
            array_agg(m.mes::smallint order by m.mes) filter (where {{ energia_do_mes() }} <> 0), '{}'
        ) as meses
    from superadas as s,
        unnest(s.energia_total, s.energia_ponta, s.energia_fora_ponta)
        with ordinality as m (total, ponta, fora_ponta, mes)
    group by s.uc_id, s.linha
)

select
    s.uc_id,
    s.linha,
    s.import_id,
    e.total_kwh as energia_anual_kwh,
    s.carga_instalada_kw,
    s.pac,
    s.distribuidora_id,
    s.data_conexao,
    s.origem,
    s.ano,
    s.livre,
    e.meses as meses_com_energia,
    s.cod_id,
    s.sit_ativ as situacao_uc,
    s.clas_sub as classe_consumo,
    s.gru_tar as subgrupo_tarifario,
    s.ten_forn as tensao_fornecimento,
    s.cnae
from superadas as s
inner join energia as e on s.uc_id = e.uc_id and s.linha = e.linha
