{# Functions for a safra that failed: noted, taken out of construction, complained of at the end. #}

{# Notes that a safra failed, and takes what was built of it out of construction, so that the others' tests do not
   meet it; what readers see of it stays as it was. p_onde: the test or table that failed. #}
{% macro funcao_reprova_safra() %}
create or replace function controle.reprova_safra(
    p_ano integer, p_distribuidora_id integer, p_import_id bigint, p_md5 text, p_invocacao uuid,
    p_onde text, p_linhas bigint, p_chaves jsonb, p_motivo text
) returns void language plpgsql as $f$
declare
    sufixo text := format('_%s_%s', p_distribuidora_id, p_ano);
    tabela text;
begin
    perform pg_advisory_xact_lock(hashtext('intel_lead.obra'), hashtext(sufixo));
    delete from controle.safra_reprovada
    where
        ano = p_ano and distribuidora_id = p_distribuidora_id
        and (import_id, sql_md5) is distinct from (p_import_id, p_md5);
    insert into controle.safra_reprovada
        (ano, distribuidora_id, import_id, sql_md5, invocacao, onde, linhas, chaves, motivo)
    values
        (p_ano, p_distribuidora_id, p_import_id, p_md5, p_invocacao, p_onde, p_linhas, p_chaves, p_motivo)
    on conflict (ano, distribuidora_id, onde) do update set
        invocacao = excluded.invocacao, linhas = excluded.linhas, chaves = excluded.chaves,
        motivo = excluded.motivo, quando = clock_timestamp();
    for tabela in
        select r.relname
        from pg_inherits as i
        inner join pg_class as r on i.inhparent = r.oid
        inner join pg_class as f on i.inhrelid = f.oid
        where r.relnamespace = 'construcao'::regnamespace and f.relname = r.relname || sufixo
        order by r.relname
    loop
        perform controle.descarta_obra(tabela, p_ano, p_distribuidora_id);
    end loop;
end
$f$;
{% endmacro %}

{% macro funcao_reclama_das_reprovadas() %}
create or replace function controle.reclama_das_reprovadas(p_invocacao uuid) returns void language plpgsql as $f$
declare
    quais text := (
        select string_agg(format('%s-%s (%s: %s)', distribuidora_id, ano, onde, motivo), '; ' order by ano, onde)
        from controle.safra_reprovada where invocacao = p_invocacao
    );
begin
    if quais is not null then
        raise exception 'não publicadas, por erro nos dados: %', quais
            using hint = 'As outras foram publicadas. Carregue um arquivo melhor, ou corrija o modelo.';
    end if;
end
$f$;
{% endmacro %}
