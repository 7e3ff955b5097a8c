select distinct on (competencia)
    competencia,
    bandeira,
    adicional_brl_mwh
from {{ ref('stg_aberto_bandeiras') }}
where competencia is not null
order by competencia asc, arquivo_id desc, linha desc
