{# What the maps share. Belongs here: which units have a place, the plane in which metres are measured. Not here: where a
   lead is (unidade_consumidora.sql), which cell is too small (privacidade.sql). #}

{# Units with a place of their own: theirs, or their pole's. A município's point says nothing of where in it they are. #}
{% macro unidades_no_mapa(leads, anual, classes, pontos) -%}
    select
        l.ano,
        l.distribuidora_id,
        {{ eixo_do_lead('longitude', ['l', 'n']) }} as longitude,
        {{ eixo_do_lead('latitude', ['l', 'n']) }} as latitude,
        l.possui_geracao,
        a.energia_anual_kwh,
        {{ indicador_possivel('a.dic_anual_h', 'l.ano') }} as dic_h,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica
    from {{ leads }} as l
    inner join {{ anual }} as a on l.uc_id = a.uc_id
    left join {{ classes }} as c on l.classe_consumo_id = c.id
    left join {{ pontos }} as n
        on l.ano = n.ano and l.distribuidora_id = n.distribuidora_id and l.pn_con = n.cod_id
    where {{ eixo_do_lead('latitude', ['l', 'n']) }} is not null
{%- endmacro %}

{# A point in SIRGAS 2000 / Brazil Polyconic (EPSG:5880), metres. #}
{% macro no_plano(longitude, latitude) -%}
    {{ postgis() }}st_transform(
        {{ postgis() }}st_setsrid({{ postgis() }}st_makepoint({{ longitude }}, {{ latitude }}), 4674), 5880
    )
{%- endmacro %}

{% macro do_plano(forma) -%}
    {{ postgis() }}st_transform({{ forma }}, 4674)
{%- endmacro %}

{% macro origem_do_plano() -%}
    {{ postgis() }}st_setsrid({{ postgis() }}st_makepoint(0, 0), 5880)
{%- endmacro %}

{# Which tile of a zoom (EPSG:3857) a place is in, from the west; from the north. #}
{% macro coluna_do_bloco(longitude, zoom) -%}
    floor(({{ longitude }} + 180) / 360 * {{ 2 ** zoom }})::integer
{%- endmacro %}

{% macro linha_do_bloco(latitude, zoom) -%}
    floor((1 - asinh(tan(radians({{ latitude }}))) / pi()) / 2 * {{ 2 ** zoom }})::integer
{%- endmacro %}
