select
    oferta,
    motivo,
    count(*) as unidades
from marts.lead_excluido as e
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and (%(ofertas)s::text[] is null or oferta = any(%(ofertas)s::text[]))
    and (%(municipios)s::integer[] is null or e.uc_id in (
        select l.uc_id from marts.lead_com_coordenadas as l
        where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
            and l.municipio_id = any(%(municipios)s::integer[])
    ))
group by oferta, motivo
order by count(*) desc, oferta, motivo asc
