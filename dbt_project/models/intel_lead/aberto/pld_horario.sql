select distinct on (hora, submercado)
    hora,
    submercado,
    pld_brl_mwh
from {{ ref('stg_aberto_pld') }}
where hora is not null and submercado is not null and pld_brl_mwh is not null
order by hora asc, submercado asc, arquivo_id desc, linha desc
