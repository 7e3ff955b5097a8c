{# The layers that are not units. Belongs here: what their staging models have in common. Not here: the units' layers
   (unidade_consumidora.sql), one field's rule (limpeza.sql). #}

{# Those of loaders/camadas.py, in its order. #}
{% macro camadas_da_rede() %}
    {{ return(['PONNOT', 'CONJ', 'CRVCRG']) }}
{% endmacro %}

{# array[prefixo_01, …] of a layer's numbered columns. #}
{% macro vetor(prefixo, quantos=12) -%}
    array[
        {%- for k in range(1, quantos + 1) -%}
        {{ prefixo }}_{{ '%02d' | format(k) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    ]
{%- endmacro %}
