select
    tipo,
    codigo,
    nome,
    geom::text as geom
from marts.mart_contorno
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and (
        %(municipios)s::integer[] is null
        or tipo = 'municipio' and codigo = any(%(municipios)s::integer[]::text[])
    )
order by tipo, codigo
