{# What has to be done to a database that an earlier version made, step by step. Belongs here: changes that
   `create … if not exists` and added columns cannot make. Not here: the loader's tables (loaders/schema.sql).

   controle.versao says how far a database is. Steps run in order, each once, in the transaction of cria_controle and
   under its lock; a new database starts at the newest number. A step is plpgsql, is never changed once it is out, and
   survives a database whose first build was cut (tables may be missing). Exclusive locks on what people read: all in
   one controle.insiste, so that they are given back between tries. *Code older than the database is refused*:
   loaders/connection.py says the newest number too. #}

{% macro passos_da_migracao() %}
    {{ return([migracao_1(), migracao_2(), migracao_3(), migracao_4(), migracao_5()]) }}
{% endmacro %}

{# Before anything else: refuses a database that is ahead, and notes a new one as up to date. #}
{% macro confere_versao() %}
    {% set nova = passos_da_migracao() | length %}
create table if not exists controle.versao (
    numero integer primary key,
    aplicada_em timestamptz not null default clock_timestamp(),
    codigo text not null
);
do $versao$
declare
    numero_do_banco integer := (select max(numero) from controle.versao);
begin
    if numero_do_banco > {{ nova }} then
        raise exception 'o banco está na versão % e este código só conhece até a {{ nova }}: nada foi mudado',
            numero_do_banco
            using errcode = 'object_not_in_prerequisite_state',
            hint = 'Atualize o clone (git pull) e rode de novo.';
    end if;
    if numero_do_banco is null and to_regclass('controle.execucao_dbt') is null then
        insert into controle.versao (numero, codigo) values ({{ nova }}, 'banco novo');
    end if;
end
$versao$;
{# The loader's roles ask it too, and a number tells nobody anything. #}
do $versao$
begin
    if not has_table_privilege('public', 'controle.versao', 'select') then
        grant select on controle.versao to public;
    end if;
end
$versao$;
{% endmacro %}

{% macro migra() %}
    {% for passo in passos_da_migracao() %}
do $migracao$
begin
    if not exists (select from controle.versao where numero >= {{ loop.index }}) then
        {{ passo }}
        insert into controle.versao (numero, codigo) values ({{ loop.index }}, '{{ local_md5(passo) }}');
    end if;
end
$migracao$;
    {% endfor %}
{% endmacro %}

{# 2026-11-27. The registry of views is keyed by schema too; safra_resumo knows its natural persons, for the safras
   that are published already as well: they are shown while the new ones are built, or fail. #}
{% macro migracao_1() %}
        alter table controle.visao add column esquema text not null default 'intel_lead';
        alter table controle.visao alter column esquema drop default;
        alter table controle.visao drop constraint visao_pkey, add primary key (esquema, nome);
        alter table controle.visao_materializada add column esquema text not null default 'intel_lead';
        alter table controle.visao_materializada alter column esquema drop default;
        alter table controle.visao_materializada
            drop constraint visao_materializada_pkey, add primary key (esquema, nome);
        perform controle.insiste($insiste$
            alter table if exists intel_lead.safra_resumo
                add column leads_pf bigint, add column maior_energia_anual_kwh double precision;
            alter table if exists construcao.safra_resumo
                add column leads_pf bigint, add column maior_energia_anual_kwh double precision;
        $insiste$);
        if to_regclass('intel_lead.safra_resumo') is not null then
            update intel_lead.safra_resumo as r
            set
                leads_pf = n.leads_pf, maior_energia_anual_kwh = n.maior
            from (
                select
                    l.ano, l.distribuidora_id, l.municipio_id, l.origem,
                    count(*) filter (where p.fisica) as leads_pf,
                    max(a.soma_energia) as maior
                from intel_lead.lead_bruto as l
                inner join intel_lead.lead_resumo_anual as a
                    on l.uc_id = a.uc_id and l.ano = a.ano and l.distribuidora_id = a.distribuidora_id
                left join intel_lead.classe_consumo as c on l.classe_consumo_id = c.id
                cross join lateral (
                    select not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as fisica
                ) as p
                group by l.ano, l.distribuidora_id, l.municipio_id, l.origem
            ) as n
            where
                r.ano = n.ano and r.distribuidora_id = n.distribuidora_id and r.origem = n.origem
                and r.municipio_id is not distinct from n.municipio_id;
            alter table intel_lead.safra_resumo alter column leads_pf set not null;
        end if;
        if to_regclass('construcao.safra_resumo') is not null then
            -- A leaf that a cut build left is built again: its code has changed.
            delete from construcao.safra_resumo;
            alter table construcao.safra_resumo alter column leads_pf set not null;
        end if;
{% endmacro %}

{# 2026-11-27. One name per measure. Views' columns too: create or replace view keeps names, and what others hung on
   ours goes on by the names that it gave them itself. #}
{% macro migracao_2() %}
    {% set resumo = {
        'energia_total_kwh': 'energia_anual_kwh', 'energia_ponta_kwh': 'energia_ponta_anual_kwh',
        'energia_fora_ponta_kwh': 'energia_fora_ponta_anual_kwh', 'soma_dic_h': 'dic_anual_h', 'soma_fic': 'fic_anual',
    } %}
    {% set anual = {
        'soma_energia': 'energia_anual_kwh', 'soma_energia_ponta': 'energia_ponta_anual_kwh',
        'soma_energia_fora_ponta': 'energia_fora_ponta_anual_kwh', 'soma_dic': 'dic_anual_h', 'soma_fic': 'fic_anual',
    } %}
    {% set energia = {'energia_total_kwh': 'energia_anual_kwh'} %}
    {% set mudancas = [
        ('table', 'intel_lead.lead_resumo_anual', anual), ('table', 'construcao.lead_resumo_anual', anual),
        ('table', 'intel_lead.lead_historico', energia), ('table', 'construcao.lead_historico', energia),
        ('table', 'intel_lead.safra_resumo', resumo), ('table', 'construcao.safra_resumo', resumo),
        ('view', 'intel_lead.vw_lead_completo_detalhado', anual),
        ('materialized view', 'intel_lead.resumo_energia_por_municipio', {
            'energia_total_kwh': 'energia_anual_kwh', 'energia_ponta_kwh': 'energia_ponta_anual_kwh'
        }),
        ('materialized view', 'intel_lead.resumo_leads_distribuidora', energia),
        ('materialized view', 'intel_lead.resumo_leads_ano_camada', energia),
    ] %}
        perform controle.insiste($insiste$
            {% for tipo, nome, colunas in mudancas %}
            {% for antes, depois in colunas.items() %}
            alter {{ tipo }} if exists {{ nome }} rename column {{ antes }} to {{ depois }};
            {% endfor %}
            {% endfor %}
        $insiste$);
{% endmacro %}

{# 2026-11-29. Where a base lacks the units' layer, how many leads an element of the network has is not known. #}
{% macro migracao_3() %}
        perform controle.insiste($insiste$
            alter table if exists intel_lead.mart_gtd_rede alter column leads drop not null;
            alter table if exists marts.mart_gtd_rede alter column leads drop not null;
            alter table if exists construcao.mart_gtd_rede alter column leads drop not null;
        $insiste$);
{% endmacro %}

{# 2026-11-29. Leaves under construction are no partitions any more. What a cut build left is built again. #}
{% macro migracao_4() %}
        perform controle.insiste(coalesce((
            select 'drop table ' || string_agg(oid::regclass::text, ', ') || ' cascade'
            from pg_class
            where relnamespace = 'construcao'::regnamespace and relkind = 'p'
        ), 'select'));
        delete from controle.safra_construida where not publicada;
{% endmacro %}

{# 2026-11-29. Steps of enrichment from outside, a segment that a company's activity says. Not valid: the rows that are
   there were checked by the narrower condition; publication validates it (exige_na_publicada). #}
{% macro migracao_5() %}
    {% set etapas = "etapa in ('coordenada', 'cnae_segmento', 'municipio', 'empresa', 'endereco', 'geocodificacao')" %}
    {% set origens = "segmento_origem in ('cnae', 'empresa', 'classe')" %}
    {% set mudancas = [
        ('intel_lead', 'lead_enrichment_log', 'etapa', etapas), ('construcao', 'lead_enrichment_log', 'etapa', etapas),
        ('intel_lead', 'lead_mercado', 'segmento_origem', origens),
        ('construcao', 'lead_mercado', 'segmento_origem', origens),
        ('marts', 'mart_lead_safra', 'segmento_origem', origens),
        ('construcao', 'mart_lead_safra', 'segmento_origem', origens),
    ] %}
        perform controle.insiste($insiste$
            {% for esquema, tabela, coluna, condicao in mudancas %}
            alter table if exists {{ esquema }}.{{ tabela }} drop constraint if exists {{ tabela }}_{{ coluna }}_check;
            alter table if exists {{ esquema }}.{{ tabela }}
                add constraint {{ tabela }}_{{ coluna }}_check check ({{ condicao }}) not valid;
            {% endfor %}
        $insiste$);
{% endmacro %}
