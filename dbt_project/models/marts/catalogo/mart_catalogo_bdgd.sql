{{ config(materialized='view') }}

with base as (
    select *
    from {{ source('catalogo', 'catalogo_situacao') }}
    where tipo = 'geodatabase' and ano is not null
),

-- Of a year the base of its last day, in the version that counts; else an extraordinary one.
escolhida as (
    select distinct on (distribuidora_id, ano) *
    from base
    order by distribuidora_id asc, ano asc, extraordinaria asc, data_base desc, vigente desc, item_id asc
),

versao as (
    select
        distribuidora_id,
        data_base,
        count(*) as versoes
    from base
    group by distribuidora_id, data_base
)

select
    e.distribuidora_id,
    coalesce(d.nome, e.sigla) as distribuidora,
    e.ano,
    e.titulo,
    e.data_base,
    e.extraordinaria,
    e.modelo,
    e.enviado_em,
    v.versoes,
    e.item_id,
    e.tamanho_bytes,
    e.modificado_em,
    e.visto_primeiro_em,
    e.visto_por_ultimo_em,
    e.no_catalogo,
    e.sha256,
    e.buscado_em as arquivada_em,
    e.aterrissada_em,
    p.publicada_em,
    case
        when p.publicada_em is not null then 'publicada'
        when e.retida then 'retida'
        when e.ano_aterrissado is not null then 'aterrissada'
        when o.ano is not null then 'desatualizada'
        when e.recusada then 'recusada'
        when e.sha256 is not null then 'arquivada'
        when not e.no_catalogo then 'sumiu'
        else 'conhecida'
    end as situacao,
    greatest(
        0, extract(day from coalesce(p.publicada_em, now()) - e.visto_primeiro_em)
    )::integer as dias_de_espera,
    e.tentativa_erro as ultimo_erro
from escolhida as e
inner join versao as v
    on e.distribuidora_id = v.distribuidora_id
        and e.data_base = v.data_base
left join {{ ref('distribuidora') }} as d on e.distribuidora_id = d.id
-- This very content, as it is landed; of another version readers see only that there is one.
left join {{ ref('safra_publicada') }} as p
    on e.distribuidora_id = p.distribuidora_id
        and e.ano_aterrissado = p.ano
        and e.import_id = p.import_id
left join {{ ref('safra_publicada') }} as o
    on e.distribuidora_id = o.distribuidora_id
        and e.ano = o.ano
