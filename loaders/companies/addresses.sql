-- How like a unit's address (LGRD) those of the establishments of its CEP and number are. Runs under the loader's
-- role: of LGRD only the share of the street's letters that it has, and that the number is the same, is written.
insert into raw.empresa_semelhanca (ano, distribuidora_id, origem, cod_id, cnpj, logradouro, numero)
with linhas as (
    {layers}
    union all
    select origem, uc, cep, lgrd, sit_ativ, linha
    from raw.complemento
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s and uc is not null
),

enderecos as (
    select distinct on (origem, cod_id)
        origem,
        cod_id,
        translate(cep, '-. ', '') as cep,
        string_to_array(btrim(regexp_replace({plain_lgrd}, '[^A-Z0-9]+', ' ', 'g')), ' ') as palavras
    from linhas
    where btrim(lgrd) <> '' and btrim(cep) <> ''
    order by origem asc, cod_id asc, (btrim(sit_ativ) = 'AT') desc nulls last, linha desc
),

numerados as (
    select distinct
        e.origem,
        e.cod_id,
        e.cep,
        e.palavras,
        ltrim(n.palavra, '0') as numero
    from enderecos as e
    cross join lateral unnest(e.palavras) as n (palavra)
    where n.palavra ~ '^[0-9]{1,6}$' and ltrim(n.palavra, '0') <> ''
),

-- Short words and the street's kind (rua, avenida) are no evidence.
ruas as (
    select
        cnpj,
        cep,
        ltrim(regexp_replace(numero, '[^0-9]', '', 'g'), '0') as numero,
        array(
            select p.palavra
            from regexp_split_to_table(btrim(regexp_replace({plain_street}, '[^A-Z0-9]+', ' ', 'g')), ' ')
                as p (palavra)
            where length(p.palavra) > 2 and p.palavra not in ('DAS', 'DOS')
        ) as palavras
    from raw.empresa_estabelecimento
    where numero ~ '[0-9]' and cep is not null and logradouro is not null
)

select
    %(ano)s, %(distribuidora_id)s, n.origem, n.cod_id, r.cnpj, s.parte, true
from numerados as n
inner join ruas as r on n.cep = r.cep and n.numero = r.numero
cross join lateral (
    select coalesce(
        sum(length(p.palavra)) filter (where p.palavra = any(n.palavras))::double precision / sum(length(p.palavra)),
        0
    ) as parte
    from unnest(r.palavras) as p (palavra)
) as s
on conflict do nothing
