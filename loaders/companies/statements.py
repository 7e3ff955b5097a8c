"""SQL of a delivery's landing: from the arrivals' temporary tables to raw.

Belongs here: statements. Not here: their order and the transaction (landing.py).
"""

ARRIVALS = """
    create temp table empresa_chegada (
        arquivo text not null, linha bigint not null, cnpj text not null, cnpj_basico text not null,
        municipio_id integer not null, matriz boolean, situacao smallint, data_situacao date,
        data_inicio date, cnae text, cnaes_secundarios text[] not null, cep text,
        tipo_logradouro text, logradouro text, numero text, complemento text, bairro text, uf text,
        nome_fantasia text, telefone text, email text
    ) on commit drop;
    create temp table empresa_da_raiz (
        cnpj_basico text not null, razao_social text, natureza_juridica text,
        capital_social numeric, porte smallint, pessoa boolean not null
    ) on commit drop;
    create temp table empresa_mei (cnpj_basico text not null) on commit drop;
    create temp table empresa_recusada (
        arquivo text not null, linha bigint not null, motivo text not null, registro jsonb not null
    ) on commit drop
"""

ROOTS = "select distinct cnpj_basico from empresa_chegada"

# One verdict a row: the first line of a CNPJ counts, a root without its company is nobody known.
JUDGE = """
    create temp table empresa_julgada on commit drop as
    select
        c.*, r.razao_social, r.natureza_juridica, r.capital_social, r.porte,
        case
            when c.vez > 1 then 'repetida'
            when r.cnpj_basico is null then 'sem empresa'
            when r.pessoa or m.cnpj_basico is not null then 'pessoa'
            else 'fica'
        end as destino
    from (
        select *, row_number() over (partition by cnpj order by arquivo, linha) as vez
        from empresa_chegada
    ) as c
    left join (
        -- A root that is there twice is a person's if either says so.
        select distinct on (cnpj_basico)
            cnpj_basico, razao_social, natureza_juridica, capital_social, porte,
            bool_or(pessoa) over (partition by cnpj_basico) as pessoa
        from empresa_da_raiz order by cnpj_basico
    ) as r on c.cnpj_basico = r.cnpj_basico
    left join (select distinct cnpj_basico from empresa_mei) as m on c.cnpj_basico = m.cnpj_basico
"""

REFUSE = """
    insert into empresa_recusada
    select arquivo, linha,
        case destino when 'repetida' then 'CNPJ repetido' else 'sem linha em Empresas' end,
        jsonb_build_object('cnpj', cnpj)
    from empresa_julgada where destino in ('repetida', 'sem empresa')
"""

CLEAR = """
    delete from raw.empresa_estabelecimento where municipio_id = any(%(municipios)s);
    delete from raw.empresa_pessoas where municipio_id = any(%(municipios)s)
"""

COMPANY_COLUMNS = "razao_social, natureza_juridica, capital_social, porte"

# One that moved between two deliveries is where the newer one has it.
KEEP = f"""
    insert into raw.empresa_estabelecimento (
        entrega_id, cnpj, cnpj_basico, municipio_id, matriz, situacao, data_situacao, data_inicio,
        cnae, cnaes_secundarios, cep, tipo_logradouro, logradouro, numero, complemento, bairro, uf,
        nome_fantasia, telefone, email, {COMPANY_COLUMNS}
    )
    select
        %(delivery)s, cnpj, cnpj_basico, municipio_id, matriz, situacao, data_situacao, data_inicio,
        cnae, cnaes_secundarios, cep, tipo_logradouro, logradouro, numero, complemento, bairro, uf,
        nome_fantasia, telefone, email, {COMPANY_COLUMNS}
    from empresa_julgada where destino = 'fica'
    on conflict (cnpj) do update set
        entrega_id = excluded.entrega_id, municipio_id = excluded.municipio_id,
        cep = excluded.cep, logradouro = excluded.logradouro, numero = excluded.numero,
        situacao = excluded.situacao, data_situacao = excluded.data_situacao,
        razao_social = excluded.razao_social
"""

COUNT_PERSONS = """
    insert into raw.empresa_pessoas (municipio_id, cep, chave, valor, quantas)
    select j.municipio_id, j.cep, k.chave, k.valor, count(*)
    from empresa_julgada as j
    cross join lateral (
        select 'cnae' as chave, cnae as valor
        union select 'cnae', c from unnest(j.cnaes_secundarios) as c
        union select 'numero', j.numero
    ) as k
    where j.destino = 'pessoa' and j.situacao = 2 and j.cep is not null and k.valor is not null
    group by 1, 2, 3, 4
"""

TALLY = """
    select
        count(*) filter (where destino = 'fica'), count(*) filter (where destino = 'pessoa'),
        count(*) filter (where destino = 'sem empresa'), count(*)
    from empresa_julgada
"""

REJECTED = """
    insert into raw.rejeitado (origem, arquivo, linha, motivo, registro)
    select %(origin)s, %(month)s || ' ' || arquivo, linha, motivo, registro from empresa_recusada
"""

REGISTER = """
    insert into controle.empresa_entrega (
        mes, sha256, escopo, arquivos, municipios, linhas, aterrissadas, fora_do_filtro, de_pessoas,
        rejeitadas
    ) values (
        %(month)s, %(sha256)s, %(scope)s, %(files)s, %(municipios)s, 0, 0, 0, 0, 0
    ) returning entrega_id
"""

COUNTED = """
    update controle.empresa_entrega set
        linhas = %(lines)s, aterrissadas = %(landed)s, fora_do_filtro = %(outside)s,
        de_pessoas = %(persons)s, rejeitadas = %(rejected)s
    where entrega_id = %(delivery)s
"""

OWNERS = """
    insert into controle.empresa_municipio (municipio_id, entrega_id)
    select m, %(delivery)s from unnest(%(municipios)s::integer[]) as m
    on conflict (municipio_id) do update set entrega_id = excluded.entrega_id
"""

# What these municípios are from now: one delivery of this content and scope means nothing to do.
STANDING = """
    select e.mes, e.sha256, e.escopo, e.arquivos
    from controle.empresa_municipio as m
    inner join controle.empresa_entrega as e on m.entrega_id = e.entrega_id
    where m.municipio_id = any(%s) group by 1, 2, 3, 4
"""
