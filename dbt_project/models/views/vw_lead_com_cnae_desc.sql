-- depends_on: {{ ref('safra_publicada') }}
select
    l.uc_id,
    l.ano,
    l.distribuidora_id,
    l.origem,
    l.cod_id,
    l.cnae_id,
    c.codigo_formatado as cnae_codigo,
    c.descricao as cnae_descricao,
    c.divisao_id as cnae_divisao_id,
    s.id as segmento_mercado_id,
    s.descricao as segmento_mercado
from {{ ref('lead_bruto') }} as l
left join {{ ref('cnae') }} as c on l.cnae_id = c.id
left join {{ ref('segmento_mercado') }} as s on l.segmento_mercado_id = s.id
