-- 7. Os conjuntos que mais ficam sem energia, e em cada um as cinco piores unidades de pessoas jurídicas, ao lado da
-- mediana e, com os dados abertos, do DEC e do seu limite. Mais horas que o ano tem é erro do arquivo: fica fora das médias, e `leads_dic_impossivel` o conta.
select
    c.ano,
    c.distribuidora,
    c.conjunto,
    c.media_dic_anual_h,
    c.media_fic_anual,
    c.dic_mediana_conjunto_h,
    c.fic_mediana_conjunto,
    c.dec_h,
    c.dec_limite_h,
    c.leads_dic_impossivel,
    u.cod_id,
    u.dic_anual_h,
    u.fic_anual
from marts.resumo_conjunto as c
left join
    lateral (
        select
            l.cod_id,
            l.dic_anual_h,
            l.fic_anual
        from marts.mart_lead as l
        where
            l.ano = c.ano
            and l.distribuidora_id = c.distribuidora_id
            and l.conjunto_id = c.conjunto_id
            and l.dic_anual_h between 0 and 8784
        order by l.dic_anual_h desc, l.fic_anual desc nulls last, l.cod_id
        limit 5
    ) as u on true
where not c.suprimido
order by c.ano desc, c.media_dic_anual_h desc nulls last, c.conjunto, u.dic_anual_h desc, u.cod_id;
