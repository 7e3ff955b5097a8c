{# Consumption profiles (docs/perfis.md). Belongs here: which units are alike by what, on which scale. Not here: the
   centres (seed perfil_centro, made by scripts/profile_centres.py), who may see which cell (privacidade.sql). #}

{# Measures of a profile, in the order of lead_perfil_consumo.medidas, and how far apart two units are that differ by 1. #}
{% macro medidas_do_perfil() %}
    {{ return(['nivel', 'sazonalidade', 'verao', 'ponta', 'fator_carga']) }}
{% endmacro %}

{# The group within which units are compared: a factory is like no house, whatever its months. Null: of no known class. #}
{% macro grupo_do_perfil(origem, grupo_da_classe) -%}
    case
        when {{ origem }} <> 'UCBT' then 'alta_media'
        when {{ grupo_da_classe }} in ('residencial', 'rural', 'comercial', 'industrial') then {{ grupo_da_classe }}
        when {{ grupo_da_classe }} <> 'não informado' then 'publico'
    end
{%- endmacro %}

{# Energy of December to March over the year's: a third is the even year. The sum is of the months that are there. #}
{% macro participacao_verao(energia_mes, energia_anual) -%}
    (coalesce({{ energia_mes }}[1], 0) + coalesce({{ energia_mes }}[2], 0) + coalesce({{ energia_mes }}[3], 0)
    + coalesce({{ energia_mes }}[12], 0)) / {{ energia_anual }}
{%- endmacro %}

{# The five measures of a unit with energy, each on its scale: doubled energy is 2, a month of twice the mean 2, a tenth more
   of the year in summer 1, of the day at peak 1.4, of load factor 0.5. Outliers stop where they say no more. #}
{% macro medidas_da_unidade(perfil) -%}
    array[
        log10({{ perfil }}.energia_anual_kwh / 12) / 0.15,
        ln(least({{ perfil }}.sazonalidade, 4)) / ln(2) / 0.5,
        {{ participacao_verao(perfil ~ '.energia_mes', perfil ~ '.energia_anual_kwh') }} / 0.1,
        {{ perfil }}.participacao_ponta / 0.07,
        case when {{ perfil }}.fator_carga <= 1 then {{ perfil }}.fator_carga / 0.2 end
    ]::real[]
{%- endmacro %}

{# Euclid's distance of a unit to a centre; a measure that one of them lacks does not count. #}
{% macro distancia_do_centro(medidas, centro) -%}
    sqrt(
        {%- for medida in medidas_do_perfil() %}
        coalesce(({{ medidas }}[{{ loop.index }}] - {{ centro }}.{{ medida }}) ^ 2, 0){{ ' +' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
