-- From the smallest table that every safra has.
with safras as (
    select distinct
        ano,
        distribuidora_id
    from {{ ref('carga_resumo') }}
),

-- What everybody pays: neither a kind of access nor one agent's own.
tarifas as (
    select t.*
    from {{ ref('tarifa_vigente') }} as t
    where t.detalhe = 'nao se aplica' and t.acessante = 'nao se aplica' and t.modalidade <> 'branca'
),

dias as (
    select
        s.ano,
        s.distribuidora_id,
        d.dia::date as dia,
        extract(month from d.dia)::smallint as mes
    from safras as s
    cross join
        lateral generate_series(
            make_date(s.ano, 1, 1), make_date(s.ano, 12, 31), interval '1 day'
        ) as d (dia)
),

-- One price a day: where classes have their own, that of no class, else of no subclass, else of the class.
do_dia as (
    select distinct on (
        d.ano, d.distribuidora_id, d.dia, t.subgrupo_tarifario_id, t.modalidade, t.posto, t.grandeza
    )
        d.mes,
        t.*,
        d.ano
    from dias as d
    inner join tarifas as t
        on
            d.distribuidora_id = t.distribuidora_id
            and d.dia >= t.inicio
            and d.dia <= coalesce(t.fim, d.dia)
    order by
        d.ano asc, d.distribuidora_id asc, d.dia asc, t.subgrupo_tarifario_id asc, t.modalidade asc,
        t.posto asc, t.grandeza asc, t.classe = 'nao se aplica' desc, t.subclasse = 'nao se aplica' desc,
        t.subclasse = t.classe desc, t.classe asc, t.subclasse asc
),

dias_do_mes as (
    select
        ano,
        distribuidora_id,
        mes,
        count(*) as quantos
    from dias
    group by ano, distribuidora_id, mes
),

-- A month that is not priced whole has no price. Decimals: a price that stands all month stays what it is.
medias as (
    select
        t.ano,
        t.distribuidora_id,
        t.subgrupo_tarifario_id,
        t.modalidade,
        t.mes,
        t.posto,
        t.grandeza,
        avg(t.tusd_brl_kwh::numeric)::double precision as tusd_brl_kwh,
        avg(t.te_brl_kwh::numeric)::double precision as te_brl_kwh,
        avg((t.tusd_brl_kw + t.te_brl_kw)::numeric)::double precision as brl_kw
    from do_dia as t
    inner join dias_do_mes as m
        on t.ano = m.ano and t.distribuidora_id = m.distribuidora_id and t.mes = m.mes
    group by
        t.ano, t.distribuidora_id, t.subgrupo_tarifario_id, t.modalidade, t.mes, t.posto, t.grandeza,
        m.quantos
    having count(*) = m.quantos
),

desdes as (
    select
        ano,
        distribuidora_id,
        subgrupo_tarifario_id,
        modalidade,
        mes,
        string_agg(to_char(inicio, 'DD/MM/YYYY'), ' e ' order by inicio) as texto
    from (
        select distinct
            ano,
            distribuidora_id,
            subgrupo_tarifario_id,
            modalidade,
            mes,
            inicio
        from do_dia
    ) as d
    group by ano, distribuidora_id, subgrupo_tarifario_id, modalidade, mes
),

postos as (
    select
        ano,
        distribuidora_id,
        subgrupo_tarifario_id,
        modalidade,
        mes,
        max(brl_kw) filter (where posto = 'ponta') as kw_ponta,
        -- Verde has one demand for both posts.
        coalesce(
            max(brl_kw) filter (where posto = 'unico'), max(brl_kw) filter (where posto = 'fora_ponta')
        ) as kw,
        max(tusd_brl_kwh) filter (where posto = 'ponta') as tusd_ponta,
        max(te_brl_kwh) filter (where posto = 'ponta') as te_ponta,
        max(tusd_brl_kwh) filter (where posto = 'fora_ponta') as tusd_fora_ponta,
        max(te_brl_kwh) filter (where posto = 'fora_ponta') as te_fora_ponta,
        max(tusd_brl_kwh) filter (where posto = 'unico') as tusd,
        max(te_brl_kwh) filter (where posto = 'unico') as te
    from medias
    group by ano, distribuidora_id, subgrupo_tarifario_id, modalidade, mes
)

select
    case p.modalidade when 'azul' then p.kw_ponta end as demanda_ponta_brl_kw,
    case when p.modalidade <> 'convencional' then p.kw end as demanda_brl_kw,
    case when p.modalidade <> 'convencional' then p.tusd_ponta end as tusd_ponta_brl_kwh,
    case when p.modalidade <> 'convencional' then p.te_ponta end as te_ponta_brl_kwh,
    case p.modalidade when 'convencional' then p.tusd else p.tusd_fora_ponta end as tusd_brl_kwh,
    case p.modalidade when 'convencional' then p.te else p.te_fora_ponta end as te_brl_kwh,
    p.distribuidora_id,
    p.ano,
    p.mes,
    p.subgrupo_tarifario_id,
    p.modalidade,
    p.subgrupo_tarifario_id || ' desde ' || d.texto as tarifa
from postos as p
inner join desdes as d
    on
        p.ano = d.ano
        and p.distribuidora_id = d.distribuidora_id
        and p.subgrupo_tarifario_id = d.subgrupo_tarifario_id
        and p.modalidade = d.modalidade
        and p.mes = d.mes
-- A price that lacks one of its parts makes no bill.
where
    case p.modalidade
        when 'convencional' then p.tusd is not null
        else
            p.tusd_ponta is not null
            and p.tusd_fora_ponta is not null
            and p.kw is not null
            and (p.modalidade = 'verde' or p.kw_ponta is not null)
    end
