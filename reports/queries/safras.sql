select
    distribuidora_id,
    ano,
    distribuidora,
    publicada_em,
    ano = max(ano) over (partition by distribuidora_id) as newest
from marts.safra_publicada
order by distribuidora, distribuidora_id, ano
