{{ config(safra_pai='lead_bruto') }}

with leads as (
    select * from {{ ref('lead_mercado') }}
),

ofertas as (
    select id from {{ ref('oferta') }}
),

julgados as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.origem,
        l.classe,
        o.id as oferta,
        case
            when l.desativada then 'Unidade desativada'
            when coalesce(l.energia_anual_kwh, 0) <= 0 then 'Sem energia no ano'
            when o.id = 'migracao' and l.livre then 'Já no mercado livre'
            when o.id = 'arbitragem' and l.origem = 'UCBT' then 'Sem tarifa horária: baixa tensão'
            when o.id = 'arbitragem' and l.optante_b then 'Sem tarifa horária: optante B'
            when o.id = 'backup' and l.dic_anual_h is null then 'Sem DIC'
            when
                o.id = 'backup' and l.dic_anual_h > (make_date(l.ano + 1, 1, 1) - make_date(l.ano, 1, 1)) * 24
                then 'DIC impossível: mais horas que o ano'
        end as motivo
    from leads as l
    cross join ofertas as o
),

contados as (
    select
        *,
        count(*) filter (where motivo is null) over (
            partition by ano, distribuidora_id, oferta, origem, classe
        ) as da_classe
    from julgados
)

select
    uc_id,
    distribuidora_id,
    ano,
    oferta,
    motivo,
    case
        when motivo is not null then null
        when da_classe >= {{ parametro('comparacao_minimo_leads') }}
            then right(origem::text, 2) || ' ' || classe
        else right(origem::text, 2)
    end as grupo_comparacao
from contados
