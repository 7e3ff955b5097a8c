select
    ano,
    publicada_em
from marts.safra_publicada
where distribuidora_id = %(distribuidora_id)s
    and publicada_em >= %(inicio)s and publicada_em < %(fim)s
order by publicada_em, ano
