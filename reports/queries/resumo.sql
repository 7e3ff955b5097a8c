select *
from marts.resumo_distribuidora
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
