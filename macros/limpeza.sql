{# Cleaning of ANEEL's fields. Belongs here: one field's rule each. Not here: joins, domains. #}

{# Text: the filler is one space. #}
{% macro texto(coluna) -%}
    nullif(btrim({{ coluna }}), '')
{%- endmacro %}

{# Code of a network element: '0' too means none. #}
{% macro codigo_rede(coluna) -%}
    nullif({{ texto(coluna) }}, '0')
{%- endmacro %}

{# CEP: eight digits, whatever the punctuation; 00000000 is a filler. #}
{% macro cep(coluna) -%}
    case
        when translate({{ coluna }}, ' .-', '') ~ '^\d{8}$'
            then nullif(translate({{ coluna }}, ' .-', ''), '00000000')
    end
{%- endmacro %}

{# CNAE: digits only, leading zeros kept; '0' is not applicable. #}
{% macro cnae(coluna) -%}
    nullif(nullif(translate({{ coluna }}, ' .-/', ''), ''), '0')
{%- endmacro %}

{# Date DD/MM/AAAA that exists in the calendar; anything else is null (PostgreSQL would stop the build). #}
{% macro data_br(coluna) -%}
    case
        when {{ coluna }} ~ '^\s*(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/(1[89]|2\d)\d\d\s*$'
            and substr(btrim({{ coluna }}), 1, 2)::integer <= extract(
                day from make_date(
                    substr(btrim({{ coluna }}), 7, 4)::integer, substr(btrim({{ coluna }}), 4, 2)::integer, 1
                ) + interval '1 month' - interval '1 day'
            )
            then make_date(
                substr(btrim({{ coluna }}), 7, 4)::integer,
                substr(btrim({{ coluna }}), 4, 2)::integer,
                substr(btrim({{ coluna }}), 1, 2)::integer
            )
    end
{%- endmacro %}

{# A coordinate of the unit's own, if the pair lies within Brazil's bounding box (degrees, SIRGAS 2000). #}
{% macro coordenada(eixo) -%}
    case
        when point_x between -74.1 and -28.6 and point_y between -33.9 and 5.4 then {{ eixo }}
    end
{%- endmacro %}
