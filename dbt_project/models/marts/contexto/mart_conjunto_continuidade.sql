select
    c.conjunto_id,
    c.ano,
    c.nome,
    c.sig_agente,
    c.distribuidora_id,
    d.nome as distribuidora,
    c.meses,
    c.dec_h,
    c.dec_limite_h,
    case when c.meses = 12 then c.dec_h / nullif(c.dec_limite_h, 0) end as dec_sobre_limite,
    c.fec,
    c.fec_limite,
    case when c.meses = 12 then c.fec / nullif(c.fec_limite, 0) end as fec_sobre_limite,
    case
        when c.meses < 12 then 'ano incompleto'
        when c.dec_limite_h is null or c.fec_limite is null then 'sem limite'
        when c.dec_h > c.dec_limite_h and c.fec > c.fec_limite then 'acima nos dois'
        when c.dec_h > c.dec_limite_h then 'acima no DEC'
        when c.fec > c.fec_limite then 'acima no FEC'
        else 'dentro'
    end as situacao,
    r.quantidade_leads as bdgd_unidades,
    r.media_dic_anual_h as bdgd_media_dic_h,
    r.media_fic_anual as bdgd_media_fic
from {{ ref('continuidade_conjunto') }} as c
left join {{ ref('distribuidora') }} as d on c.distribuidora_id = d.id
left join {{ ref('resumo_conjunto') }} as r
    on c.conjunto_id = r.conjunto_id and c.ano = r.ano and c.distribuidora_id = r.distribuidora_id
