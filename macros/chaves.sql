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

{# What of a uc_id is the same in every vintage of its distributor: all but the safra. The same layer and COD_ID. #}
{% macro unidade_do_id(uc_id) -%}
    right({{ uc_id }}::text, 27)
{%- endmacro %}

{# uuid of a ponto notável: hash of name, coordinates, ano and distribuidora (SCH-15). #}
{% macro pn_id() -%}
    md5(concat_ws('|', cod_id, longitude, latitude, ano, distribuidora_id))::uuid
{%- endmacro %}

{# What a uc_id says of itself, for queries that have nothing else: with the safra spelled out they read its
   leaf alone, however many others there are. lead_por_id plans on literals, so it never opens the others. #}
{% macro funcoes_do_uc_id() %}
{{ funcoes_da_safra_do_id('intel_lead') }}
create or replace function intel_lead.lead_por_id(uc_id uuid) returns setof intel_lead.lead_bruto
language plpgsql stable strict parallel safe rows 1 as $f$
begin
    return query execute format(
        'select * from intel_lead.lead_bruto where uc_id = %L and ano = %s and distribuidora_id = %s',
        uc_id, intel_lead.ano_do_id(uc_id), intel_lead.distribuidora_do_id(uc_id));
end
$f$;
comment on function intel_lead.lead_por_id(uuid) is
    'The lead of a uc_id, or no row; takes as long among 300 safras as in one.';
{% endmacro %}

{# The safra's two parts, in any schema that people read: bi_leitor may use none but marts. #}
{% macro funcoes_da_safra_do_id(esquema) %}
create or replace function {{ esquema }}.ano_do_id(uc_id uuid) returns smallint
language sql immutable strict parallel safe as $f$
    select ('x' || left(uc_id::text, 4))::bit(16)::integer::smallint
$f$;
comment on function {{ esquema }}.ano_do_id(uuid) is 'Year of the safra that a uc_id belongs to.';

create or replace function {{ esquema }}.distribuidora_do_id(uc_id uuid) returns integer
language sql immutable strict parallel safe as $f$
    select ('x' || substr(uc_id::text, 5, 4))::bit(16)::integer
$f$;
comment on function {{ esquema }}.distribuidora_do_id(uuid) is 'Distributor that a uc_id belongs to.';
{% endmacro %}
