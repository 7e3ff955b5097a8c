select
    distribuidora_id,
    ano,
    distribuidora,
    publicada_em,
    ano = max(ano) over (partition by distribuidora_id) as mais_nova
from marts.safra_publicada
order by distribuidora, distribuidora_id, ano
