-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
with unidades as (
    select * from {{ ref('stg_ug') }}
),

municipios as (
    select * from {{ ref('municipio') }}
)

select
    u.linha,
    u.import_id,
    u.potencia_instalada_kw,
    {{ total_vetor('u.energia') }} as energia_anual_kwh,
    u.distribuidora_id,
    m.id as municipio_id,
    u.conjunto_id,
    u.data_conexao,
    u.ano,
    u.origem,
    u.cod_id,
    u.ceg_gd,
    u.sit_ativ as situacao_uc_id,
    u.subestacao,
    u.circuito,
    u.transformador,
    u.pn_con,
    u.energia as energia_mes
from unidades as u
left join municipios as m on u.mun = m.id::text
