-- Held ones first. Which are published, marts say.
select
    concat(distribuidora_id, '-', ano) as safra,
    distribuidora_id,
    ano,
    importada_em,
    retida,
    motivo_retencao,
    (
        select i.arquivo
        from intel_lead.import_status as i
        where i.import_id = s.import_id
    ) as arquivo,
    (
        select coalesce(jsonb_agg(jsonb_build_object('id', a ->> 'id', 'texto', a ->> 'texto')), '[]')
        from jsonb_array_elements(achados) as a
    ) as achados
from controle.safra_importada as s
order by retida desc, importada_em desc, distribuidora_id, ano
