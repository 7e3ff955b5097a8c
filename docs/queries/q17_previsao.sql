-- 17. Quanto se prevê para os próximos meses da distribuidora e de cada segmento, com a faixa de 80 %, e quanto quem previu já errou.
select
    p.nivel,
    p.serie_id,
    p.competencia,
    p.media,
    p.inferior_80,
    p.superior_80,
    p.modelo,
    d.mase,
    d.mape
from marts.mart_previsao_energia as p
left join marts.mart_desempenho_modelo as d
    on
        p.distribuidora_id = d.distribuidora_id
        and p.nivel = d.nivel
        and p.serie_id = d.serie_id
        and p.modelo = d.modelo
        and d.tipo = 'previsao'
where p.distribuidora_id = 401 and p.nivel in ('distribuidora', 'segmento') and not p.suprimido
order by p.nivel, p.serie_id, p.competencia;
