with energias as (
    select * from {{ ref('alimentador_energia') }}
),

alimentadores as (
    select
        ano,
        distribuidora_id,
        circuito,
        nome,
        subestacao,
        coalesce({{ total_vetor('energia_injetada') }}, 0) as injetada,
        coalesce(perda_linha, 0) + coalesce(perda_baixa_tensao, 0) + coalesce(perda_medidor, 0)
        + coalesce(perda_transformador, 0) as tecnicas,
        coalesce({{ total_vetor('perda_nao_tecnica_mt') }}, 0)
        + coalesce({{ total_vetor('perda_nao_tecnica_bt') }}, 0) as nao_tecnicas
    from {{ ref('alimentador') }}
),

-- What the delivery brought: a layer that it lacks is no zero. Every distributor has units of both voltages.
camadas as (
    select
        ano,
        distribuidora_id,
        bool_or(camada = 'UCAT' and presente) as tem_at,
        bool_or(camada = 'UCMT' and linhas > 0) as tem_mt,
        bool_or(camada = 'UCBT' and linhas > 0) as tem_bt,
        bool_or(camada = 'PIP' and presente) as tem_ip,
        bool_or(camada = 'UGMT' and presente) and bool_or(camada = 'UGBT' and presente) as tem_ug
    from {{ ref('safra_camada') }}
    group by ano, distribuidora_id
),

-- Circuits of high voltage (CTAT) are no feeders of this balance, unless CTMT has them.
por_circuito as (
    select
        ano,
        distribuidora_id,
        circuito,
        coalesce(sum(unidades) filter (where origem in ('UCAT', 'UCMT', 'UCBT')), 0)::bigint as unidades,
        coalesce(sum(energia_anual_kwh) filter (where origem in ('UGMT', 'UGBT')), 0) as gerada,
        coalesce(sum(energia_anual_kwh) filter (where origem = 'UCAT'), 0) as faturada_at,
        coalesce(sum(energia_anual_kwh) filter (where origem = 'UCMT'), 0) as faturada_mt,
        coalesce(sum(energia_anual_kwh) filter (where origem = 'UCBT'), 0) as faturada_bt,
        coalesce(sum(energia_anual_kwh) filter (where origem = 'PIP'), 0) as iluminacao,
        bool_or(origem not in ('UCAT', 'UGAT')) as tem_media_ou_baixa
    from energias
    group by ano, distribuidora_id, circuito
),

juntas as (
    select
        coalesce(a.ano, p.ano) as ano,
        coalesce(a.distribuidora_id, p.distribuidora_id) as distribuidora_id,
        coalesce(a.circuito, p.circuito) as circuito,
        a.nome,
        a.subestacao,
        a.injetada,
        a.tecnicas,
        a.nao_tecnicas,
        coalesce(p.unidades, 0) as unidades,
        coalesce(p.gerada, 0) as gerada,
        coalesce(p.faturada_at, 0) as faturada_at,
        coalesce(p.faturada_mt, 0) as faturada_mt,
        coalesce(p.faturada_bt, 0) as faturada_bt,
        coalesce(p.iluminacao, 0) as iluminacao
    from alimentadores as a
    full outer join por_circuito as p
        on a.ano = p.ano and a.distribuidora_id = p.distribuidora_id and a.circuito = p.circuito
    where a.circuito is not null or p.tem_media_ou_baixa
),

-- kWh or MWh: no loss puts injected and billed a factor of 30 apart, a wrong unit puts them a thousand apart.
fatores as (
    select
        ano,
        distribuidora_id,
        case
            when
                sum(injetada) / nullif(sum(faturada_mt + faturada_bt + iluminacao), 0)
                between 0.0001 and 0.03
                then 1000
            else 1
        end as fator
    from juntas
    where injetada > 0
    group by ano, distribuidora_id
),

em_kwh as (
    select
        j.ano,
        j.distribuidora_id,
        j.circuito,
        j.nome,
        j.subestacao,
        case when c.tem_mt and c.tem_bt then j.unidades end as unidades,
        coalesce(f.fator, 1) as fator_unidade,
        j.injetada * coalesce(f.fator, 1) as injetada_kwh,
        j.tecnicas * coalesce(f.fator, 1) as tecnicas_kwh,
        j.nao_tecnicas * coalesce(f.fator, 1) as nao_tecnicas_kwh,
        case when c.tem_ug then j.gerada end as gerada_kwh,
        case when c.tem_at then j.faturada_at end as faturada_at_kwh,
        case when c.tem_mt then j.faturada_mt end as faturada_mt_kwh,
        case when c.tem_bt then j.faturada_bt end as faturada_bt_kwh,
        case when c.tem_ip then j.iluminacao end as iluminacao_kwh
    from juntas as j
    left join fatores as f on j.ano = f.ano and j.distribuidora_id = f.distribuidora_id
    left join camadas as c on j.ano = c.ano and j.distribuidora_id = c.distribuidora_id
),

-- Any part that is not known leaves the balance unknown; so does energy that goes to nobody.
balancos as (
    select
        *,
        case
            when unidades > 0 or injetada_kwh = 0
                then
                    injetada_kwh + gerada_kwh
                    - faturada_at_kwh - faturada_mt_kwh - faturada_bt_kwh - iluminacao_kwh
        end as perdas_kwh,
        injetada_kwh + gerada_kwh as entrada_kwh
    from em_kwh
),

-- A reader takes what is shown of a feeder off what went in: a voltage with few units hides all of it.
celulas as (
    select
        ano,
        distribuidora_id,
        circuito,
        sum(unidades) as leads,
        sum(unidades_pf) as leads_pf,
        sum(energia_anual_kwh) as energia,
        max(maior_energia_anual_kwh) as maior,
        sum(energia_pf_kwh) as energia_pf,
        max(maior_energia_pf_kwh) as maior_pf,
        bool_or({{ celula_pequena(
            'unidades_pf', 'energia_anual_kwh', 'maior_energia_anual_kwh', 'energia_pf_kwh', 'maior_energia_pf_kwh'
        ) }}) as pequena
    from energias
    where origem in ('UCMT', 'UCBT')
    group by ano, distribuidora_id, circuito
),

{{ esconde_complementos('celulas', total=['ano', 'distribuidora_id'], parte='circuito') }},

julgados as (
    select
        b.*,
        case
            when b.perdas_kwh is null then 'incompleto'
            when b.perdas_kwh < 0 then 'impossivel'
            when b.fator_unidade <> 1 then 'unidade_suspeita'
            else 'completo'
        end as situacao,
        coalesce(o.oculta, false) as suprimido
    from balancos as b
    left join ocultas as o
        on b.ano = o.ano
            and b.distribuidora_id = o.distribuidora_id
            and b.circuito is not distinct from o.circuito
),

ordenados as (
    select
        *,
        case
            when situacao in ('completo', 'unidade_suspeita') and entrada_kwh > 0 and not suprimido
                then
                    rank() over (
                        partition by
                            ano,
                            distribuidora_id,
                            situacao in ('completo', 'unidade_suspeita') and entrada_kwh > 0 and not suprimido
                        order by perdas_kwh / nullif(entrada_kwh, 0) desc nulls last
                    )
        end as posicao
    from julgados
)

select
    posicao,
    case when not suprimido then unidades end as unidades,
    case when not suprimido then injetada_kwh end as injetada_kwh,
    case when not suprimido then gerada_kwh end as gerada_kwh,
    case when not suprimido then faturada_at_kwh end as faturada_at_kwh,
    case when not suprimido then faturada_mt_kwh end as faturada_mt_kwh,
    case when not suprimido then faturada_bt_kwh end as faturada_bt_kwh,
    case when not suprimido then iluminacao_kwh end as iluminacao_kwh,
    case when not suprimido then perdas_kwh end as perdas_kwh,
    case when not suprimido then 100 * perdas_kwh / nullif(entrada_kwh, 0) end as perdas_pct,
    case when not suprimido then tecnicas_kwh end as tecnicas_declaradas_kwh,
    case when not suprimido then nao_tecnicas_kwh end as nao_tecnicas_declaradas_kwh,
    distribuidora_id,
    fator_unidade,
    ano,
    suprimido,
    circuito,
    nome,
    subestacao,
    situacao
from ordenados
