select
    tipo,
    codigo,
    nome,
    geom::text as geom
from marts.mart_contorno
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
order by tipo, codigo
