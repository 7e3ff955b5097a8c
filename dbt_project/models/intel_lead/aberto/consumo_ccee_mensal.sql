-- CCEE says a município by its name.
with somas as (
    select
        competencia,
        coalesce(agente, 'Não informado') as agente,
        coalesce(ramo, 'Não informado') as ramo,
        coalesce(cidade, 'Não informado') as cidade,
        coalesce(uf, 'NI') as uf,
        count(distinct carga) as cargas,
        sum(consumo_livre_mwh) as consumo_livre_mwh,
        sum(consumo_cativo_mwh) as consumo_cativo_mwh,
        sum(consumo_total_mwh) as consumo_total_mwh
    from {{ ref('stg_aberto_ccee_consumo') }}
    where competencia is not null
    group by 1, 2, 3, 4, 5
)

select
    s.competencia,
    s.agente,
    s.ramo,
    s.cidade,
    s.uf,
    m.id as municipio_id,
    s.cargas,
    s.consumo_livre_mwh,
    s.consumo_cativo_mwh,
    s.consumo_total_mwh
from somas as s
left join {{ ref('municipio') }} as m
    on s.uf = m.uf and {{ sigla_agente('s.cidade') }} = {{ sigla_agente('m.nome') }}
