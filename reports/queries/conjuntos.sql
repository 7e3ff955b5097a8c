select
    conjunto_id,
    conjunto,
    suprimido,
    quantidade_leads,
    media_dic_anual_h,
    dic_mediana_conjunto_h,
    dec_limite_h,
    media_fic_anual,
    fic_mediana_conjunto,
    fec_limite,
    leads_dic_impossivel,
    leads_fic_impossivel
from marts.resumo_conjunto
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
order by media_dic_anual_h desc nulls last, conjunto asc, conjunto_id asc
