{# Deterministic keys. Belongs here: how a key is made from the source's codes, once. #}

{# uuid of a UC: ano and distribuidora in clear (the first 8 hex digits: a key tells its safra, and index
   pages of a safra stay together), then 88 bits of md5(camada:cod_id), laid out as an RFC 9562 UUIDv8. #}
{% macro uc_id(camada) -%}
    pg_catalog.overlay(
        pg_catalog.overlay(
            pg_catalog.overlay(
                md5('{{ camada }}:' || cod_id),
                lpad(to_hex(ano::integer), 4, '0') || lpad(to_hex(distribuidora_id), 4, '0'), 1, 8
            ), '8', 13, 1
        ), '8', 17, 1
    )::uuid
{%- endmacro %}

{# uuid of a ponto notável: hash of name, coordinates, ano and distribuidora (SCH-15). #}
{% macro pn_id() -%}
    md5(concat_ws('|', cod_id, longitude, latitude, ano, distribuidora_id))::uuid
{%- endmacro %}
