{# What the search for anomalies is made of. Belongs here: robust measures, what a month and a run are. Not here: which kinds
   there are and from where they mark (seeds/anomalia_tipo.csv), which areas are too small to show (privacidade.sql). #}

{# 0.6745 makes the MAD of a normal distribution its standard deviation; the floor keeps units that hardly vary. #}
{% macro z_robusto(x, centro, mad, piso) -%}
    (0.6745 * ({{ x }} - {{ centro }}) / greatest({{ mad }}, {{ piso }}))
{%- endmacro %}

{# Whether two neighbouring months are the same number: what a run begins with, told without unnesting. #}
{% macro tem_meses_iguais(serie) -%}
    (
        {%- for mes in range(1, 12) %}
        {{ serie }}[{{ mes }}] = {{ serie }}[{{ mes + 1 }}]{{ ' or' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# Twelve times the greatest demand of the month's posts. #}
{% macro maior_demanda_mes(serie) -%}
    array[
        {%- for mes in range(1, 13) %}
        greatest(
            {{ serie }}.demanda_total[{{ mes }}],
            {{ serie }}.demanda_ponta[{{ mes }}],
            {{ serie }}.demanda_fora_ponta[{{ mes }}]
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ]
{%- endmacro %}

{# Each month as times the median, up to a most; not least(), for which a null is the most. #}
{% macro vezes_a_mediana(serie, mediana, maximo) -%}
    array[
        {%- for mes in range(1, 13) %}
        case
            when {{ serie }}[{{ mes }}] > {{ maximo }} * {{ mediana }} then {{ maximo }}
            else {{ serie }}[{{ mes }}] / {{ mediana }}
        end{{ ',' if not loop.last }}
        {%- endfor %}
    ]
{%- endmacro %}

{# How many months have something. #}
{% macro meses_positivos(serie) -%}
    (select count(*) from unnest({{ serie }}) as e (valor) where e.valor > 0)
{%- endmacro %}

{% macro horas_do_mes(ano, mes) -%}
    (24 * extract(day from make_date({{ ano }}, {{ mes }}::integer, 1) + interval '1 month - 1 day'))
{%- endmacro %}

{# 05/2024, as people here write a month. #}
{% macro mes_e_ano(mes, ano) -%}
    (lpad({{ mes }}::text, 2, '0') || '/' || {{ ano }})
{%- endmacro %}

{# The key of a unit in another year; the columns are those of the row at hand. #}
{% macro uc_id_da_origem() -%}
    case origem
        {%- for camada in camadas_uc() %}
        when '{{ camada }}' then {{ uc_id(camada) }}
        {%- endfor %}
    end
{%- endmacro %}

{# "5,1 vezes a" or "0,4 % da", before what a value is held against. #}
{% macro vezes_a(razao) -%}
    case
        when {{ razao }} >= 1 then {{ numero_br(razao, '1') }} || ' vezes a'
        else {{ numero_br('100 * (' ~ razao ~ ')', '1') }} || ' % da'
    end
{%- endmacro %}
