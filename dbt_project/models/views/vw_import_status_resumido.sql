with execucoes as (
    select
        *,
        row_number() over (partition by distribuidora_id, ano, camada order by import_id desc) as ordem
    from {{ source('controle', 'import_status') }}
)

select
    e.distribuidora_id,
    d.nome as distribuidora,
    e.ano,
    e.camada,
    e.status,
    e.linhas_processadas,
    e.linhas_rejeitadas,
    e.data_inicio,
    e.data_fim,
    e.data_fim - e.data_inicio as duracao,
    e.arquivo,
    nullif(concat_ws(
        '; ', coalesce(e.erro, e.observacoes), 'safra removida em ' || to_char(e.removida_em, 'DD/MM/YYYY')
    ), '') as mensagem,
    p.publicada_em
from execucoes as e
left join {{ ref('distribuidora') }} as d on e.distribuidora_id = d.id
left join {{ ref('safra_publicada') }} as p
    on e.ano = p.ano
        and e.distribuidora_id = p.distribuidora_id
where e.ordem = 1
