select
    concat_ws('-', a.distribuidora_id, a.ano, a.circuito) as id,
    a.distribuidora_id,
    a.ano,
    a.circuito,
    a.nome,
    a.subestacao,
    a.perdas_pct,
    a.situacao,
    a.geom
from marts.mart_alimentador_mapa as a
where
    a.zoom_minimo = 14
    and not exists (
        select from marts.safra_publicada as s
        where a.distribuidora_id = s.distribuidora_id and a.ano < s.ano
    )
