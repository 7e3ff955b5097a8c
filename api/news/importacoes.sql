-- Files whose latest try failed: a later one that landed takes the failure back.
with ultimas as (
    select distinct on (arquivo, camada)
        arquivo,
        camada::text as camada,
        distribuidora_id,
        ano,
        status::text as status,
        data_inicio,
        erro
    from intel_lead.import_status
    order by arquivo asc, camada asc, import_id desc
)

select
    arquivo,
    camada,
    distribuidora_id,
    ano,
    data_inicio,
    erro,
    count(*) over () as total
from ultimas
where status = 'failed' and data_inicio > %(desde)s
order by data_inicio desc, arquivo, camada
limit %(limite)s
