{{ config(safra_pai='lead_bruto') }}
{%- set grupo = 'e.ano, e.distribuidora_id, e.oferta, e.grupo_comparacao' %}

with criterios as (
    select
        k.*,
        c.nome,
        c.fator,
        c.casas,
        c.frase,
        p.direcao,
        p.origem as origem_pesos
    from {{ ref('mart_lead_criterio') }} as k
    inner join {{ ref('criterio') }} as c on k.criterio = c.id
    inner join {{ ref('peso_criterio') }} as p on k.oferta = p.oferta_id and k.criterio = p.criterio_id
),

leads as (
    select * from {{ ref('lead_mercado') }}
),

elegiveis as (
    select * from {{ ref('lead_elegivel') }}
    where motivo is null
),

-- What a lead is not (0 of *0 ou 1*) may count half of the group's rank, and is no reason; nor is a loss.
ordenados as (
    select
        *,
        row_number() over (
            partition by uc_id, oferta
            order by contribuicao desc, peso desc, criterio asc
        ) as ordem
    from criterios
    where contribuicao > 0 and not (unidade in ('0 ou 1', 'R$') and valor <= 0)
),

somas as (
    select
        uc_id,
        oferta,
        sum(contribuicao) as score,
        max(origem_pesos) as origem_pesos,
        string_agg(lower(nome), ', ' order by peso desc, criterio asc)
        filter (where valor is null) as sem_dado
    from criterios
    group by uc_id, oferta
),

frases as (
    select
        o.uc_id,
        o.oferta,
        o.ordem,
        replace(
            replace(o.frase, '{valor}', {{ numero_br('o.valor * o.fator', 'o.casas') }}),
            '{detalhe}',
            coalesce(
                case o.criterio
                    when 'participacao_ponta' then {{ numero_br('l.energia_ponta_kwh / 12000', '1') }}
                    when 'dic_sobre_conjunto' then {{ numero_br('l.dic_mediana_conjunto_h', '1') }}
                    when 'energia_sobre_pares' then {{ numero_br('l.energia_mediana_pares_kwh / 1000', '1') }}
                end, ''
            )
        )
        || case o.direcao when 'menor' then ', menos que ' else ', mais que ' end
        -- Nobody is more than the whole group, of which it is one.
        || {{ numero_br('least(100 * o.valor_normalizado, 99)') }} || ' % do grupo' as frase
    from ordenados as o
    inner join leads as l on o.uc_id = l.uc_id
    where o.ordem <= 3
),

motivos as (
    select
        uc_id,
        oferta,
        max(frase) filter (where ordem = 1) as primeiro,
        max(frase) filter (where ordem = 2) as segundo,
        max(frase) filter (where ordem = 3) as terceiro
    from frases
    group by uc_id, oferta
),

-- What has to be known before the first call.
ressalvas as (
    select
        l.uc_id,
        case
            when l.optante_b then '. Optante B: antes precisa voltar ao Grupo A'
            when l.origem = 'UCBT'
                then '. Próxima onda: até ' || to_char(l.mercado_livre_desde, 'DD/MM/YYYY')
        end as texto
    from leads as l
)

select
    e.uc_id,
    s.score::numeric(9, 6) as score,
    (
        100 * (
            rank() over (partition by {{ grupo }} order by s.score) - 1
            + count(*) over (partition by {{ grupo }}, s.score) / 2.0
        ) / count(*) over (partition by {{ grupo }})
    )::double precision as percentil,
    e.distribuidora_id,
    rank() over (partition by e.ano, e.distribuidora_id, e.oferta order by s.score desc)::integer as posicao,
    e.ano,
    e.oferta,
    e.grupo_comparacao,
    s.origem_pesos,
    m.primeiro || case when e.oferta = 'migracao' then coalesce(r.texto, '') else '' end as motivo_1,
    m.segundo as motivo_2,
    m.terceiro || coalesce('. Sem dado, contam 0: ' || s.sem_dado, '') as motivo_3
from elegiveis as e
inner join somas as s on e.uc_id = s.uc_id and e.oferta = s.oferta
left join motivos as m on e.uc_id = m.uc_id and e.oferta = m.oferta
left join ressalvas as r on e.uc_id = r.uc_id
