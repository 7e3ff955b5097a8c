-- Legal persons' units: where each one's place comes from.
select
    count(*) as unidades,
    count(*) filter (where origem_coordenada = 'uc') as propria,
    count(*) filter (where origem_coordenada = 'ponto_notavel') as ponto_notavel,
    count(*) filter (where origem_coordenada = 'municipio') as municipio,
    (
        select count(distinct s.uc_id) from marts.mart_lead_score as s
        where s.ano = %(ano)s and s.distribuidora_id = %(distribuidora_id)s
            and (%(ofertas)s::text[] is null or s.oferta = any(%(ofertas)s::text[]))
            and (%(municipios)s::integer[] is null or s.uc_id in (
                select l.uc_id from marts.mart_lead_safra as l
                where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
                    and l.municipio_id = any(%(municipios)s::integer[])
            ))
    ) as com_oferta
from marts.lead_com_coordenadas
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and (%(municipios)s::integer[] is null or municipio_id = any(%(municipios)s::integer[]))
