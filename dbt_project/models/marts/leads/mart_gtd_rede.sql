with leads as (
    select * from {{ ref('lead_mercado') }}
    where not desativada
),

geracao as (
    select * from {{ ref('geracao') }}
    where situacao_uc_id is distinct from 'DS'
),

-- A base without a layer of generation says nothing of it: not zero.
com_geracao as (
    select distinct
        ano,
        distribuidora_id
    from {{ ref('safra_camada') }}
    where camada in ('UGAT', 'UGMT', 'UGBT') and linhas > 0
),

-- Nor does one without units in a voltage say how many there are.
com_unidades as (
    select
        ano,
        distribuidora_id,
        bool_or(camada = 'UCBT' and linhas > 0) as em_transformador,
        count(*) filter (where camada in ('UCMT', 'UCBT') and linhas > 0) = 2 as em_alimentador
    from {{ ref('safra_camada') }}
    group by ano, distribuidora_id
),

-- What hangs on an element, by its kind and code.
ligadas as (
    select
        ano,
        distribuidora_id,
        'transformador' as tipo,
        transformador as codigo,
        potencia_instalada_kw
    from geracao
    where transformador is not null
    union all
    select
        ano,
        distribuidora_id,
        'alimentador' as tipo,
        circuito as codigo,
        potencia_instalada_kw
    from geracao
    where circuito is not null
),

geradoras as (
    select
        ano,
        distribuidora_id,
        tipo,
        codigo,
        count(*) as quantas,
        sum(potencia_instalada_kw) as kw
    from ligadas
    group by ano, distribuidora_id, tipo, codigo
),

atendidos as (
    select
        ano,
        distribuidora_id,
        'transformador' as tipo,
        transformador as codigo
    from leads
    where transformador is not null
    union all
    select
        ano,
        distribuidora_id,
        'alimentador' as tipo,
        circuito as codigo
    from leads
    where circuito is not null
),

clientes as (
    select
        ano,
        distribuidora_id,
        tipo,
        codigo,
        count(*) as quantos
    from atendidos
    group by ano, distribuidora_id, tipo, codigo
),

elementos as (
    select
        ano,
        distribuidora_id,
        'transformador' as tipo,
        transformador as codigo,
        circuito,
        carregamento_medio,
        carregamento_maximo,
        null::double precision as perdas_pct
    from {{ ref('mart_transformador') }}
    union all
    select
        ano,
        distribuidora_id,
        'alimentador' as tipo,
        circuito as codigo,
        circuito,
        null::double precision as carregamento_medio,
        null::double precision as carregamento_maximo,
        perdas_pct
    from {{ ref('mart_perda_alimentador') }}
    where circuito is not null
),

-- One to four generating units are somebody's. What a feeder's hidden transformers have together must not be
-- that few either: it is what is left of the feeder's sum.
medidos as (
    select
        e.*,
        s.ano is not null as com_geracao,
        coalesce(g.quantas, 0) as quantas,
        coalesce(g.kw, 0) as kw,
        coalesce(sum(g.quantas) filter (
            where e.tipo = 'transformador' and g.quantas between 1 and 4
        ) over (partition by e.ano, e.distribuidora_id, e.circuito), 0) as escondidas
    from elementos as e
    left join com_geracao as s on e.ano = s.ano and e.distribuidora_id = s.distribuidora_id
    left join geradoras as g
        on
            e.ano = g.ano
            and e.distribuidora_id = g.distribuidora_id
            and e.tipo = g.tipo
            and e.codigo = g.codigo
),

mostrados as (
    select
        *,
        com_geracao
        and quantas not between 1 and 4
        and (tipo = 'transformador' or escondidas not between 1 and 4) as mostra
    from medidos
)

select
    m.carregamento_medio,
    m.carregamento_maximo,
    m.perdas_pct,
    case when m.mostra then m.kw end as gd_kw,
    case when m.mostra then m.quantas end as geradoras,
    case
        when case m.tipo when 'transformador' then u.em_transformador else u.em_alimentador end
            then coalesce(c.quantos, 0)
    end as leads,
    m.distribuidora_id,
    m.ano,
    coalesce(m.carregamento_maximo, m.carregamento_medio) >= {{ parametro('rede_perto_do_limite') }}
        as perto_do_limite,
    m.tipo,
    m.codigo,
    m.circuito
from mostrados as m
left join com_unidades as u on m.ano = u.ano and m.distribuidora_id = u.distribuidora_id
left join clientes as c
    on
        m.ano = c.ano
        and m.distribuidora_id = c.distribuidora_id
        and m.tipo = c.tipo
        and m.codigo = c.codigo
