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

{# A day that the calendar has, of integers within its ranges but for the month's length; else null. #}
{% macro dia_do_calendario(ano, mes, dia) -%}
    case
        when {{ dia }} <= extract(day from make_date({{ ano }}, {{ mes }}, 1) + interval '1 month - 1 day')
            then make_date({{ ano }}, {{ mes }}, {{ dia }})
    end
{%- endmacro %}

{#
    Date DD/MM/AAAA, ISO (2019-05-03) or SAS (03MAY2019), a time of day after it passed over, that exists in
    the calendar; anything else is null (PostgreSQL would stop the build). The same forms: loaders/bdgd/physics.py.
#}
{% macro data_br(coluna) -%}
    {%- set texto = 'btrim(' ~ coluna ~ ')' -%}
    {%- set dia, mes, ano = '(0[1-9]|[12][0-9]|3[01])', '(0[1-9]|1[0-2])', '(1[89]|2[0-9])[0-9]{2}' -%}
    {%- set meses = 'JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC' -%}
    {%- set hora = '([T :][0-9:.,]*(Z|[-+][0-9]{2}:?[0-9]{2})?)?$' -%}
    case
        when {{ texto }} ~ '^{{ dia }}/{{ mes }}/{{ ano }}{{ hora }}'
            then {{ dia_do_calendario(
                'substr(' ~ texto ~ ', 7, 4)::integer',
                'substr(' ~ texto ~ ', 4, 2)::integer',
                'substr(' ~ texto ~ ', 1, 2)::integer'
            ) }}
        when {{ texto }} ~ '^{{ ano }}(-{{ mes }}-|/{{ mes }}/){{ dia }}{{ hora }}'
            then {{ dia_do_calendario(
                'substr(' ~ texto ~ ', 1, 4)::integer',
                'substr(' ~ texto ~ ', 6, 2)::integer',
                'substr(' ~ texto ~ ', 9, 2)::integer'
            ) }}
        when {{ texto }} ~* '^{{ dia }}(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC){{ ano }}{{ hora }}'
            then {{ dia_do_calendario(
                'substr(' ~ texto ~ ', 6, 4)::integer',
                "((position(upper(substr(" ~ texto ~ ", 3, 3)) in '" ~ meses ~ "') + 2) / 3)",
                'substr(' ~ texto ~ ', 1, 2)::integer'
            ) }}
    end
{%- endmacro %}

{# A coordinate of the unit's own, if the pair lies within Brazil's bounding box (degrees, SIRGAS 2000). #}
{% macro coordenada(eixo) -%}
    case
        when point_x between -74.1 and -28.6 and point_y between -33.9 and 5.4 then {{ eixo }}
    end
{%- endmacro %}

{#
    A number as text, with decimal comma or point: the last mark starts the decimals, one that comes twice groups
    thousands, no value ('-', '...') is null. The loader lets no other text through (loaders/open_data/values.py).
#}
{% macro decimal_br(coluna) -%}
    {%- set texto = 'btrim(' ~ coluna ~ ')' -%}
    case
        when {{ texto }} ~ '^[-+]?[0-9]*[.,]?[0-9]+[.,]?([eE][-+]?[0-9]{1,2})?$'
            then replace({{ texto }}, ',', '.')::double precision
        when {{ texto }} ~ '^[-+]?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]*)?$'
            then replace(replace({{ texto }}, '.', ''), ',', '.')::double precision
        when {{ texto }} ~ '^[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$'
            then replace({{ texto }}, ',', '')::double precision
    end
{%- endmacro %}

{# Text of ANEEL's open data: 'Não se aplica' and 'Não informado' are none. #}
{% macro dito(coluna) -%}
    case
        when lower(btrim({{ coluna }})) not in ('', 'não se aplica', 'nao se aplica', 'não informado', 'n/a', '-')
            then btrim({{ coluna }})
    end
{%- endmacro %}

{# CNPJ without punctuation, in upper case; ANEEL's zeros on the left come back; all zeros is none. #}
{% macro cnpj(coluna) -%}
    {%- set texto = "regexp_replace(upper(" ~ coluna ~ "), '[^0-9A-Z]', '', 'g')" -%}
    case
        when {{ texto }} ~ '^[0-9A-Z]{8,12}[0-9]{2}$' and {{ texto }} !~ '^0+$'
            then lpad({{ texto }}, 14, '0')
    end
{%- endmacro %}

{# An agent's acronym, so that two sources may meet: upper case, no accents, letters and digits alone. #}
{% macro sigla_agente(coluna) -%}
    nullif(regexp_replace(
        translate(upper({{ coluna }}), 'ÁÀÂÃÄÉÊÈÍÓÔÕÖÚÜÇ', 'AAAAAEEEIOOOOUUC'), '[^0-9A-Z]', '', 'g'
    ), '')
{%- endmacro %}

{# Month of 202401, 2024-01, 01/2024 or of any day, as its first day. #}
{% macro mes_br(coluna) -%}
    {%- set texto = 'btrim(' ~ coluna ~ ')' -%}
    case
        when {{ texto }} ~ '^(19|20)[0-9]{2}[-/]?(0[1-9]|1[0-2])$'
            then make_date(left({{ texto }}, 4)::integer, right({{ texto }}, 2)::integer, 1)
        when {{ texto }} ~ '^(0[1-9]|1[0-2])[-/](19|20)[0-9]{2}$'
            then make_date(right({{ texto }}, 4)::integer, left({{ texto }}, 2)::integer, 1)
        else date_trunc('month', {{ data_br(coluna) }})::date
    end
{%- endmacro %}

{# Lower case without accents, one space between words: how one thing is spelled by several files. Blank is null.
   Capitals stand in the list too: where the database's locale is C, lower() knows ASCII alone. #}
{% macro sem_acento(coluna) -%}
    nullif(
        lower(
            translate(
                btrim(regexp_replace({{ coluna }}, '\s+', ' ', 'g')),
                'áàâãäéèêëíìîïóòôõöúùûüçÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇ', 'aaaaaeeeeiiiiooooouuuucaaaaaeeeeiiiiooooouuuuc'
            )
        ), ''
    )
{%- endmacro %}

{# A day of ANEEL's open data: 1900 is its sign for none. #}
{% macro data_dita(coluna) -%}
    case when extract(year from {{ data_br(coluna) }}) > 1900 then {{ data_br(coluna) }} end
{%- endmacro %}
