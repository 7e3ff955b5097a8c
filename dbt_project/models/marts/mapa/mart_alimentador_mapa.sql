{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

-- Tolerances in metres of EPSG:3857. Snapped first, short pieces fall together; what stays joins up again.
with linhas as (
    select
        ano,
        distribuidora_id,
        circuito,
        {{ postgis() }}st_transform(geom, 3857) as geom
    from {{ ref('alimentador_geometria') }}
),

simplificadas as (
    select
        l.ano,
        l.distribuidora_id,
        l.circuito,
        t.zoom_minimo,
        case
            when t.tolerancia = 0 then l.geom
            else
                {{ postgis() }}st_simplify(
                    {{ postgis() }}st_linemerge({{ postgis() }}st_snaptogrid(l.geom, t.tolerancia / 2)),
                    t.tolerancia
                )
        end as geom
    from linhas as l
    cross join
        (values (8, 400::double precision), (10, 100), (12, 25), (14, 0)) as t (zoom_minimo, tolerancia)
)

select
    p.perdas_pct,
    s.distribuidora_id,
    s.ano,
    s.zoom_minimo::smallint as zoom_minimo,
    s.circuito,
    p.nome,
    p.subestacao,
    p.situacao,
    {{ postgis() }}st_multi({{ postgis() }}st_collectionextract(s.geom, 2))
    ::{{ postgis() }}geometry (multilinestring, 3857) as geom
from simplificadas as s
left join {{ ref('mart_perda_alimentador') }} as p
    on s.ano = p.ano and s.distribuidora_id = p.distribuidora_id and s.circuito = p.circuito
where not {{ postgis() }}st_isempty(s.geom)
