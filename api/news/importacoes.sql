-- Files whose latest try failed, one row a file: a later one that landed takes the failure back.
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
    array_agg(camada order by camada) as camadas,
    max(distribuidora_id) as distribuidora_id,
    max(ano) as ano,
    max(data_inicio) as data_inicio,
    string_agg(distinct erro, '; ') as erro,
    count(*) over () as total
from ultimas
where status = 'failed' and data_inicio > %(desde)s
group by arquivo
order by data_inicio desc, arquivo
limit %(limite)s
