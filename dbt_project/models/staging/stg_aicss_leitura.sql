select
    leitura_id,
    dispositivo_id,
    medido_em,
    luz,
    nullif(distancia_cm, 0) as distancia_cm,
    distancia_cm = 0 as sem_eco,
    consumo_interno,
    consumo_externo,
    temperatura as temperatura_c,
    movimento,
    energia_economizada_kwh,
    'luz' = any(fora_da_faixa) as luz_fora_da_faixa,
    'distancia_cm' = any(fora_da_faixa) as distancia_fora_da_faixa,
    origem_horario,
    ressalva_horario,
    recebido_em
from {{ source('aicss', 'aicss_leitura') }}
