{# What the leads' models share. Belongs here: arithmetic over the twelve months, figures in words, one parameter of
   an offer. Not here: who is a lead (privacidade.sql), what an offer asks (seeds). #}

{# Sum, greatest and number of a series' months, without unnesting it: 500 k units are 500 k rows, not 6 M.
   A series of nulls has no sum. #}
{% macro soma_dos_meses(serie) -%}
    case when num_nonnulls({{ meses(serie) }}) > 0 then
        {% for mes in range(1, 13) %}coalesce({{ serie }}[{{ mes }}], 0){{ ' + ' if not loop.last }}{% endfor %}
    end
{%- endmacro %}

{% macro meses(serie) -%}
    {% for mes in range(1, 13) %}{{ serie }}[{{ mes }}]{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{# Rows of a safra as readers see them now, as JSON: of the published leaf, whatever is under construction. For a
   `lateral` beside `s`, a row of ano and distribuidora_id; names and columns are text, for the engine puts the
   leaves under construction wherever it finds a table's name. #}
{% macro publicado(tabela, colunas) -%}
    controle.publicado('{{ tabela }}', '{{ colunas }}', s.ano, s.distribuidora_id)
{%- endmacro %}

{# The load curve's key of a unit without a curve of its own: high voltage is as medium. #}
{% macro chave_da_classe(origem, grupo) -%}
    case when {{ origem }} = 'UCBT' then 'BT ' else 'MT ' end || coalesce({{ grupo }}, 'não informado')
{%- endmacro %}

{# The value in force of a parameter of offers: a scalar subquery. #}
{% macro parametro(nome) -%}
    (
        select p.valor from {{ ref('parametro_oferta') }} as p
        where p.nome = '{{ nome }}'
        order by p.vigencia desc limit 1
    )
{%- endmacro %}

{# A number as people here write it: 21.071.844 or 8,8; `casas` is SQL, 0 or 1. #}
{% macro numero_br(valor, casas='0') -%}
    translate(
        to_char(
            round(({{ valor }})::numeric, {{ casas }}),
            case {{ casas }} when 0 then 'FM999,999,999,999,990' else 'FM999,999,999,999,990.0' end
        ), ',.', '.,'
    )
{%- endmacro %}

{# The CTE `medianas`: of all units of a conjunto, households too; of fewer than five it would be somebody's own. More
   hours than the year has are no indicator. #}
{% macro medianas_do_conjunto(leads, anual) -%}
    select
        l.ano,
        l.distribuidora_id,
        l.conjunto_id,
        percentile_cont(0.5) within group (order by a.dic_anual_h) as dic_mediana_h,
        percentile_cont(0.5) within group (order by {{ indicador_possivel('a.fic_anual', 'l.ano') }})
            as fic_mediana
    from {{ leads }} as l
    inner join {{ anual }} as a on l.uc_id = a.uc_id
    where {{ indicador_possivel('a.dic_anual_h', 'l.ano') }} is not null and l.conjunto_id is not null
    group by l.ano, l.distribuidora_id, l.conjunto_id
    having count(*) >= 5
{%- endmacro %}

{# kW beyond the contract, where they pass the tolerance; without a contract there is none to pass. #}
{% macro ultrapassagem_kw(demanda, contrato) -%}
    case
        when {{ demanda }} > {{ parametro('tolerancia_ultrapassagem') }} * {{ contrato }} then {{ demanda }} - {{ contrato }}
        else 0
    end
{%- endmacro %}
