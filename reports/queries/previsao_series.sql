-- A series' first twelve months, how sure they are, and how well its model did where it was tested.
with series as (
    select
        nivel,
        serie_id,
        min(modelo) as modelo,
        min(treinado_ate) as treinado_ate,
        sum(media) as media,
        avg((superior_80 - inferior_80) / nullif(2 * media, 0)) * 100 as incerteza_80_pct,
        bool_or(suprimido) as suprimido
    from marts.mart_previsao_energia
    where distribuidora_id = %(distribuidora_id)s
        and (
            %(municipios)s::integer[] is null
            or nivel = 'municipio_classe'
            and split_part(serie_id, '|', 1) = any(%(municipios)s::integer[]::text[])
        )
        and competencia <= treinado_ate + interval '12 months'
    group by nivel, serie_id
)

select
    s.nivel,
    s.serie_id,
    coalesce(c.conjunto, g.segmento_mercado, m.municipio || ', ' || split_part(s.serie_id, '|', 2)) as nome,
    s.modelo,
    s.treinado_ate,
    s.media,
    s.incerteza_80_pct,
    s.suprimido,
    d.mase,
    d.cobertura_80
from series as s
left join marts.mart_desempenho_modelo as d
    on d.tipo = 'previsao' and d.publicado
        and d.distribuidora_id = %(distribuidora_id)s
        and d.nivel = s.nivel and d.serie_id = s.serie_id and d.modelo = s.modelo
        and d.ano = extract(year from s.treinado_ate)
left join marts.resumo_conjunto as c
    on s.nivel = 'conjunto' and c.ano = %(ano)s
        and c.distribuidora_id = %(distribuidora_id)s and c.conjunto_id::text = s.serie_id
left join marts.resumo_segmento as g
    on s.nivel = 'segmento' and g.ano = %(ano)s
        and g.distribuidora_id = %(distribuidora_id)s and g.segmento_mercado_id = s.serie_id
left join marts.resumo_municipio as m
    on s.nivel = 'municipio_classe' and m.ano = %(ano)s
        and m.municipio_id::text = split_part(s.serie_id, '|', 1)
order by
    array_position(array['distribuidora', 'conjunto', 'segmento', 'municipio_classe'], s.nivel),
    s.media desc nulls last, s.serie_id asc
