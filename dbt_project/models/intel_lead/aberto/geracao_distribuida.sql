{{ config(indexes=[{'columns': ['distribuidora_id']}]) }}

with {{ codigos_dos_municipios() }},

empreendimentos as (
    select distinct on (ceg_gd) *
    from {{ ref('stg_aberto_geracao_distribuida') }}
    where ceg_gd is not null
    order by ceg_gd asc, arquivo_id desc, linha desc
),

{{ chaves_dos_agentes() }}

select
    e.ceg_gd,
    e.sig_agente,
    e.cnpj,
    m.municipio_id,
    e.classe,
    e.subgrupo,
    e.tipo_consumidor,
    e.modalidade,
    e.tipo_geracao,
    e.fonte,
    e.porte,
    e.potencia_kw,
    e.unidades_com_credito,
    e.atualizada_em,
    {{ distribuidora_do_agente() }} as distribuidora_id
from empreendimentos as e
left join codigos as m on e.codigo_municipio = m.codigo
{{ junta_agente('e') }}
