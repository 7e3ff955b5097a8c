select
    quantidade_leads,
    energia_anual_kwh,
    leads_livres,
    leads_com_geracao,
    suprimido
from marts.resumo_distribuidora
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
