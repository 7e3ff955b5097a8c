-- Which part of each month's energy falls in the three peak hours, for every load curve of the safra and,
-- where a unit has none, for its class. Once per curve and month: leads only multiply.
with curvas as (
    select * from {{ ref('curva_carga') }}
),

leads as (
    select * from {{ ref('lead_bruto') }}
),

classes as (
    select * from {{ ref('classe_consumo') }}
),

semente as (
    select * from {{ ref('curva_classe') }}
),

dias as (
    select * from {{ ref('calendario_mensal') }}
),

safras as (
    select
        ano,
        distribuidora_id,
        inicio_ponta,
        fim_ponta
    from dias
    where mes = 1
),

-- A curve of zeros is no curve. The same curve appears in kW and per unit: only its shape counts.
medias as (
    select
        ano,
        distribuidora_id,
        tipo_curva_carga,
        (select avg(p.potencia) from unnest(potencia) as p (potencia)) as media
    from curvas
    where tipo_dia = 'DU'
),

formas as (
    select
        c.ano,
        c.distribuidora_id,
        c.tipo_curva_carga,
        c.tipo_dia,
        c.potencia,
        m.media
    from curvas as c
    inner join medias as m
        on
            c.ano = m.ano
            and c.distribuidora_id = m.distribuidora_id
            and c.tipo_curva_carga = m.tipo_curva_carga
    where m.media > 0
),

usadas as (
    select distinct
        l.ano,
        l.distribuidora_id,
        {{ chave_da_classe('l.origem', 'c.grupo') }} as chave,
        l.tipo_curva_carga
    from leads as l
    left join classes as c on l.classe_consumo_id = c.id
),

usadas_ou_todas as (
    select * from usadas
    union
    select
        ano,
        distribuidora_id,
        left(chave, 3) || 'todas' as chave,
        tipo_curva_carga
    from usadas
),

das_classes as (
    select
        u.ano,
        u.distribuidora_id,
        u.chave,
        f.tipo_dia,
        p.ponto,
        percentile_cont(0.5) within group (order by p.potencia / f.media) as forma
    from usadas_ou_todas as u
    inner join formas as f
        on
            u.ano = f.ano
            and u.distribuidora_id = f.distribuidora_id
            and u.tipo_curva_carga = f.tipo_curva_carga
    cross join lateral unnest(f.potencia) with ordinality as p (potencia, ponto)
    -- The number first: the sort of 20,000 rows compares texts only where it must.
    group by p.ponto, u.chave, f.tipo_dia, u.ano, u.distribuidora_id
),

todas as (
    select
        ano,
        distribuidora_id,
        'curva' as fonte,
        tipo_curva_carga as chave,
        tipo_dia,
        media,
        potencia
    from formas
    union all
    select
        ano,
        distribuidora_id,
        'classe_da_safra' as fonte,
        chave,
        tipo_dia,
        1 as media,
        array_agg(forma order by ponto) as potencia
    from das_classes
    group by ano, distribuidora_id, chave, tipo_dia
    union all
    select
        s.ano,
        s.distribuidora_id,
        'semente' as fonte,
        c.chave,
        c.tipo_dia,
        1 as media,
        c.potencia
    from safras as s
    cross join semente as c
),

-- Energy of a day of each kind, and of a weekday's peak hours.
energias as (
    select
        t.ano,
        t.distribuidora_id,
        t.fonte,
        t.chave,
        sum(d.soma) filter (where t.tipo_dia = 'DU') as util,
        sum(d.soma) filter (where t.tipo_dia = 'SA') as sabado,
        sum(d.soma) filter (where t.tipo_dia = 'DO') as domingo,
        coalesce(sum(d.na_ponta) filter (where t.tipo_dia = 'DU'), 0) as ponta
    from todas as t
    inner join safras as s on t.ano = s.ano and t.distribuidora_id = s.distribuidora_id
    cross join
        lateral (
            select
                sum(p.potencia / t.media) as soma,
                sum(p.potencia / t.media) filter (
                    where
                    (p.ponto - 1) * interval '15 minutes' >= s.inicio_ponta::interval
                    and (p.ponto - 1) * interval '15 minutes' < s.fim_ponta::interval
                ) as na_ponta
            from unnest(t.potencia) with ordinality as p (potencia, ponto)
        ) as d
    group by t.ano, t.distribuidora_id, t.fonte, t.chave
),

-- A curve that lacks a kind of day takes the nearest one.
participacoes as (
    select
        e.ano,
        e.distribuidora_id,
        e.fonte,
        e.chave,
        array_agg(
            d.dias_uteis * e.ponta / (
                d.dias_uteis * e.util
                + d.sabados * coalesce(e.sabado, e.domingo, e.util)
                + d.domingos * coalesce(e.domingo, e.sabado, e.util)
            )
            order by d.mes
        ) as participacao
    from energias as e
    inner join dias as d on e.ano = d.ano and e.distribuidora_id = d.distribuidora_id
    where e.util > 0
    group by e.ano, e.distribuidora_id, e.fonte, e.chave
),

grupos as (
    select distinct grupo
    from classes
),

-- What stands for a class: its own in this safra, its seed's, all of the voltage in this safra, all of the
-- seed.
candidatas as (
    select
        s.ano,
        s.distribuidora_id,
        t.tensao || ' ' || g.grupo as chave,
        p.fonte,
        p.participacao,
        row_number() over (
            partition by s.ano, s.distribuidora_id, t.tensao, g.grupo
            order by p.chave = t.tensao || ' todas', p.fonte
        ) as ordem
    from safras as s
    cross join (values ('MT'), ('BT')) as t (tensao)
    cross join grupos as g
    inner join participacoes as p
        on
            s.ano = p.ano
            and s.distribuidora_id = p.distribuidora_id
            and p.fonte <> 'curva'
            and p.chave in (t.tensao || ' ' || g.grupo, t.tensao || ' todas')
)

select
    distribuidora_id,
    ano,
    'curva' as nivel,
    chave,
    fonte,
    participacao
from participacoes
where fonte = 'curva'
union all
select
    distribuidora_id,
    ano,
    'classe' as nivel,
    chave,
    fonte,
    participacao
from candidatas
where ordem = 1
