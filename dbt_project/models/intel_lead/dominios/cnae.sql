with cnae as (

    select
        id,
        codigo_formatado,
        nivel,
        descricao,
        cnae_pai_id,
        '2.3' as edicao,
        null::text as sucessor_id
    from {{ ref('cnae_dominio') }}
    union all
    -- A subclass of an earlier edition hangs where its successor does.
    select
        anterior.id,
        anterior.codigo_formatado,
        'subclasse' as nivel,
        anterior.descricao,
        sucessor.cnae_pai_id,
        anterior.edicao,
        sucessor.id as sucessor_id
    from {{ ref('cnae_anterior') }} as anterior
    inner join {{ ref('cnae_dominio') }} as sucessor on anterior.sucessor_id = sucessor.id

),

divisao as (

    select
        cnae.id,
        cnae.cnae_pai_id as secao_id,
        segmento.segmento_mercado_id
    from cnae
    left join {{ ref('cnae_segmento') }} as segmento on cnae.id = segmento.divisao_id
    where cnae.nivel = 'divisao'

),

-- a section has a segment only where all its divisions share it
secao as (

    select
        secao_id as id,
        case
            when min(segmento_mercado_id) = max(segmento_mercado_id) then min(segmento_mercado_id)
        end as segmento_mercado_id
    from divisao
    group by secao_id

)

select
    cnae.id,
    cnae.codigo_formatado,
    cnae.nivel,
    cnae.descricao,
    cnae.cnae_pai_id,
    coalesce(divisao.secao_id, secao.id) as secao_id,
    divisao.id as divisao_id,
    coalesce(divisao.segmento_mercado_id, secao.segmento_mercado_id) as segmento_mercado_id,
    cnae.edicao,
    cnae.sucessor_id
from cnae
left join divisao on left(cnae.id, 2) = divisao.id
left join secao on cnae.id = secao.id
