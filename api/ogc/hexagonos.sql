select
    concat_ws('-', h.distribuidora_id, h.ano, h.tamanho_m, h.hexagono) as id,
    h.distribuidora_id,
    h.ano,
    h.tamanho_m,
    h.hexagono,
    h.quantidade_leads,
    h.energia_anual_kwh,
    h.media_dic_anual_h,
    h.leads_com_geracao,
    h.suprimido,
    h.geom
from marts.mart_hexagono as h
where
    not exists (
        select from marts.safra_publicada as s
        where h.distribuidora_id = s.distribuidora_id and h.ano < s.ano
    )
