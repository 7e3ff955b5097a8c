{# The layers that are not units. Belongs here: what their staging models have in common. Not here: the units' layers
   (unidade_consumidora.sql), one field's rule (limpeza.sql). #}

{# Those of loaders/bdgd/layers.py, in its order. #}
{% macro camadas_da_rede() %}
    {{ return([
        'PONNOT', 'CONJ', 'CRVCRG', 'UGAT', 'UGMT', 'UGBT', 'PIP', 'UNTRMT', 'SUB', 'ARAT', 'SSDMT', 'CTMT', 'BE',
        'PNT',
    ]) }}
{% endmacro %}

{# array[prefixo_01, …] of a layer's numbered columns. #}
{% macro vetor(prefixo, quantos=12) -%}
    array[
        {%- for k in range(1, quantos + 1) -%}
        {{ prefixo }}_{{ '%02d' | format(k) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    ]
{%- endmacro %}

{# The same of what a generator injects: UGAT has the two tariff posts and no total. #}
{% macro energia_injetada(camada) -%}
    {%- if camada != 'UGAT' %}{{ vetor('ene') }}
    {%- else -%}
    array[
        {%- for k in range(1, 13) -%}
        {%- set mes = '%02d' | format(k) -%}
        coalesce(ene_p_{{ mes }} + ene_f_{{ mes }}, ene_p_{{ mes }}, ene_f_{{ mes }}){{ ', ' if not loop.last }}
        {%- endfor -%}
    ]
    {%- endif -%}
{%- endmacro %}

{# Twelve sums, or another aggregate, over the rows of an array of twelve; a month that no row has stays null. #}
{% macro soma_vetor(vetor, agregado='sum', onde='') -%}
    array[
        {%- for mes in range(1, 13) %}
        {{ agregado }}({{ vetor }}[{{ mes }}]){{ ' filter (where ' ~ onde ~ ')' if onde }}{{ ',' if not loop.last }}
        {%- endfor %}
    ]
{%- endmacro %}

{# The sum of what is there of an array. #}
{% macro total_vetor(vetor) -%}
    (select sum(t.valor) from unnest({{ vetor }}) as t (valor))
{%- endmacro %}

{# A polygon for maps of the whole country: half a kilometre is a pixel there. #}
{% macro simplificado(geom) -%}
    {{ postgis() }}st_simplifypreservetopology({{ geom }}, 0.005)
{%- endmacro %}

{# A polygon as a multipolygon; anything else is no area. #}
{% macro area(geom) -%}
    (
        case
            when {{ postgis() }}geometrytype({{ geom }}) in ('POLYGON', 'MULTIPOLYGON')
                then {{ postgis() }}st_multi({{ geom }})
        end
    )::{{ postgis() }}geometry (multipolygon, 4674)
{%- endmacro %}
