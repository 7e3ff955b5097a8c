{# Materialization `dominio`: a reference table that is created once, follows its seed, and is protected.

   A column that the contract gained is added. The seed's rows are inserted or updated, vanished ones deleted (a
   foreign key refuses the deletion of a code in use). The guard trigger lets only this in. Config: unique_key. #}

{% materialization dominio, adapter='postgres' %}
    {% set alvo = this.incorporate(type='table') %}
    {% set existia = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set assinatura = assinatura_do_modelo() %}
    {% set intacta = esta_intacta([alvo], assinatura) %}
    {% if not intacta %}
        {% set _ = get_assert_columns_equivalent(sql) %}
        {% do executa('create table if not exists ' ~ alvo ~ ' ' ~ get_table_columns_and_constraints()) %}
        {% set existentes = adapter.get_columns_in_relation(alvo) | map(attribute='name') | list %}
        {% for coluna in model.columns.values() if coluna.name not in existentes %}
            {% do executa(
                "select controle.insiste('alter table " ~ alvo ~ " add column if not exists " ~ coluna.name ~ " "
                ~ coluna.data_type ~ "')"
            ) %}
        {% endfor %}
        {% do executa(
            'create or replace trigger protege_dominio before update or delete or truncate on ' ~ alvo
            ~ ' for each statement execute function controle.protege_dominio()'
        ) %}
        {% do executa("select controle.audita_dominio('" ~ alvo ~ "')") %}
    {% endif %}
    {% set colunas = model.columns.keys() | list %}
    {% set chave = config.require('unique_key') %}
    {% set demais = colunas | reject('equalto', chave) | list %}
    {% call statement('main') %}
        set local intel_lead.dominio_aberto = 'sim';
        create temporary table dominio_novo on commit drop as {{ sql }};
        with apagadas as (
            delete from {{ alvo }} as d
            where not exists (select from dominio_novo as n where n.{{ chave }} = d.{{ chave }})
            returning 1
        ),

        gravadas as (
            insert into {{ alvo }} as d ({{ colunas | join(', ') }})
            select {{ colunas | join(', ') }} from dominio_novo
            on conflict ({{ chave }}) do update
            set {% for c in demais %}{{ c }} = excluded.{{ c }}{{ ', ' if not loop.last }}{% endfor %}
            where
                (d.{{ demais | join(', d.') }})
                is distinct from (excluded.{{ demais | join(', excluded.') }})
            returning 1
        )

        insert into controle.dominio (nome, alterado_em)
        select '{{ this.identifier }}', clock_timestamp()
        where exists (select from apagadas) or exists (select from gravadas)
        on conflict (nome) do update set alterado_em = excluded.alterado_em;
        drop table dominio_novo;
        set local intel_lead.dominio_aberto = '';
    {% endcall %}
    {% if not intacta %}
        {% do create_indexes(alvo) if not existia %}
        {% do apply_grants(alvo, config.get('grants'), should_revoke=should_revoke(existia, false)) %}
        {% do persist_docs(alvo, model) %}
        {% do anota_intacta([alvo], assinatura) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [alvo]}) }}
{% endmaterialization %}
