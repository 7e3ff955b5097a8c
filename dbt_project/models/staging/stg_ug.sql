{% for camada in ['UGAT', 'UGMT', 'UGBT'] %}
select
    ano,
    distribuidora_id,
    import_id,
    linha,
    '{{ camada }}' as origem,
    coalesce({{ texto('cod_id') }}, 'linha-' || linha) as cod_id,
    {{ texto('ceg_gd') }} as ceg_gd,
    {{ codigo_rede('ctat' if camada == 'UGAT' else 'ctmt') }} as circuito,
    {{ codigo_rede('uni_tr_mt') if camada == 'UGBT' else 'null::text' }} as transformador,
    {{ codigo_rede('sub') }} as subestacao,
    {{ codigo_rede('pn_con') }} as pn_con,
    nullif(conj, 0) as conjunto_id,
    {{ texto('mun') }} as mun,
    {{ texto('sit_ativ') }} as sit_ativ,
    {{ data_br('dat_con') }} as data_conexao,
    pot_inst as potencia_instalada_kw,
    {{ energia_injetada(camada) }} as energia
from {{ source('raw', camada | lower) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
