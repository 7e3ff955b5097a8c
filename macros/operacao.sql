{# What the warehouse keeps of its own work (marts.mart_operacao). Belongs here: what a dbt command did, node by node.
   Not here: what is built and published (controle.sql), landings (the loaders' ledger), calls of the API (app). #}

{# At the end of every dbt command that builds or tests: its nodes, in one statement; older than 400 days go. #}
{% macro registra_execucao(resultados) %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') and resultados %}
        {% set linhas = [] %}
        {% for r in resultados if r.node.resource_type in ('model', 'seed', 'test') %}
            {% set afetadas = (r.adapter_response or {}).get('rows_affected') %}
            {% do linhas.append(
                "('" ~ invocation_id ~ "'::uuid, '" ~ r.node.resource_type ~ "', '" ~ r.node.name ~ "', '"
                ~ r.status ~ "', " ~ r.execution_time ~ ', '
                ~ (afetadas if afetadas is number and afetadas >= 0 else 'null::bigint') ~ ')'
            ) %}
        {% endfor %}
        {% if linhas %}
            {{ return(
                "insert into controle.execucao_no (invocacao, tipo, no, situacao, segundos, linhas, terminado_em)"
                ~ " select v.*, clock_timestamp() from (values " ~ linhas | join(', ')
                ~ ") as v (invocacao, tipo, no, situacao, segundos, linhas);"
                ~ " delete from controle.execucao_no where terminado_em < now() - interval '400 days'"
            ) }}
        {% endif %}
    {% endif %}
    {{ return('select 1') }}
{% endmacro %}
