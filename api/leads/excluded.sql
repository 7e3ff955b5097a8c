-- How many units of the newest safras an offer is not made to, and why.
select
    x.oferta,
    x.motivo,
    count(*) as unidades
from marts.lead_excluido as x
inner join (
    select
        distribuidora_id,
        max(ano) as ano
    from marts.safra_publicada
    group by distribuidora_id
) as s on x.distribuidora_id = s.distribuidora_id and x.ano = s.ano
where x.oferta = %(oferta)s
group by x.oferta, x.motivo
order by unidades desc, x.motivo
