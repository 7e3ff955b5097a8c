{# What a company's being a unit's is worth. Belongs here: points of one piece of evidence, what a sure one gives its
   unit. Not here: which company is a candidate (lead_empresa), the points themselves (seed evidencia_empresa). #}

{# A number of seed parametro_empresa: a scalar subquery. #}
{% macro parametro_empresa(nome) -%}
    (
        select p.valor from {{ ref('parametro_empresa') }} as p
        where p.id = '{{ nome }}'
    )
{%- endmacro %}

{# The points of a piece of evidence that is there by this share, 0 to 1, to a hundredth: what is shown adds up. #}
{% macro pontos_da_evidencia(peso, parte) -%}
    round({{ peso }} * ({{ parte }})::numeric, 2)
{%- endmacro %}

{# The market segment of a unit: its own activity's, else a sure company's, else its class's. Aliases: l, lead_bruto; ce,
   cnae of lead_empresa where preenche_cnae; cs, classe_segmento. #}
{% macro segmento_da_unidade() -%}
    coalesce(l.segmento_mercado_id, ce.segmento_mercado_id, cs.segmento_mercado_id)
{%- endmacro %}

{# A CEP of a whole município. #}
{% macro cep_geral(cep) -%}
    ({{ cep }} like '%000')
{%- endmacro %}
