{# What the contract promises of a table, PostgreSQL enforces: no null, keys without repetition, keys that exist in the
   other table (law 4). The catalogue is asked; only where it proves nothing are rows read. One test per table, not one
   per column: dbt takes as long for each as for a table of a thousand rows. #}
{% test contrato(model) %}
{% if execute %}
    {{ fora_do_contrato(model, promessas_sem_prova(model, promessas_do_contrato(model))) }}
{% else %}
    select 1
{% endif %}
{% endtest %}
