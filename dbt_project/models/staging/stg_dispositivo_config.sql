select
    dispositivo_id,
    valido_de,
    nome,
    municipio_id,
    distribuidora_id,
    cod_id,
    potencia_interna_w,
    potencia_externa_w,
    limiar_luz,
    limiar_distancia_cm,
    periodo_s,
    tarifa_brl_kwh
from {{ source('app', 'dispositivo_config') }}
