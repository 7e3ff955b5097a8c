select distinct on (i.municipio_id)
    i.municipio_id,
    i.nome,
    i.regiao_imediata,
    i.regiao_intermediaria,
    i.microrregiao,
    i.mesorregiao
from {{ ref('stg_aberto_municipios') }} as i
inner join {{ ref('municipio') }} as m on i.municipio_id = m.id
order by i.municipio_id asc, i.arquivo_id desc, i.linha desc
