{# What nobody changed since dbt made it need not be asked for again: a build with nothing new is a third of the
   statements. Belongs here: how a relation is recognised, by what dbt wants of it (assinatura) and by what the catalogue
   says of it (estado). Not here: what is made of it (safra.sql, dominio.sql, visoes.sql). #}

{% macro tabela_e_funcao_intacta() %}
create table if not exists controle.assinatura (
    relacao text primary key,
    assinatura text not null,
    estado text not null
);
comment on table controle.assinatura is
    'Uma linha por tabela ou visão: o que o dbt fez dela, e como o catálogo ficou; quem mudar uma das duas a faz refazer.';
{# Null where a relation is missing. Roles: one that is made later is to be granted what is its own. #}
create or replace function controle.estado_das_relacoes(relacoes text[], papeis text[]) returns text
language sql stable as $f$
    select case when count(c.oid) = cardinality(relacoes) then md5(string_agg(
        concat_ws(
            ' ', r.nome, c.relkind, c.relowner, c.relacl, c.reloptions,
            (select string_agg(concat_ws(' ', attname, atttypid, atttypmod, attnotnull, attacl), ' ' order by attnum)
            from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
            (select string_agg(pg_get_constraintdef(oid), ' ' order by oid)
            from pg_constraint where conrelid = c.oid and contype in ('p', 'u', 'c')),
            (select string_agg(confrelid::text, ' ' order by oid)
            from pg_constraint where conrelid = c.oid and contype = 'f' and conparentid = 0),
            (select string_agg(indexrelid::regclass::text, ' ' order by indexrelid) from pg_index where indrelid = c.oid),
            (select string_agg(description, ' ' order by objsubid)
            from pg_description where objoid = c.oid and classoid = 'pg_class'::regclass),
            (select string_agg(concat(tgname, tgenabled), ' ' order by tgname)
            from pg_trigger where tgrelid = c.oid and not tgisinternal),
            case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
            (select string_agg(rolname, ' ' order by rolname) from pg_roles where rolname = any(papeis))
        ), ' ' order by r.nome
    )) end
    from unnest(relacoes) as r (nome)
    left join pg_class as c on to_regclass(r.nome) = c.oid
$f$;
{% endmacro %}

{# Everything that dbt wants of the model at hand. #}
{% macro assinatura_do_modelo() %}
    {{ return(local_md5(
        sql ~ tojson(model.columns) ~ tojson(model.constraints) ~ model.description ~ tojson(config.get('indexes', []))
        ~ tojson(config.get('grants') or {}) ~ config.get('barreira')
    )) }}
{% endmacro %}

{% macro estado_das_relacoes(relacoes) -%}
    {%- set papeis = (config.get('grants') or {}).values() | sum(start=[]) | unique | sort -%}
    controle.estado_das_relacoes(
        array['{{ nomes_sem_banco(relacoes) | join("', '") }}'], array['{{ papeis | join("', '") }}']::text[])
{%- endmacro %}

{% macro nomes_sem_banco(relacoes) %}
    {% set nomes = [] %}
    {% for relacao in relacoes %}{% do nomes.append(relacao.include(database=false) | string) %}{% endfor %}
    {{ return(nomes) }}
{% endmacro %}

{# Whether these relations, the first of which names the record, are as dbt left them and as it wants them now. #}
{% macro esta_intacta(relacoes, assinatura) %}
    {{ return(not flags.FULL_REFRESH and run_query(
        "select exists (select from controle.assinatura where relacao = '" ~ nomes_sem_banco(relacoes)[0]
        ~ "' and assinatura = '" ~ assinatura ~ "' and estado = " ~ estado_das_relacoes(relacoes) ~ ')'
    )[0][0]) }}
{% endmacro %}

{% macro anota_intacta(relacoes, assinatura) %}
    {% do executa(
        "insert into controle.assinatura (relacao, assinatura, estado) select '" ~ nomes_sem_banco(relacoes)[0] ~ "', '"
        ~ assinatura ~ "', e from " ~ estado_das_relacoes(relacoes) ~ ' as e where e is not null on conflict (relacao) do '
        'update set assinatura = excluded.assinatura, estado = excluded.estado'
    ) %}
{% endmacro %}
