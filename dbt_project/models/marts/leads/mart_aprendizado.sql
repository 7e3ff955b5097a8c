{{ config(materialized='view') }}

select
    oferta,
    case when usado then 'aprendidos' else 'semente' end as origem_pesos,
    motivo,
    aprendido_em,
    resultados,
    leads,
    ganhos,
    sem_par,
    julgados,
    ganhos_julgados,
    julgado_desde,
    julgado_ate,
    auc_semente,
    auc_aprendidos,
    auc_ganho_minimo,
    precisao_media_semente,
    precisao_media_aprendidos,
    primeiro_decimo_semente,
    primeiro_decimo_aprendidos,
    brier_semente,
    brier_aprendidos,
    ganhos_esperados_semente,
    ganhos_esperados_aprendidos
from {{ source('aprendizado', 'aprendizado') }}
