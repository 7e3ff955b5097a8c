-- 10. Os transformadores perto do limite, com a geração e os leads que têm. Os de poucas unidades, se há pessoas
-- físicas, não mostram carregamento.
select
    codigo as transformador,
    circuito,
    carregamento_maximo,
    carregamento_medio,
    geradoras,
    gd_kw,
    leads
from marts.mart_gtd_rede
where tipo = 'transformador' and perto_do_limite
order by carregamento_maximo desc nulls last, distribuidora_id, ano, codigo;
