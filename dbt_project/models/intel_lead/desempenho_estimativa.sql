-- How far the estimated peak energy is from the measured one, where a unit has both: high voltage has the
-- two posts, and its declared curve estimates what it would be without them.
with classes as (
    select * from {{ ref('classe_consumo') }}
),

unidades as (
    select
        l.ano,
        l.distribuidora_id,
        l.tipo_curva_carga,
        {{ chave_da_classe('l.origem', 'c.grupo') }} as chave_da_classe,
        s.energia_ponta,
        s.energia_fora_ponta
    from {{ ref('lead_bruto') }} as l
    inner join {{ ref('lead_serie') }} as s on l.uc_id = s.uc_id
    inner join classes as c on l.classe_consumo_id = c.id
    where
        l.origem = 'UCAT'
        and {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
),

meses as (
    select
        u.ano,
        u.distribuidora_id,
        p.nivel,
        m.ponta as medida,
        (m.ponta + m.fora_ponta) * p.participacao[m.mes] as estimada
    from unidades as u
    inner join {{ ref('curva_participacao') }} as p
        on
            u.ano = p.ano
            and u.distribuidora_id = p.distribuidora_id
            and p.chave = case p.nivel when 'curva' then u.tipo_curva_carga else u.chave_da_classe end
    cross join
        lateral unnest(u.energia_ponta, u.energia_fora_ponta)
        with ordinality as m (ponta, fora_ponta, mes)
    where m.ponta > 0 and m.fora_ponta is not null
)

select
    avg(abs(estimada - medida)) as mae,
    100 * avg(abs(estimada - medida) / medida) as mape,
    100 * avg(2 * abs(estimada - medida) / (abs(estimada) + medida)) as smape,
    distribuidora_id,
    ano,
    'estimado_' || nivel as modelo
from meses
group by ano, distribuidora_id, nivel
