{{ config(safra_pai='lead_bruto') }}
{%- set tipos_da_uc = [
    'desvio_proprio', 'pico', 'linha_reta', 'zeros', 'desvio_dos_pares', 'variacao_anual',
    'energia_sem_demanda', 'demanda_sem_energia', 'energia_acima_da_demanda'
] %}
{%- set quando = mes_e_ano('m.mes', 'm.ano') %}
{%- set valor = numero_br('m.valor') %}
{%- set esperado = numero_br('m.esperado') %}
{%- set medida = numero_br('m.medida', '1') %}
{#- Months with consumption from which a unit's median says something. #}
{%- set meio_ano = 6 %}

-- One row; a kind that is off has nulls, with which nothing compares.
with limites as (
    select
        {%- for tipo in tipos_da_uc + ['queda_na_area'] %}
        {%- for campo in ['limite', 'piso_mad', 'efeito_minimo', 'minimo_kwh', 'minimo_n'] %}
        max({{ campo }}) filter (where tipo = '{{ tipo }}') as {{ tipo }}_{{ campo }},
        {%- endfor %}
        {%- endfor %}
        count(*) as tipos
    from {{ ref('anomalia_tipo') }}
    where ativo
),

unidades as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.origem,
        l.cod_id,
        l.chave_origem,
        l.municipio_id,
        l.conjunto_id,
        l.bairro,
        l.circuito,
        l.classe_consumo_id,
        l.tipo_curva_carga,
        coalesce(l.situacao_uc_id = 'AT', false) as ativa,
        coalesce(l.data_conexao < make_date(l.ano, 1, 1), true) as ligada_antes,
        {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_juridica,
        p.energia_anual_kwh,
        p.energia_mes,
        -- Under a B tariff no demand is measured.
        case when l.pac > 0 then {{ maior_demanda_mes('s') }} end as demanda_mes
    from {{ ref('lead_bruto') }} as l
    inner join {{ ref('lead_perfil') }} as p on l.uc_id = p.uc_id
    inner join {{ ref('lead_serie') }} as s on l.uc_id = s.uc_id
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
),

-- Arrays of twelve until something is marked: 100 k units are 100 k rows, not 1.2 M.
medidas as (
    select
        u.*,
        m.mediana,
        m.meses,
        m.menor,
        m.maior,
        d.mad,
        -- Each month as times its median, of which a giant's swing counts no more than three.
        case
            when u.ativa and m.meses >= {{ meio_ano }}
                then {{ vezes_a_mediana('u.energia_mes', 'm.mediana', 3) }}
        end as vezes_mes,
        {{ meses_positivos('u.demanda_mes') }} as meses_com_demanda
    from unidades as u
    cross join
        lateral (
            select
                percentile_cont(0.5) within group (order by e.kwh) as mediana,
                count(*) as meses,
                min(e.kwh) as menor,
                max(e.kwh) as maior
            from unnest(u.energia_mes) as e (kwh)
            where e.kwh > 0
        ) as m
    cross join
        lateral (
            select percentile_cont(0.5) within group (order by abs(ln(e.kwh / m.mediana))) as mad
            from unnest(u.energia_mes) as e (kwh)
            where e.kwh > 0
        ) as d
),

-- A month against the unit's own others.
meses_marcados as (
    select
        m.uc_id,
        t.tipo,
        e.mes,
        e.kwh as valor,
        t.esperado,
        t.medida,
        t.apoio
    from medidas as m
    cross join limites as k
    cross join
        lateral unnest(m.energia_mes, m.demanda_mes) with ordinality as e (kwh, kw, mes)
    cross join
        lateral ( -- noqa: ST05
            select
                'desvio_proprio' as tipo,
                m.mediana as esperado,
                {{ z_robusto('ln(e.kwh / m.mediana)', '0', 'm.mad', 'k.desvio_proprio_piso_mad') }} as medida,
                null::double precision as apoio
            where
                e.kwh > 0
                and m.meses >= k.desvio_proprio_minimo_n
                and abs(e.kwh - m.mediana) >= k.desvio_proprio_minimo_kwh
                and abs(ln(e.kwh / m.mediana)) >= ln(k.desvio_proprio_efeito_minimo)
                and abs({{ z_robusto('ln(e.kwh / m.mediana)', '0', 'm.mad', 'k.desvio_proprio_piso_mad') }})
                >= k.desvio_proprio_limite
            union all
            select
                'pico' as tipo,
                m.mediana as esperado,
                e.kwh / m.mediana as medida,
                null as apoio
            where
                e.kwh >= k.pico_limite * m.mediana
                and e.kwh >= k.pico_minimo_kwh
                and m.meses >= k.pico_minimo_n
            union all
            select
                'energia_sem_demanda' as tipo,
                null as esperado,
                e.kwh / m.mediana as medida,
                m.meses_com_demanda as apoio
            where
                e.kw = 0
                and e.kwh >= k.energia_sem_demanda_limite * m.mediana
                and e.kwh >= k.energia_sem_demanda_minimo_kwh
                and m.meses_com_demanda >= k.energia_sem_demanda_minimo_n
            union all
            select
                'demanda_sem_energia' as tipo,
                m.mediana as esperado,
                e.kw as medida,
                null as apoio
            where
                e.kwh = 0
                and e.kw >= k.demanda_sem_energia_limite
                and m.mediana >= k.demanda_sem_energia_minimo_kwh
                and m.meses >= k.demanda_sem_energia_minimo_n
            union all
            select
                'energia_acima_da_demanda' as tipo,
                e.kw * {{ horas_do_mes('m.ano', 'e.mes') }} as esperado,
                e.kwh / (e.kw * {{ horas_do_mes('m.ano', 'e.mes') }}) as medida,
                e.kw as apoio
            where
                e.kw > 0
                and e.kwh >= k.energia_acima_da_demanda_minimo_kwh
                and e.kwh >= k.energia_acima_da_demanda_limite * e.kw * {{ horas_do_mes('m.ano', 'e.mes') }}
        ) as t
    -- Whose months all lie within the least that is marked is not looked at month by month: nine in ten.
    where
        m.demanda_mes is not null
        or m.maior >= least(k.desvio_proprio_efeito_minimo, k.pico_limite) * m.mediana
        or m.menor * k.desvio_proprio_efeito_minimo <= m.mediana
),

-- Runs of one number, zero or not.
corridas as (
    select
        m.uc_id,
        case when c.kwh > 0 then 'linha_reta' else 'zeros' end as tipo,
        c.mes,
        c.kwh as valor,
        case when c.kwh = 0 then m.mediana end as esperado,
        c.quantos::double precision as medida,
        null::double precision as apoio
    from medidas as m
    cross join limites as k
    cross join
        lateral ( -- noqa: ST05
            select
                min(g.mes) as mes,
                g.kwh,
                count(*) as quantos
            from (
                select
                    n.kwh,
                    n.mes,
                    n.mes - row_number() over (partition by n.kwh order by n.mes) as ilha
                from unnest(m.energia_mes) with ordinality as n (kwh, mes)
            ) as g
            group by g.kwh, g.ilha
        ) as c
    where
        {{ tem_meses_iguais('m.energia_mes') }}
        and (
            c.kwh > 0 and c.kwh >= k.linha_reta_minimo_kwh and c.quantos >= k.linha_reta_limite
            -- Before the first month with consumption it may not have been connected.
            or c.kwh = 0 and m.ativa and c.quantos >= k.zeros_limite and (
                m.energia_mes[c.mes - 1] > 0 and m.mediana >= k.zeros_minimo_kwh
                or c.quantos = 12 and m.ligada_antes
            )
        )
),

-- Peers: the same layer, class, município and load curve. Who lacks one of them has none.
grupos as (
    select
        m.ano,
        m.distribuidora_id,
        m.origem,
        m.classe_consumo_id,
        m.municipio_id,
        m.tipo_curva_carga,
        count(*) as pares,
        percentile_cont(0.5) within group (order by ln(m.mediana)) as centro
    from medidas as m
    where m.ativa and m.meses >= {{ meio_ano }}
    group by m.ano, m.distribuidora_id, m.origem, m.classe_consumo_id, m.municipio_id, m.tipo_curva_carga
    having count(*) >= (select k.desvio_dos_pares_minimo_n from limites as k)
),

no_grupo as (
    select
        m.uc_id,
        m.mediana,
        m.origem,
        m.classe_consumo_id,
        m.municipio_id,
        m.tipo_curva_carga,
        g.pares,
        g.centro,
        ln(m.mediana) - g.centro as desvio
    from medidas as m
    inner join grupos as g
        on
            m.ano = g.ano
            and m.distribuidora_id = g.distribuidora_id
            and m.origem = g.origem
            and m.classe_consumo_id = g.classe_consumo_id
            and m.municipio_id = g.municipio_id
            and m.tipo_curva_carga = g.tipo_curva_carga
    where m.ativa and m.meses >= {{ meio_ano }}
),

mad_do_grupo as (
    select
        origem,
        classe_consumo_id,
        municipio_id,
        tipo_curva_carga,
        percentile_cont(0.5) within group (order by abs(desvio)) as mad
    from no_grupo
    group by origem, classe_consumo_id, municipio_id, tipo_curva_carga
),

fora_do_grupo as (
    select
        n.uc_id,
        'desvio_dos_pares' as tipo,
        null::bigint as mes,
        n.mediana as valor,
        exp(n.centro) as esperado,
        {{ z_robusto('n.desvio', '0', 'g.mad', 'k.desvio_dos_pares_piso_mad') }} as medida,
        n.pares::double precision as apoio
    from no_grupo as n
    cross join limites as k
    inner join mad_do_grupo as g
        on
            n.origem = g.origem
            and n.classe_consumo_id = g.classe_consumo_id
            and n.municipio_id = g.municipio_id
            and n.tipo_curva_carga = g.tipo_curva_carga
    where
        abs(n.mediana - exp(n.centro)) >= k.desvio_dos_pares_minimo_kwh
        and abs(n.desvio) >= ln(k.desvio_dos_pares_efeito_minimo)
        and abs({{ z_robusto('n.desvio', '0', 'g.mad', 'k.desvio_dos_pares_piso_mad') }})
        >= k.desvio_dos_pares_limite
),

-- The distributor's published safra before this one, or nothing (macros/safra.sql).
anteriores as (
    select
        p.uc_id,
        p.ano,
        p.distribuidora_id,
        p.energia_anual_kwh,
        {{ meses_positivos('p.energia_mes') }} as meses
    from {{ source('publicado', 'lead_perfil_anterior') }} as p
),

ano_anterior as (
    select
        a.distribuidora_id,
        max(a.ano) as ano
    from anteriores as a
    where a.ano < (select max(u.ano) from unidades as u)
    group by a.distribuidora_id
),

-- The key that a unit had in that year: a file without COD_ID numbers its rows, and a number is no unit's.
chaves_anteriores as (
    select
        c.uc_id_agora,
        c.energia_anual_kwh,
        {{ uc_id_da_origem() }} as uc_id
    from (
        select
            m.uc_id as uc_id_agora,
            m.energia_anual_kwh,
            m.origem,
            m.cod_id,
            m.distribuidora_id,
            a.ano
        from medidas as m
        inner join ano_anterior as a on m.distribuidora_id = a.distribuidora_id
        where
            m.chave_origem = 'cod_id'
            and m.meses >= (select k.variacao_anual_minimo_n from limites as k)
    ) as c
),

nos_dois_anos as (
    select
        c.uc_id_agora as uc_id,
        c.energia_anual_kwh,
        a.energia_anual_kwh as anterior_kwh,
        a.ano as ano_anterior
    from chaves_anteriores as c
    inner join anteriores as a on c.uc_id = a.uc_id
    where a.meses >= (select k.variacao_anual_minimo_n from limites as k)
),

-- A file in another unit, or a warmer year, is no unit's own.
razao_de_todas as (
    select percentile_cont(0.5) within group (order by energia_anual_kwh / anterior_kwh) as razao
    from nos_dois_anos
),

fora_do_ano_anterior as (
    select
        n.uc_id,
        'variacao_anual' as tipo,
        null::bigint as mes,
        n.energia_anual_kwh as valor,
        n.anterior_kwh * r.razao as esperado,
        greatest(
            n.energia_anual_kwh / (n.anterior_kwh * r.razao), n.anterior_kwh * r.razao / n.energia_anual_kwh
        ) as medida,
        n.ano_anterior::double precision as apoio
    from nos_dois_anos as n
    cross join razao_de_todas as r
    cross join limites as k
    where
        abs(ln(n.energia_anual_kwh / (n.anterior_kwh * r.razao))) >= ln(k.variacao_anual_limite)
        and abs(n.energia_anual_kwh - n.anterior_kwh * r.razao) >= k.variacao_anual_minimo_kwh
),

das_unidades as (
    select * from meses_marcados
    union all
    select * from corridas
    union all
    select * from fora_do_grupo
    union all
    select * from fora_do_ano_anterior
),

celulas as (
    select
        ano,
        distribuidora_id,
        municipio_id,
        bairro,
        conjunto_id,
        circuito,
        case
            when grouping(bairro) = 0 then 'bairro'
            when grouping(municipio_id) = 0 then 'municipio'
            when grouping(conjunto_id) = 0 then 'conjunto'
            else 'circuito'
        end as nivel,
        count(*) as leads,
        count(*) filter (where not pessoa_juridica) as leads_pf,
        sum(energia_anual_kwh) as energia,
        max(energia_anual_kwh) as maior,
        sum(energia_anual_kwh) filter (where not pessoa_juridica) as energia_pf,
        max(energia_anual_kwh) filter (where not pessoa_juridica) as maior_pf,
        {{ soma_vetor('energia_mes') }} as energia_mes,
        {{ soma_vetor('energia_mes', 'max') }} as maior_mes,
        {{ soma_vetor('energia_mes', 'sum', 'not pessoa_juridica') }} as energia_pf_mes,
        {{ soma_vetor('energia_mes', 'max', 'not pessoa_juridica') }} as maior_pf_mes,
        {{ soma_vetor('vezes_mes') }} as vezes_mes,
        count(vezes_mes) as medidas
    from medidas
    group by grouping sets (
        (ano, distribuidora_id, municipio_id),
        (ano, distribuidora_id, municipio_id, bairro),
        (ano, distribuidora_id, conjunto_id),
        (ano, distribuidora_id, circuito)
    )
),

series as (
    select
        *,
        case nivel when 'bairro' then municipio_id end as grupo,
        case nivel
            when 'bairro' then municipio_id || '|' || bairro
            when 'municipio' then municipio_id::text
            when 'conjunto' then conjunto_id::text
            else circuito
        end as serie_id
    from celulas
),

{{ esconde_em_totais(
    'series',
    ['ano', 'distribuidora_id', 'nivel', 'grupo', 'serie_id'],
    [['ano', 'distribuidora_id', 'nivel', 'grupo'], ['ano', 'distribuidora_id', 'nivel']]
) }},

totais as (
    select
        ano,
        distribuidora_id,
        sum(medidas) as medidas,
        {{ soma_vetor('vezes_mes') }} as vezes_mes
    from celulas
    where nivel = 'municipio'
    group by ano, distribuidora_id
),

-- The season is what the units outside the area do on average; where there are hardly any, there is none. Not
-- the rest's energy: one factory that doubles would make all bairros but its own fall (EFLUL, 09/2020).
pontos_da_area as (
    select
        s.ano,
        s.distribuidora_id,
        s.nivel,
        s.grupo,
        s.serie_id,
        s.leads,
        s.leads_pf,
        e.mes,
        e.kwh,
        e.maior,
        e.kwh_pf,
        e.maior_pf,
        case
            when t.medidas > s.medidas and t.medidas >= 1.1 * s.medidas
                then nullif(greatest(e.total - coalesce(e.vezes, 0), 0), 0) / (t.medidas - s.medidas)
            else 1
        end as estacao
    from series as s
    cross join limites as k
    inner join totais as t on s.ano = t.ano and s.distribuidora_id = t.distribuidora_id
    cross join
        lateral unnest(
            s.energia_mes, s.maior_mes, s.energia_pf_mes, s.maior_pf_mes, s.vezes_mes, t.vezes_mes
        ) with ordinality
            as e (kwh, maior, kwh_pf, maior_pf, vezes, total, mes)
    where s.serie_id is not null and s.leads >= k.queda_na_area_minimo_n
),

centros as (
    select
        ano,
        distribuidora_id,
        nivel,
        serie_id,
        percentile_cont(0.5) within group (order by ln(kwh / estacao)) as centro
    from pontos_da_area
    where kwh > 0
    group by ano, distribuidora_id, nivel, serie_id
    having count(*) >= {{ meio_ano }}
),

esperados as (
    select
        p.*,
        c.centro,
        exp(c.centro) * p.estacao as esperado,
        -- A month of nothing has no logarithm: it counts as a thousandth of what was to be.
        ln(greatest(p.kwh / p.estacao, exp(c.centro) / 1000)) - c.centro as desvio
    from pontos_da_area as p
    inner join centros as c
        on
            p.ano = c.ano
            and p.distribuidora_id = c.distribuidora_id
            and p.nivel = c.nivel
            and p.serie_id = c.serie_id
),

mad_da_area as (
    select
        nivel,
        serie_id,
        percentile_cont(0.5) within group (order by abs(desvio)) as mad
    from esperados
    group by nivel, serie_id
),

quedas as (
    select
        e.*,
        {{ z_robusto('e.desvio', '0', 'a.mad', 'k.queda_na_area_piso_mad') }} as medida,
        not coalesce(o.oculta, false)
        -- Of the month alone: who is left when an area falls.
        and not {{ celula_pequena('e.leads_pf', 'e.kwh', 'e.maior', 'e.kwh_pf', 'e.maior_pf') }} as visivel
    from esperados as e
    cross join limites as k
    inner join mad_da_area as a on e.nivel = a.nivel and e.serie_id = a.serie_id
    left join escondidas as o
        on {{ mesma_chave('e', 'o', ['ano', 'distribuidora_id', 'nivel', 'grupo', 'serie_id']) }}
    where
        e.kwh <= (1 - k.queda_na_area_efeito_minimo) * e.esperado
        and e.esperado - e.kwh >= k.queda_na_area_minimo_kwh
        and {{ z_robusto('e.desvio', '0', 'a.mad', 'k.queda_na_area_piso_mad') }} <= -k.queda_na_area_limite
),

marcadas as (
    select
        'uc' as nivel,
        u.uc_id::text as serie_id,
        u.uc_id,
        u.distribuidora_id,
        u.ano,
        d.tipo,
        d.mes,
        d.valor,
        d.esperado,
        d.medida,
        d.apoio,
        u.pessoa_juridica as visivel
    from das_unidades as d
    inner join unidades as u on d.uc_id = u.uc_id
    union all
    select
        q.nivel,
        q.serie_id,
        null as uc_id,
        q.distribuidora_id,
        q.ano,
        'queda_na_area' as tipo,
        q.mes,
        q.kwh as valor,
        q.esperado,
        q.medida,
        q.leads as apoio,
        q.visivel
    from quedas as q
)

select
    m.valor,
    m.esperado,
    abs(m.medida) / t.limite as escore,
    m.uc_id,
    m.distribuidora_id,
    m.ano,
    m.mes::smallint as mes,
    m.visivel,
    m.nivel,
    m.serie_id,
    m.tipo,
    case m.tipo
        when 'desvio_proprio'
            then
                'Em ' || {{ quando }} || ' consumiu ' || {{ valor }} || ' kWh, '
                || {{ vezes_a('m.valor / m.esperado') }} || ' mediana dos seus meses ('
                || {{ esperado }} || ' kWh); z robusto ' || {{ medida }} || '.'
        when 'pico'
            then
                'Em ' || {{ quando }} || ' consumiu ' || {{ valor }} || ' kWh, '
                || {{ medida }} || ' vezes a mediana dos seus meses ('
                || {{ esperado }} || ' kWh).'
        when 'linha_reta'
            then
                {{ numero_br('m.medida') }} || ' meses seguidos com o mesmo consumo, ' || {{ valor }}
                || ' kWh, desde ' || {{ quando }} || '.'
        when 'zeros'
            then
                coalesce(
                    {{ numero_br('m.medida') }} || ' meses seguidos sem consumo desde ' || {{ quando }}
                    || ', em unidade ativa; a mediana dos seus outros meses é ' || {{ esperado }} || ' kWh.',
                    'Nenhum consumo nos 12 meses de ' || m.ano
                    || ', em unidade ativa que já estava ligada antes.'
                )
        when 'desvio_dos_pares'
            then
                'A mediana dos seus meses, ' || {{ valor }} || ' kWh, é '
                || {{ vezes_a('m.valor / m.esperado') }} || ' de ' || {{ numero_br('m.apoio') }}
                || ' unidades de mesma classe, município e curva (' || {{ esperado }}
                || ' kWh); z robusto ' || {{ medida }} || '.'
        when 'variacao_anual'
            then
                'Consumiu ' || {{ valor }} || ' kWh em ' || m.ano || ', '
                || {{ vezes_a('m.valor / m.esperado') }} || ' energia que a safra de ' || m.apoio
                || ' fazia esperar ('
                || {{ esperado }} || ' kWh).'
        when 'energia_sem_demanda'
            then
                'Em ' || {{ quando }} || ' consumiu ' || {{ valor }}
                || ' kWh com demanda zero; em ' || {{ numero_br('m.apoio') }} || ' meses do ano mede demanda.'
        when 'demanda_sem_energia'
            then
                'Em ' || {{ quando }} || ' mediu ' || {{ medida }}
                || ' kW de demanda e nenhuma energia; a mediana dos seus outros meses é '
                || {{ esperado }} || ' kWh.'
        when 'energia_acima_da_demanda'
            then
                'Em ' || {{ quando }} || ' consumiu ' || {{ valor }} || ' kWh; a demanda medida, '
                || {{ numero_br('m.apoio', '1') }} || ' kW, o mês inteiro daria ' || {{ esperado }}
                || ' kWh.'
        when 'queda_na_area'
            then
                'Em ' || {{ quando }} || ' as ' || {{ numero_br('m.apoio') }}
                || ' unidades consumiram ' || {{ valor }} || ' kWh, '
                || {{ numero_br('100 * (1 - m.valor / m.esperado)', '1') }} || ' % abaixo do esperado ('
                || {{ esperado }} || ' kWh); z robusto ' || {{ medida }} || '.'
    end as evidencia
from marcadas as m
inner join {{ ref('anomalia_tipo') }} as t on m.tipo = t.tipo
