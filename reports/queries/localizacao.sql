-- Legal persons' units: where each one's place comes from.
select
    count(*) as unidades,
    count(*) filter (where origem_coordenada = 'uc') as propria,
    count(*) filter (where origem_coordenada = 'ponto_notavel') as ponto_notavel,
    count(*) filter (where origem_coordenada = 'municipio') as municipio,
    (
        select count(distinct s.uc_id) from marts.mart_lead_score as s
        where s.ano = %(ano)s and s.distribuidora_id = %(distribuidora_id)s
    ) as com_oferta
from marts.lead_com_coordenadas
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
