select
    posicao,
    circuito,
    nome,
    subestacao,
    situacao,
    suprimido,
    unidades,
    injetada_kwh,
    gerada_kwh,
    faturada_at_kwh,
    faturada_mt_kwh,
    faturada_bt_kwh,
    iluminacao_kwh,
    perdas_kwh,
    perdas_pct,
    tecnicas_declaradas_kwh,
    nao_tecnicas_declaradas_kwh
from marts.mart_perda_alimentador
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
order by posicao nulls last, circuito
