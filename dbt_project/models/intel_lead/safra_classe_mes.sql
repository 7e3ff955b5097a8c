-- Month by month as twelve columns first: 500 k units are 500 k rows, not 6 M.
with leads as (
    select
        l.ano,
        l.distribuidora_id,
        l.origem,
        l.classe_consumo_id,
        l.possui_geracao,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica,
        p.energia_mes,
        p.energia_ponta_mes
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    inner join {{ ref('lead_perfil') }} as p on l.uc_id = p.uc_id
),

anos as (
    select
        ano,
        distribuidora_id,
        origem,
        classe_consumo_id,
        {{ soma_vetor('energia_mes', 'count') }} as unidades,
        {{ soma_vetor('energia_mes', 'count', 'pessoa_fisica') }} as unidades_pf,
        {{ soma_vetor('energia_mes', 'count', 'possui_geracao') }} as unidades_com_geracao,
        {{ soma_vetor('energia_mes') }} as energia,
        {{ soma_vetor('energia_mes', 'max') }} as maior,
        {{ soma_vetor('energia_mes', 'sum', 'pessoa_fisica') }} as energia_pf,
        {{ soma_vetor('energia_mes', 'max', 'pessoa_fisica') }} as maior_pf,
        {{ soma_vetor('energia_ponta_mes') }} as ponta
    from leads
    group by ano, distribuidora_id, origem, classe_consumo_id
)

select
    m.unidades,
    m.unidades_pf,
    m.unidades_com_geracao,
    m.energia as energia_kwh,
    m.maior as maior_energia_kwh,
    m.energia_pf as energia_pf_kwh,
    m.maior_pf as maior_energia_pf_kwh,
    m.ponta as energia_ponta_kwh,
    a.distribuidora_id,
    a.origem,
    a.ano,
    m.mes::smallint as mes,
    a.classe_consumo_id
from anos as a
cross join
    lateral unnest(
        a.unidades, a.unidades_pf, a.unidades_com_geracao, a.energia, a.maior, a.energia_pf, a.maior_pf, a.ponta
    ) with ordinality
        as m (unidades, unidades_pf, unidades_com_geracao, energia, maior, energia_pf, maior_pf, ponta, mes)
where m.unidades > 0
