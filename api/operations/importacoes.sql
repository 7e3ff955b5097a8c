select
    import_id,
    distribuidora_id,
    ano,
    camada::text as camada,
    status::text as status,
    arquivo,
    linhas_processadas,
    linhas_rejeitadas,
    data_inicio,
    data_fim,
    observacoes,
    erro
from intel_lead.import_status
where %(status)s::text is null or status::text = %(status)s
order by import_id desc
limit %(limite)s
