{# The safra written in the key is the safra of the row: no year and no distributor is mixed in. #}
{% test chave_da_safra(model) %}
select uc_id, ano, distribuidora_id
from {{ model }}
where
    left(uc_id::text, 8)
    <> lpad(to_hex(ano::integer), 4, '0') || lpad(to_hex(distribuidora_id), 4, '0')
{% endtest %}
