with leads as (
    select * from {{ ref('lead_bruto') }}
),

pontos as (
    select * from {{ ref('ponto_notavel') }}
),

municipios as (
    select * from {{ ref('municipio') }}
)

select
    l.*,
    coalesce(l.latitude, p.latitude, m.latitude) as latitude_final,
    coalesce(l.longitude, p.longitude, m.longitude) as longitude_final,
    case
        when l.latitude is not null then 'uc'
        when p.latitude is not null then 'ponto_notavel'
        when m.latitude is not null then 'municipio'
    end as origem_coordenada,
    st_setsrid(
        st_makepoint(
            coalesce(l.longitude, p.longitude, m.longitude), coalesce(l.latitude, p.latitude, m.latitude)
        ),
        4674
    )::geometry (point, 4674) as geom
from leads as l
left join pontos as p
    on l.ano = p.ano
    and l.distribuidora_id = p.distribuidora_id
    and l.pn_con = p.cod_id
left join municipios as m on l.municipio_id = m.id
