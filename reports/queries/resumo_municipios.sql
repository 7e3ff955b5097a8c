-- The chosen municípios, all distributors of each: the sum of those that are shown.
select
    sum(quantidade_leads) filter (where not suprimido) as quantidade_leads,
    sum(energia_anual_kwh) filter (where not suprimido) as energia_anual_kwh,
    sum(leads_livres) filter (where not suprimido) as leads_livres,
    sum(leads_com_geracao) filter (where not suprimido) as leads_com_geracao,
    bool_and(suprimido) as suprimido,
    count(*) filter (where suprimido) as ocultos,
    string_agg(concat(municipio, ' (', uf, ')'), ', ' order by municipio, municipio_id) as nomes
from marts.resumo_municipio
where ano = %(ano)s and municipio_id = any(%(municipios)s::integer[])
