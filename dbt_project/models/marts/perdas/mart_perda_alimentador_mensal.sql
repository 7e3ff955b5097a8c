-- The year's judgement holds for its months. Reading days shift energy between them: three say more.
with anuais as (
    select * from {{ ref('mart_perda_alimentador') }}
    where not suprimido
),

energias as (
    select
        e.ano,
        e.distribuidora_id,
        e.circuito,
        m.mes,
        coalesce(sum(m.kwh) filter (where e.origem in ('UGMT', 'UGBT')), 0) as gerada,
        coalesce(sum(m.kwh) filter (where e.origem = 'UCAT'), 0) as faturada_at,
        coalesce(sum(m.kwh) filter (where e.origem = 'UCMT'), 0) as faturada_mt,
        coalesce(sum(m.kwh) filter (where e.origem = 'UCBT'), 0) as faturada_bt,
        coalesce(sum(m.kwh) filter (where e.origem = 'PIP'), 0) as iluminacao
    from {{ ref('alimentador_energia') }} as e
    cross join lateral unnest(e.energia_mes) with ordinality as m (kwh, mes)
    group by e.ano, e.distribuidora_id, e.circuito, m.mes
),

declaradas as (
    select
        a.ano,
        a.distribuidora_id,
        a.circuito,
        m.mes,
        coalesce(m.injetada, 0) as injetada,
        coalesce(m.nao_tecnica_mt, 0) + coalesce(m.nao_tecnica_bt, 0) as nao_tecnicas
    from {{ ref('alimentador') }} as a
    cross join lateral unnest(
        a.energia_injetada, a.perda_nao_tecnica_mt, a.perda_nao_tecnica_bt
    ) with ordinality as m (injetada, nao_tecnica_mt, nao_tecnica_bt, mes)
),

meses as (
    select
        a.ano,
        a.distribuidora_id,
        a.circuito,
        m.mes::smallint as mes,
        a.situacao,
        a.fator_unidade,
        d.injetada * a.fator_unidade as injetada_kwh,
        case when a.gerada_kwh is not null then coalesce(e.gerada, 0) end as gerada_kwh,
        case when a.faturada_at_kwh is not null then coalesce(e.faturada_at, 0) end as faturada_at_kwh,
        case when a.faturada_mt_kwh is not null then coalesce(e.faturada_mt, 0) end as faturada_mt_kwh,
        case when a.faturada_bt_kwh is not null then coalesce(e.faturada_bt, 0) end as faturada_bt_kwh,
        case when a.iluminacao_kwh is not null then coalesce(e.iluminacao, 0) end as iluminacao_kwh,
        d.nao_tecnicas * a.fator_unidade as nao_tecnicas_declaradas_kwh
    from anuais as a
    cross join generate_series(1, 12) as m (mes)
    left join declaradas as d
        on a.ano = d.ano
            and a.distribuidora_id = d.distribuidora_id
            and a.circuito = d.circuito
            and m.mes = d.mes
    left join energias as e
        on a.ano = e.ano
            and a.distribuidora_id = e.distribuidora_id
            and a.circuito is not distinct from e.circuito
            and m.mes = e.mes
),

balancos as (
    select
        *,
        case
            when situacao <> 'incompleto'
                then
                    injetada_kwh + gerada_kwh
                    - faturada_at_kwh - faturada_mt_kwh - faturada_bt_kwh - iluminacao_kwh
        end as perdas_kwh,
        injetada_kwh + gerada_kwh as entrada_kwh
    from meses
),

medias as (
    select
        *,
        case when count(*) over tres = 3 then avg(perdas_kwh) over tres end as perdas_media_3m_kwh,
        case when count(*) over tres = 3 then avg(entrada_kwh) over tres end as entrada_media_3m_kwh
    from balancos
    window
        tres as (
            partition by ano, distribuidora_id, circuito
            order by mes
            rows between 2 preceding and current row
        )
)

select
    injetada_kwh,
    gerada_kwh,
    faturada_at_kwh,
    faturada_mt_kwh,
    faturada_bt_kwh,
    iluminacao_kwh,
    perdas_kwh,
    100 * perdas_kwh / nullif(entrada_kwh, 0) as perdas_pct,
    perdas_media_3m_kwh,
    100 * perdas_media_3m_kwh / nullif(entrada_media_3m_kwh, 0) as perdas_media_3m_pct,
    nao_tecnicas_declaradas_kwh,
    distribuidora_id,
    fator_unidade,
    ano,
    mes,
    circuito,
    situacao
from medias
