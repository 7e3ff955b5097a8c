-- The planner takes a CTE for one row: without this, it loops over all transformers for each of them.
{{ config(
    indexes=[{'columns': ['geom'], 'type': 'gist'}, {'columns': ['circuito']}],
    pre_hook='set enable_nestloop = off',
    post_hook='reset enable_nestloop'
) }}

{% set fator_de_potencia = 0.92 %}
with transformadores as (
    select * from {{ ref('transformador') }}
),

leads as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.transformador,
        l.tipo_curva_carga,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    where l.transformador is not null
),

unidades as (
    select
        l.*,
        a.energia_anual_kwh,
        s.energia_total as energia_mes
    from leads as l
    inner join {{ ref('lead_resumo_anual') }} as a
        on l.uc_id = a.uc_id and l.ano = a.ano and l.distribuidora_id = a.distribuidora_id
    inner join {{ ref('lead_serie') }} as s
        on l.uc_id = s.uc_id and l.ano = s.ano and l.distribuidora_id = s.distribuidora_id
),

camadas as (
    select
        ano,
        distribuidora_id
    from {{ ref('safra_camada') }}
    where camada = 'UCBT' and linhas > 0
),

dias as (
    select
        ano,
        distribuidora_id,
        mes,
        dias_uteis,
        sabados,
        domingos,
        dias_uteis + sabados + domingos as total
    from {{ ref('calendario_mensal') }}
),

horas as (
    select
        ano,
        distribuidora_id,
        24 * sum(total) as do_ano
    from dias
    group by ano, distribuidora_id
),

por_curva as (
    select
        ano,
        distribuidora_id,
        transformador,
        tipo_curva_carga,
        {{ soma_vetor('energia_mes') }} as energia_mes
    from unidades
    group by ano, distribuidora_id, transformador, tipo_curva_carga
),

meses as (
    select
        p.ano,
        p.distribuidora_id,
        p.transformador,
        p.tipo_curva_carga,
        m.mes,
        m.kwh,
        sum(m.kwh) over (
            partition by p.ano, p.distribuidora_id, p.transformador, m.mes
        ) as kwh_do_transformador
    from por_curva as p
    cross join lateral unnest(p.energia_mes) with ordinality as m (kwh, mes)
),

-- The month of the greatest mean power holds the peak: all twelve cost twelve times as much.
piores as (
    select
        m.*,
        dense_rank() over (
            partition by m.ano, m.distribuidora_id, m.transformador
            order by m.kwh_do_transformador / d.total desc nulls last, m.mes
        ) as ordem
    from meses as m
    inner join dias as d on m.ano = d.ano and m.distribuidora_id = d.distribuidora_id and m.mes = d.mes
),

-- Of a hundred curves a small base's units have a few.
pontos as (
    select
        c.ano,
        c.distribuidora_id,
        c.tipo_curva_carga,
        c.tipo_dia,
        (p.ponto - 1) / 4 as hora,
        avg(p.potencia) as potencia
    from {{ ref('curva_carga') }} as c
    cross join lateral unnest(c.potencia) with ordinality as p (potencia, ponto)
    where c.tipo_curva_carga in (select u.tipo_curva_carga from por_curva as u)
    group by c.ano, c.distribuidora_id, c.tipo_curva_carga, c.tipo_dia, (p.ponto - 1) / 4
),

-- One row for a curve: its hours, and what a day of each kind comes to.
formas as (
    select
        ano,
        distribuidora_id,
        tipo_curva_carga,
        array_agg(tipo_dia || ' ' || hora) as horas,
        array_agg(potencia) as potencias,
        coalesce(sum(potencia) filter (where tipo_dia = 'DU'), 0) as util,
        coalesce(sum(potencia) filter (where tipo_dia = 'SA'), 0) as sabado,
        coalesce(sum(potencia) filter (where tipo_dia not in ('DU', 'SA')), 0) as domingo
    from pontos
    where potencia is not null
    group by ano, distribuidora_id, tipo_curva_carga
),

-- An hour's part of the month's energy is its power over this.
divisores as (
    select
        f.ano,
        f.distribuidora_id,
        f.tipo_curva_carga,
        d.mes,
        f.util * d.dias_uteis + f.sabado * d.sabados + f.domingo * d.domingos as energia
    from formas as f
    inner join dias as d on f.ano = d.ano and f.distribuidora_id = d.distribuidora_id
),

-- All units of a transformer must have a curve, or its peak is not known.
picos as (
    select
        p.ano,
        p.distribuidora_id,
        p.transformador,
        h.hora,
        sum(p.kwh * h.potencia / d.energia) as kw
    from piores as p
    inner join divisores as d
        on
            p.ano = d.ano
            and p.distribuidora_id = d.distribuidora_id
            and p.tipo_curva_carga = d.tipo_curva_carga
            and p.mes = d.mes
    inner join formas as f
        on
            p.ano = f.ano
            and p.distribuidora_id = f.distribuidora_id
            and p.tipo_curva_carga = f.tipo_curva_carga
    cross join lateral unnest(f.horas, f.potencias) as h (hora, potencia)
    where p.ordem = 1 and d.energia <> 0
    group by p.transformador, h.hora, p.ano, p.distribuidora_id
),

maximos as (
    select
        ano,
        distribuidora_id,
        transformador,
        max(kw) as kw
    from picos
    group by ano, distribuidora_id, transformador
),

curvas as (
    select distinct
        ano,
        distribuidora_id,
        tipo_curva_carga
    from divisores
    where energia <> 0
),

sem_curva as (
    select distinct
        p.ano,
        p.distribuidora_id,
        p.transformador
    from por_curva as p
    left join curvas as c
        on
            p.ano = c.ano
            and p.distribuidora_id = c.distribuidora_id
            and p.tipo_curva_carga = c.tipo_curva_carga
    where c.tipo_curva_carga is null and {{ total_vetor('p.energia_mes') }} <> 0
),

celulas as (
    select
        u.ano,
        u.distribuidora_id,
        coalesce(t.circuito, '') as circuito,
        u.transformador,
        count(*) as leads,
        count(*) filter (where u.pessoa_fisica) as leads_pf,
        sum(u.energia_anual_kwh) as energia,
        max(u.energia_anual_kwh) as maior,
        sum(u.energia_anual_kwh) filter (where u.pessoa_fisica) as energia_pf,
        max(u.energia_anual_kwh) filter (where u.pessoa_fisica) as maior_pf
    from unidades as u
    inner join transformadores as t
        on
            u.ano = t.ano
            and u.distribuidora_id = t.distribuidora_id
            and u.transformador = t.transformador
    group by u.ano, u.distribuidora_id, t.circuito, u.transformador
),

partes as (
    select
        *,
        {{ pequena_de() }} as pequena
    from celulas
),

-- mart_perda_alimentador has the feeder's sum: what is not shown of it must not be a small cell.
{{ esconde_complementos('partes', total=['ano', 'distribuidora_id', 'circuito'], parte='transformador') }},

medidas as (
    select
        t.*,
        coalesce(o.oculta, false) as suprimido,
        case when c.ano is not null then coalesce(q.leads, 0) end as unidades,
        case when c.ano is not null then coalesce(q.energia, 0) end as energia_anual_kwh,
        case when s.transformador is null then m.kw end as demanda_maxima_kw,
        h.do_ano as horas
    from transformadores as t
    left join camadas as c on t.ano = c.ano and t.distribuidora_id = c.distribuidora_id
    left join horas as h on t.ano = h.ano and t.distribuidora_id = h.distribuidora_id
    left join celulas as q
        on
            t.ano = q.ano
            and t.distribuidora_id = q.distribuidora_id
            and t.transformador = q.transformador
    left join ocultas as o
        on
            t.ano = o.ano
            and t.distribuidora_id = o.distribuidora_id
            and t.transformador = o.transformador
    left join maximos as m
        on
            t.ano = m.ano
            and t.distribuidora_id = m.distribuidora_id
            and t.transformador = m.transformador
    left join sem_curva as s
        on
            t.ano = s.ano
            and t.distribuidora_id = s.distribuidora_id
            and t.transformador = s.transformador
)

select
    case when not suprimido then unidades end as unidades,
    potencia_kva,
    case when not suprimido then energia_anual_kwh end as energia_anual_kwh,
    case
        when not suprimido and unidades > 0
            then energia_anual_kwh / (horas * {{ fator_de_potencia }} * potencia_kva)
    end as carregamento_medio,
    case
        when not suprimido
            then demanda_maxima_kw / ({{ fator_de_potencia }} * potencia_kva)
    end as carregamento_maximo,
    latitude,
    longitude,
    distribuidora_id,
    municipio_id,
    conjunto_id,
    ano,
    suprimido,
    transformador,
    circuito,
    subestacao,
    situacao_uc_id,
    geom
from medidas
