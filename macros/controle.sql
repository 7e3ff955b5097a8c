{# What dbt needs in the database before its first model: private schemas, the record of what is built,
   and functions (folha.sql, troca.sql, reprovacao.sql, remocao.sql). Run at the start of every dbt command. #}

{% macro cria_controle() %}
    {% if not execute or flags.WHICH not in ('build', 'run', 'test', 'seed', 'run-operation') %}
        {{ return('') }}
    {% endif %}
    {% set comando %}
        {# dbt-postgres sets it in a transaction that it has rolled back by now. #}
        {% if target.role %}set role {{ target.role }};{% endif %}
        select pg_advisory_xact_lock(hashtext('intel_lead.controle'));
        create schema if not exists controle;
        create schema if not exists construcao;
        create schema if not exists safra;
        create schema if not exists descarte;
        create schema if not exists seeds;
        create schema if not exists intel_lead;
        create schema if not exists marts;

        {{ confere_versao() }}
        create table if not exists controle.execucao_dbt (
            invocacao uuid primary key,
            comando text not null,
            iniciada_em timestamptz not null default clock_timestamp(),
            sql_md5 text
        );
        alter table controle.execucao_dbt add column if not exists sql_md5 text;
        insert into controle.execucao_dbt (invocacao, comando, sql_md5)
        values (
            '{{ invocation_id }}', '{{ flags.WHICH }}',
            {{ "'" ~ md5_dos_modelos() ~ "'" if flags.WHICH in ('build', 'run') else 'null' }}
        );

        create table if not exists controle.execucao_no (
            invocacao uuid not null,
            terminado_em timestamptz not null,
            tipo text not null,
            no text not null,
            situacao text not null,
            segundos double precision not null,
            linhas bigint
        );
        create index if not exists execucao_no_terminado on controle.execucao_no (terminado_em);
        create table if not exists controle.safra_construida (
            modelo text not null,
            ano smallint not null,
            distribuidora_id integer not null,
            import_id bigint not null,
            sql_md5 text not null,
            invocacao uuid not null,
            linhas bigint not null,
            construida_em timestamptz not null default clock_timestamp(),
            publicada boolean not null default false,
            parametros_md5 text,
            primary key (modelo, ano, distribuidora_id)
        );
        alter table controle.safra_construida add column if not exists parametros_md5 text;
        create table if not exists controle.safra_reprovada (
            ano smallint not null,
            distribuidora_id integer not null,
            import_id bigint not null,
            sql_md5 text not null,
            invocacao uuid not null,
            onde text not null,
            linhas bigint,
            chaves jsonb,
            motivo text not null,
            quando timestamptz not null default clock_timestamp(),
            primary key (ano, distribuidora_id, onde)
        );
        comment on table controle.safra_reprovada is
            'Uma linha por safra × teste ou modelo que falhou nela: não é publicada como está; some quando é.';
        create table if not exists controle.dominio (
            nome text primary key,
            alterado_em timestamptz not null
        );
        create table if not exists controle.semente (
            nome text primary key,
            sinal text not null
        );
        create table if not exists controle.inteira (
            nome text primary key,
            feita_de text not null,
            escrita_em timestamptz not null
        );
        create table if not exists controle.visao (
            nome text not null,
            md5 text not null,
            esquema text not null,
            primary key (esquema, nome)
        );
        create table if not exists controle.visao_materializada (
            nome text not null,
            sql_md5 text not null,
            dados_ate timestamptz not null,
            esquema text not null,
            primary key (esquema, nome)
        );
        {{ tabela_e_funcao_intacta() }}
        {{ funcao_folha_da_safra() }}
        {{ funcao_raiz_da_safra() }}
        {{ funcoes_da_safra_anterior() }}
        {{ funcoes_dos_parametros() }}
        {{ funcao_completa_folha() }}
        {{ funcao_constroi_folha() }}
        {{ funcao_reprova_safra() }}
        {{ funcao_reclama_das_reprovadas() }}
        {{ funcao_renomeia_descartada() }}
        {{ funcao_descarta_obra() }}
        {{ funcao_descarta_obras() }}
        {{ funcao_entra_quem_aterrissou() }}
        {{ funcao_constroi_folhas() }}
        {{ funcao_exige_na_publicada() }}
        {{ funcao_obra_da_safra() }}
        {{ funcao_publicado() }}
        {{ funcao_publica_safra() }}
        {{ funcao_apaga_descartada() }}
        {{ funcao_insiste() }}
        {{ funcoes_de_remocao() }}
        {{ funcao_protege_dominio() }}
        {{ funcao_registra_mudanca() }}
        {{ funcao_audita_dominio() }}
        {{ funcao_esconde_contatos() }}
        {{ funcao_visoes_lidas() }}
        {{ funcao_recria_visao() }}
        {{ funcao_cria_visao() }}
        {{ migra() }}
    {% endset %}
    {{ return(comando) }}
{% endmacro %}

{# DDL that takes exclusive locks on what people read: 0.7 s a try, given back between tries, so that a long
   query delays it and no other reader. #}
{% macro funcao_insiste() %}
create or replace function controle.insiste(comando text, tentativas integer default 120) returns integer
language plpgsql as $f$
declare
    limite text := current_setting('lock_timeout');
begin
    for tentativa in 1..tentativas loop
        begin
            perform set_config('lock_timeout', '700ms', true);
            execute comando;
            perform set_config('lock_timeout', limite, true);
            return tentativa;
        exception when lock_not_available or deadlock_detected then
            perform set_config('lock_timeout', limite, true);
            perform pg_sleep(0.2 + random() * least(tentativa, 5));
        end;
    end loop;
    raise exception 'em uso em % tentativas: %', tentativas, left(comando, 80)
        using errcode = 'lock_not_available',
        hint = 'Encerre as consultas longas (pg_stat_activity) e repita make build; nada se perdeu.';
end
$f$;
{% endmacro %}

{% macro funcao_protege_dominio() %}
create or replace function controle.protege_dominio() returns trigger language plpgsql as $f$
begin
    if current_setting('intel_lead.dominio_aberto', true) is distinct from 'sim' then
        raise exception 'a tabela de domínio %.% é protegida contra %', tg_table_schema, tg_table_name, tg_op
            using errcode = 'insufficient_privilege',
            hint = 'Mude a semente e rode make build; ou, nesta transação: '
                'set local intel_lead.dominio_aberto = ''sim''';
    end if;
    return null;
end
$f$;
{% endmacro %}
