select
    titulo,
    nivel,
    count(*) as alertas,
    min(aberto_em) as desde
from marts.mart_alerta
where aberto
    and (distribuidora_id = %(distribuidora_id)s or distribuidora_id is null)
    and (
        %(municipios)s::integer[] is null
        or nivel = 'municipio' and alvo = any(%(municipios)s::integer[]::text[])
        or nivel = 'uc' and alvo in (
            select concat(l.origem, '|', l.cod_id) from marts.lead_com_coordenadas as l
            where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
                and l.municipio_id = any(%(municipios)s::integer[])
        )
    )
group by titulo, nivel
order by count(*) desc, titulo, nivel asc
