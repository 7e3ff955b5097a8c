select
    ano,
    distribuidora_id,
    import_id,
    linha,
    {{ codigo_rede('cod_id') }} as transformador,
    {{ codigo_rede('ctmt') }} as circuito,
    {{ codigo_rede('sub') }} as subestacao,
    nullif(conj, 0) as conjunto_id,
    {{ texto('mun') }} as mun,
    {{ texto('sit_ativ') }} as sit_ativ,
    {{ data_br('dat_con') }} as data_conexao,
    nullif(pot_nom, 0) as potencia_kva,
    {{ texto('pot_nom_codigo') }} as pot_nom_codigo,
    per_fer as perda_ferro_w,
    per_tot as perda_total_w,
    {{ coordenada('point_y') }} as latitude,
    {{ coordenada('point_x') }} as longitude
from {{ source('raw', 'untrmt') }}
