select
    s.oferta,
    s.posicao,
    s.score,
    s.grupo_comparacao,
    s.motivo_1,
    s.motivo_2,
    s.motivo_3,
    l.cod_id,
    l.origem::text as origem,
    l.municipio,
    l.uf,
    l.bairro,
    l.cep,
    l.segmento_mercado,
    l.cnae,
    l.energia_anual_kwh,
    l.demanda_contratada_kw,
    l.circuito,
    l.latitude,
    l.longitude,
    o.via,
    o.potencia_kw,
    o.capacidade_kwh
from marts.mart_lead_score as s
inner join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)
left join marts.mart_lead_oferta as o using (uc_id, ano, distribuidora_id, oferta)
where s.ano = %(ano)s and s.distribuidora_id = %(distribuidora_id)s
    and s.posicao <= %(leads)s
order by s.oferta asc, s.posicao asc, l.energia_anual_kwh desc nulls last, l.cod_id asc
