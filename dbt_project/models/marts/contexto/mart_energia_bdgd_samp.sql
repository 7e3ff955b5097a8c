-- What readers see of the BDGD, and no more: a class that is hidden in resumo_classe is not in the sum.
with bdgd as (
    select
        ano,
        distribuidora_id,
        coalesce(classe, 'não informado') as classe,
        bool_or(suprimido) as suprimido,
        sum(energia_anual_kwh * (1 - coalesce(energia_livre_pct, 0) / 100)) as cativa_kwh
    from {{ ref('resumo_classe') }}
    group by ano, distribuidora_id, coalesce(classe, 'não informado')
),

cativos as (
    select
        extract(year from competencia)::smallint as ano,
        distribuidora_id,
        classe_grupo as classe,
        competencia,
        energia_te_kwh,
        refaturada_te_kwh
    from {{ ref('consumo_samp_mensal') }}
    where distribuidora_id is not null and opcao_energia = 'CATIVO'
),

samp as (
    select
        ano,
        distribuidora_id,
        classe,
        sum(energia_te_kwh) as cativa_kwh,
        sum(refaturada_te_kwh) as refaturada_kwh,
        count(distinct competencia)::smallint as meses
    from cativos
    group by ano, distribuidora_id, classe
),

pares as (
    select
        coalesce(b.ano, s.ano) as ano,
        coalesce(b.distribuidora_id, s.distribuidora_id) as distribuidora_id,
        coalesce(b.classe, s.classe) as classe,
        coalesce(b.suprimido, false) as suprimido,
        b.cativa_kwh as bdgd_cativa_kwh,
        s.cativa_kwh as samp_cativa_kwh,
        s.refaturada_kwh as samp_refaturada_kwh,
        coalesce(s.meses, 0::smallint) as samp_meses
    from bdgd as b
    full join samp as s on b.ano = s.ano and b.distribuidora_id = s.distribuidora_id and b.classe = s.classe
)

select
    p.ano,
    p.distribuidora_id,
    d.nome as distribuidora,
    p.classe,
    p.bdgd_cativa_kwh,
    p.samp_cativa_kwh,
    p.samp_refaturada_kwh,
    p.samp_meses,
    p.bdgd_cativa_kwh - p.samp_cativa_kwh as diferenca_kwh,
    100 * (p.bdgd_cativa_kwh - p.samp_cativa_kwh) / nullif(p.samp_cativa_kwh, 0) as diferenca_pct,
    p.suprimido,
    case
        when p.bdgd_cativa_kwh is null or p.samp_cativa_kwh is null or p.samp_meses < 12 then 'sem dados'
        when abs(p.bdgd_cativa_kwh - p.samp_cativa_kwh) <= 0.05 * abs(p.samp_cativa_kwh) then 'confere'
        else 'diverge'
    end as situacao
from pares as p
inner join {{ ref('distribuidora') }} as d on p.distribuidora_id = d.id
