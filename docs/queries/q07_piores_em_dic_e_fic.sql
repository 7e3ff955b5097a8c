-- 7. Os conjuntos que mais ficam sem energia, e em cada um as cinco unidades de pessoas jurídicas mais longe da mediana.
-- Mais horas que o ano tem é erro do arquivo: fica fora das médias, e `leads_dic_impossivel` o conta.
with conjuntos as (
    select
        distribuidora_id,
        distribuidora,
        ano,
        conjunto_id,
        conjunto,
        media_dic_anual_h,
        media_fic_anual,
        dic_mediana_conjunto_h,
        leads_dic_impossivel,
        rank() over (partition by ano order by media_dic_anual_h desc nulls last) as lugar
    from marts.resumo_conjunto
    where not suprimido
),

unidades as (
    select
        distribuidora_id,
        ano,
        conjunto_id,
        cod_id,
        dic_anual_h,
        fic_anual,
        dic_anual_h / nullif(dic_mediana_conjunto_h, 0) as vezes_a_mediana,
        row_number() over (
            partition by distribuidora_id, ano, conjunto_id
            order by dic_anual_h desc, fic_anual desc nulls last, cod_id asc
        ) as lugar
    from marts.mart_lead
    where dic_anual_h between 0 and 8784
)

select
    c.ano,
    c.lugar,
    c.distribuidora,
    c.conjunto,
    c.media_dic_anual_h,
    c.media_fic_anual,
    c.dic_mediana_conjunto_h,
    c.leads_dic_impossivel,
    u.cod_id,
    u.dic_anual_h,
    u.fic_anual,
    u.vezes_a_mediana
from conjuntos as c
left join unidades as u
    on
        c.distribuidora_id = u.distribuidora_id
        and c.ano = u.ano
        and c.conjunto_id = u.conjunto_id
        and u.lugar <= 5
where c.lugar <= 20
order by c.ano desc, c.lugar, c.distribuidora, c.conjunto, u.lugar;
