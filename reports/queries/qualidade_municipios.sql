-- The chosen municípios in the columns of conjuntos.sql.
select
    municipio_id as conjunto_id,
    municipio as conjunto,
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
from marts.resumo_municipio
where ano = %(ano)s and municipio_id = any(%(municipios)s::integer[])
order by media_dic_anual_h desc nulls last, municipio asc, municipio_id asc
