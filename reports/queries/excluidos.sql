select
    oferta,
    motivo,
    count(*) as unidades
from marts.lead_excluido
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
group by oferta, motivo
order by count(*) desc, oferta, motivo asc
