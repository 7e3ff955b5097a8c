select
    concat(distribuidora_id, '-', ano) as safra,
    distribuidora_id,
    ano,
    distribuidora,
    publicada_em,
    count(*) over () as total
from marts.safra_publicada
where publicada_em > %(desde)s
order by publicada_em desc, distribuidora_id, ano
limit %(limite)s
