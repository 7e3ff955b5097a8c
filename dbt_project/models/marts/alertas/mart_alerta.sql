{{ config(materialized='view') }}

select
    a.id as alerta_id,
    a.regra,
    r.titulo,
    r.metrica,
    a.nivel,
    a.distribuidora_id,
    a.alvo,
    a.nome,
    a.ano,
    a.mes,
    a.valor,
    a.valor_abertura,
    r.operador,
    a.limite,
    a.fechado_em is null as aberto,
    a.aberto_em,
    a.visto_em,
    a.fechado_em,
    a.motivo_fechamento,
    a.evidencia
from {{ source('app', 'alerta') }} as a
inner join {{ source('app', 'regra_alerta') }} as r on a.regra = r.chave
