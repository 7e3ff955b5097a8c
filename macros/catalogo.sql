{# What a constraint in PostgreSQL's catalogue proves of a relation, so that a data test need not read its
   rows. Each is false for what is no table, a subquery for instance. #}

{# Whether a relation has a valid unique index over exactly these columns (nulls, if any, not distinct). #}
{% macro indice_unico(relacao, colunas) %}
    {% if relacao.identifier is not defined %}{{ return(false) }}{% endif %}
    {{ return(run_query('select ' ~ tem_indice_unico(relacao.include(database=false), colunas, true))[0][0]) }}
{% endmacro %}

{# Whether a column of a contract is not null. #}
{% macro recusa_nulo(coluna) %}
    {{ return('not_null' in coluna.constraints | map(attribute='type') | map('string') | list) }}
{% endmacro %}

{# What the contract of the running test's model promises: {nulas: [column], chaves: [{colunas, nulos_iguais}],
   estrangeiras: [{coluna, outra, campo}]}. A key of the leaf's parent counts as a promise too. #}
{% macro promessas_do_contrato(relacao) %}
    {% set dono = graph.nodes[model.attached_node] %}
    {% set nulas, chaves, estrangeiras = [], [], [] %}
    {% for coluna in dono.columns.values() %}
        {% if recusa_nulo(coluna) %}{% do nulas.append(coluna.name) %}{% endif %}
        {% for c in coluna.constraints %}
            {% if c.type in ('primary_key', 'unique') %}
                {% do chaves.append({'colunas': [coluna.name], 'nulos_iguais': false}) %}
            {% elif c.type == 'foreign_key' and c.to %}
                {% do estrangeiras.append(
                    {'coluna': coluna.name, 'outra': tabela_da_chave(c.to), 'campo': c.to_columns[0]}
                ) %}
            {% endif %}
        {% endfor %}
    {% endfor %}
    {% for c in dono.constraints %}
        {% set unica = modules.re.search('unique nulls not distinct \\((.*)\\)', c.expression or '') %}
        {% if unica %}
            {% set colunas = unica.group(1).split(',') | map('trim') | list %}
            {% do chaves.append({'colunas': colunas, 'nulos_iguais': true}) %}
        {% elif c.type in ('primary_key', 'unique') %}
            {% do chaves.append({'colunas': c.columns, 'nulos_iguais': false}) %}
        {% endif %}
    {% endfor %}
    {% if dono.config.safra_pai %}
        {% set pai = api.Relation.create(
            database=relacao.database, schema='construcao' if relacao.schema == 'construcao' else 'intel_lead',
            identifier=dono.config.safra_pai) %}
        {% do estrangeiras.append({'coluna': 'uc_id', 'outra': pai | string, 'campo': 'uc_id'}) %}
    {% endif %}
    {{ return({'nulas': nulas, 'chaves': chaves, 'estrangeiras': estrangeiras}) }}
{% endmacro %}

{# A foreign key's `to` as dbt has it: ref('nome') until the model is compiled, then the relation. #}
{% macro tabela_da_chave(para) %}
    {% set nome = modules.re.search("ref\\('(\\w+)'\\)", para) %}
    {{ return(graph.nodes['model.' ~ project_name ~ '.' ~ nome.group(1)].relation_name if nome else para) }}
{% endmacro %}

{# Of such promises, those that PostgreSQL's catalogue does not prove. A foreign key is proved if it is valid in every
   partition, to that table or to partitions of it: of the published ones too, where only the child was built again. #}
{% macro promessas_sem_prova(relacao, promessas) %}
    {% set alvo = relacao.include(database=false) %}
    {% set perguntas = [] %}
    {% for coluna in promessas.nulas %}
        {% do perguntas.append(
            "select 'nulas' as tipo, " ~ loop.index0 ~ ' as n, ' ~ em_toda_folha(
                alvo, "select from pg_attribute where attrelid = f.relid and attname = '" ~ coluna ~ "' and attnotnull"
            ) ~ ' as provada'
        ) %}
    {% endfor %}
    {% for chave in promessas.chaves %}
        {% do perguntas.append(
            "select 'chaves', " ~ loop.index0 ~ ', ' ~ tem_indice_unico(alvo, chave.colunas, chave.nulos_iguais)
        ) %}
    {% endfor %}
    {% for chave in promessas.estrangeiras %}
        {% do perguntas.append("select 'estrangeiras', " ~ loop.index0 ~ ', ' ~ tem_chave_estrangeira(alvo, chave)) %}
    {% endfor %}
    {% set sem_prova = {'nulas': [], 'chaves': [], 'estrangeiras': []} %}
    {% set consulta = perguntas | join(' union all ') %}
    {% for falta in run_query('select tipo, n from (' ~ consulta ~ ') as p where not provada') if perguntas %}
        {% do sem_prova[falta.tipo].append(promessas[falta.tipo][falta.n | int]) %}
    {% endfor %}
    {{ return(sem_prova) }}
{% endmacro %}

{# Whether something is there of every table that holds a relation's rows: its partitions or children, else itself. #}
{% macro em_toda_folha(alvo, pergunta) %}
    (select bool_and(exists ({{ pergunta }})) from ({{ folhas_de(alvo) }}) as f)
{% endmacro %}

{% macro folhas_de(alvo) -%}
    select inhrelid as relid from pg_inherits where inhparent = to_regclass('{{ alvo }}')
    union all
    select to_regclass('{{ alvo }}')
    where not exists (select from pg_inherits where inhparent = to_regclass('{{ alvo }}'))
{%- endmacro %}

{# nulos_iguais: two rows that are null in the same column count as equal. #}
{% macro tem_indice_unico(alvo, colunas, nulos_iguais) %}
    {% set pergunta %}
        select from pg_index as i
        where
            i.indrelid = f.relid
            and i.indisunique
            and i.indisvalid
            and i.indpred is null
            and (
                select array_agg(a.attname order by a.attname)
                    {% if nulos_iguais %}filter (where a.attnotnull or i.indnullsnotdistinct){% endif %}
                from pg_attribute as a
                where a.attrelid = i.indrelid and a.attnum = any(i.indkey)
            ) = array['{{ colunas | sort | join("', '") }}']::name []
    {% endset %}
    {{ em_toda_folha(alvo, pergunta) }}
{% endmacro %}

{% macro tem_chave_estrangeira(alvo, chave) %}
    {% set pergunta %}
            select
            from pg_constraint as c,
                unnest(c.conkey, c.confkey) as k (de, para)
            inner join pg_attribute as a on k.de = a.attnum
            inner join pg_attribute as b on k.para = b.attnum
            where
                c.conrelid = f.relid
                and c.contype = 'f'
                and c.convalidated
                and (
                    c.confrelid = to_regclass('{{ chave.outra }}')
                    or c.confrelid in ({{ folhas_de(chave.outra) }})
                    {% if '"construcao"' in chave.outra %}
                    or c.confrelid in (
                        select inhrelid from pg_inherits
                        where inhparent = controle.raiz_da_safra('{{ chave.outra.split('"')[5] }}')
                    )
                    {% endif %}
                )
                and a.attrelid = c.conrelid
                and a.attname = '{{ chave.coluna }}'
                and b.attrelid = c.confrelid
                and b.attname = '{{ chave.campo }}'
    {% endset %}
    {{ em_toda_folha(alvo, pergunta) }}
{% endmacro %}

{# Rows of a relation that break promises of this kind: what is broken, and the columns that find the row again. A
   column that may be null against its contract is a row of its own, whatever the rows are. #}
{% macro fora_do_contrato(relacao, promessas) %}
    {% if not (promessas.nulas or promessas.chaves or promessas.estrangeiras) %}
        {{ return('select 1 as nada where false') }}
    {% endif %}
    {% set chaves = chaves_da_linha(relacao) %}
    {% set achadas = [] %}
    {% for coluna in promessas.nulas %}
        {% do achadas.append(
            linhas_da_regra(coluna ~ ' perdeu o NOT NULL', chaves) ~ ' from (select 1) as um left join ' ~ relacao
            ~ ' as r on r.' ~ coluna ~ ' is null'
        ) %}
    {% endfor %}
    {% for chave in promessas.chaves %}
        {% set colunas = chave.colunas | join(', ') %}
        {% do achadas.append(
            linhas_da_regra(colunas ~ ' se repete', chaves) ~ ' from (select *, count(*) over (partition by ' ~ colunas
            ~ ') as vezes from ' ~ relacao ~ ' as todas) as r where r.vezes > 1'
            ~ ('' if chave.nulos_iguais else ' and num_nulls(r.' ~ chave.colunas | join(', r.') ~ ') = 0')
        ) %}
    {% endfor %}
    {% for chave in promessas.estrangeiras %}
        {% do achadas.append(
            linhas_da_regra(chave.coluna ~ ' não existe em ' ~ chave.outra | replace('"', ''), chaves) ~ ' from ' ~ relacao
            ~ ' as r where r.' ~ chave.coluna ~ ' is not null and not exists (select from ' ~ chave.outra
            ~ ' as o where o.' ~ chave.campo ~ ' = r.' ~ chave.coluna ~ ')'
        ) %}
    {% endfor %}
    {{ return(achadas | join(' union all ')) }}
{% endmacro %}

{% macro linhas_da_regra(regra, chaves) -%}
    select '{{ regra }}'::text as regra{% for c in chaves %}, r.{{ c }}{% endfor %}
{%- endmacro %}

{# The columns of a relation that find a row again and say nothing of a person; none of a subquery. #}
{% macro chaves_da_linha(relacao) %}
    {% if not execute or relacao.identifier is not defined %}{{ return([]) }}{% endif %}
    {{ return(
        adapter.get_columns_in_relation(relacao) | map(attribute='name')
        | select('in', ['uc_id', 'ano', 'distribuidora_id', 'origem', 'mes']) | list
    ) }}
{% endmacro %}
