-- One pass over the units for all that is said of feeders. A month of UCAT is its two posts.
with leads as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.circuito,
        l.origem::text as origem,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
),

series as (
    select * from {{ ref('lead_serie') }}
),

anual as (
    select * from {{ ref('lead_resumo_anual') }}
),

unidades as (
    select
        l.ano,
        l.distribuidora_id,
        l.circuito,
        l.origem,
        l.pessoa_fisica,
        a.energia_anual_kwh,
        coalesce(
            s.energia_total,
            array(
                select coalesce(p.ponta + p.fora_ponta, p.ponta, p.fora_ponta)
                from
                    unnest(s.energia_ponta, s.energia_fora_ponta)
                    with ordinality as p (ponta, fora_ponta, mes)
                order by p.mes
            )
        ) as energia_mes
    from leads as l
    inner join series as s
        on l.uc_id = s.uc_id and l.ano = s.ano and l.distribuidora_id = s.distribuidora_id
    inner join anual as a
        on l.uc_id = a.uc_id and l.ano = a.ano and l.distribuidora_id = a.distribuidora_id
    union all
    select
        ano,
        distribuidora_id,
        circuito,
        origem,
        null as pessoa_fisica,
        energia_anual_kwh,
        energia_mes
    from {{ ref('geracao') }}
),

somas as (
    select
        ano,
        distribuidora_id,
        circuito,
        origem,
        count(*) as unidades,
        count(*) filter (where pessoa_fisica) as unidades_pf,
        max(energia_anual_kwh) as maior_energia_anual_kwh,
        sum(energia_anual_kwh) filter (where pessoa_fisica) as energia_pf_kwh,
        max(energia_anual_kwh) filter (where pessoa_fisica) as maior_energia_pf_kwh,
        {{ soma_vetor('energia_mes') }} as energia_mes
    from unidades
    group by ano, distribuidora_id, circuito, origem
    union all
    select
        ano,
        distribuidora_id,
        circuito,
        'PIP' as origem,
        sum(pontos)::bigint as unidades,
        0 as unidades_pf,
        null as maior_energia_anual_kwh,
        null as energia_pf_kwh,
        null as maior_energia_pf_kwh,
        {{ soma_vetor('energia_mes') }} as energia_mes
    from {{ ref('iluminacao_publica') }}
    group by ano, distribuidora_id, circuito
)

select
    unidades,
    unidades_pf,
    {{ total_vetor('energia_mes') }} as energia_anual_kwh,
    maior_energia_anual_kwh,
    energia_pf_kwh,
    maior_energia_pf_kwh,
    distribuidora_id,
    ano,
    circuito,
    origem,
    energia_mes
from somas
