select
    ano,
    distribuidora_id,
    import_id,
    linha,
    {{ texto('cod_id') }} as tipo_curva_carga,
    {{ texto('tip_dia') }} as tipo_dia,
    {{ vetor('pot', 96) }} as potencia
from {{ source('raw', 'crvcrg') }}
