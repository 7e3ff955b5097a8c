select
    item,
    declarada_kwh,
    somada_kwh,
    diferenca_pct,
    situacao,
    suprimido
from marts.mart_balanco_distribuidora
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
order by item
