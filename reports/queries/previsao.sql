select
    competencia,
    media,
    inferior_80,
    superior_80,
    inferior_95,
    superior_95,
    modelo,
    treinado_ate
from marts.mart_previsao_energia
where distribuidora_id = %(distribuidora_id)s and nivel = 'distribuidora'
order by competencia
