{{ config(safra_pai='lead_bruto', indexes=[{'columns': ['cnpj_basico']}]) }}

-- After the tables of months, which read nothing of this: where the registry alone changed they stay.
-- depends_on: {{ ref('lead_energia_mensal') }}, {{ ref('lead_demanda_mensal') }}
-- depends_on: {{ ref('lead_qualidade_mensal') }}
-- What was taken back (python -m loaders enriquecimento desfazer), or never ran for this safra.
with passos as (
    select
        coalesce(bool_or(etapa = 'empresa' and not desfeita), false) as empresa,
        coalesce(bool_or(etapa = 'endereco' and not desfeita), false) as endereco,
        coalesce(bool_or(etapa = 'geocodificacao' and not desfeita), false) as geocodificacao
    from {{ ref('stg_enriquecimento') }}
),

-- Legal persons' units alone, with the activity's code of today's edition.
leads as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.origem,
        l.cod_id,
        l.municipio_id,
        l.cep,
        coalesce(cn.sucessor_id, cn.id) as cnae_id
    from {{ ref('lead_bruto') }} as l
    inner join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    left join {{ ref('cnae') }} as cn on l.cnae_id = cn.id
    where
        (select t.empresa from passos as t)
        and {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
        and l.cep is not null
        and l.municipio_id is not null
),

anos as (
    select distinct ano from leads
),

municipios as (
    select distinct municipio_id from leads
),

estabelecimentos as materialized (
    select
        e.*,
        coalesce(
            e.data_inicio <= make_date(a.ano, 12, 31)
            and (e.situacao = 2 or e.data_situacao > make_date(a.ano, 1, 1)), false
        ) as existia
    from {{ ref('stg_empresa_estabelecimento') }} as e
    inner join municipios as m on e.municipio_id = m.municipio_id
    cross join anos as a
    where e.cep is not null
),

atividades as materialized (
    select
        e.cnpj,
        e.municipio_id,
        e.cep,
        e.existia,
        c.cnae,
        c.cnae = e.cnae as principal
    from estabelecimentos as e
    cross join lateral unnest(array_prepend(e.cnae, e.cnaes_secundarios)) as c (cnae)
    where c.cnae is not null
),

-- How many may be the one: establishments and natural persons' of the activity, or the leads themselves,
-- whichever are more. By subclass (seven digits) and by class (five).
quantos as materialized (
    select
        municipio_id,
        cep,
        codigo,
        greatest(sum(empresas), max(leads)) as n
    from (
        select
            a.municipio_id,
            a.cep,
            c.codigo,
            count(distinct a.cnpj) as empresas,
            0 as leads
        from atividades as a
        cross join lateral (values (a.cnae), (left(a.cnae, 5))) as c (codigo)
        where a.existia
        group by a.municipio_id, a.cep, c.codigo
        union all
        select
            p.municipio_id,
            p.cep,
            c.codigo,
            sum(p.quantas) as empresas,
            0 as leads
        from {{ ref('stg_empresa_pessoas') }} as p
        inner join municipios as m on p.municipio_id = m.municipio_id
        cross join lateral (values (p.valor), (left(p.valor, 5))) as c (codigo)
        where p.chave = 'cnae'
        group by p.municipio_id, p.cep, c.codigo
        union all
        select
            l.municipio_id,
            l.cep,
            c.codigo,
            0 as empresas,
            count(*) as leads
        from leads as l
        cross join lateral (values (l.cnae_id), (left(l.cnae_id, 5))) as c (codigo)
        where l.cnae_id is not null
        group by l.municipio_id, l.cep, c.codigo
    ) as t
    group by municipio_id, cep, codigo
),

quantos_no_numero as (
    select
        municipio_id,
        cep,
        numero,
        sum(quantas) as n
    from (
        select
            municipio_id,
            cep,
            numero,
            count(*) as quantas
        from estabelecimentos
        where existia and numero <> ''
        group by municipio_id, cep, numero
        union all
        select
            municipio_id,
            cep,
            valor as numero,
            quantas
        from {{ ref('stg_empresa_pessoas') }}
        where chave = 'numero'
    ) as t
    group by municipio_id, cep, numero
),

-- Where many share the activity, only the address finds the one.
por_atividade as (
    select
        l.uc_id,
        a.cnpj
    from leads as l
    inner join quantos as q
        on
            l.municipio_id = q.municipio_id
            and l.cep = q.cep
            and left(l.cnae_id, 5) = q.codigo
            and q.n <= {{ parametro_empresa('maximo_no_cep') }}
    inner join atividades as a
        on
            l.municipio_id = a.municipio_id
            and l.cep = a.cep
            and (l.cnae_id = a.cnae or a.principal and left(l.cnae_id, 5) = left(a.cnae, 5))
),

por_endereco as (
    select
        l.uc_id,
        s.cnpj,
        s.logradouro
    from leads as l
    inner join {{ ref('stg_empresa_semelhanca') }} as s
        on
            l.ano = s.ano
            and l.distribuidora_id = s.distribuidora_id
            and l.origem::text = s.origem
            and l.cod_id = s.cod_id
    where (select t.endereco from passos as t)
),

pares as (
    select
        uc_id,
        cnpj
    from por_atividade
    union
    select
        uc_id,
        cnpj
    from por_endereco
),

-- Of the activity the best that fits, by what it is worth.
coincidencias as (
    select
        l.*,
        e.cnpj,
        e.existia,
        d.logradouro,
        d.cnpj is not null as mesmo_numero,
        qn.n as n_numero,
        case
            when l.cnae_id = e.cnae then 'cnae_principal'
            when l.cnae_id = any(e.cnaes_secundarios) then 'cnae_secundario'
            when left(l.cnae_id, 5) = left(e.cnae, 5) then 'cnae_classe'
        end as atividade,
        case
            when l.cnae_id = e.cnae or l.cnae_id = any(e.cnaes_secundarios) then qe.n
            when left(l.cnae_id, 5) = left(e.cnae, 5) then qc.n
        end as n_atividade
    from pares as p
    inner join leads as l on p.uc_id = l.uc_id
    inner join estabelecimentos as e
        on p.cnpj = e.cnpj and l.municipio_id = e.municipio_id and l.cep = e.cep
    left join por_endereco as d on p.uc_id = d.uc_id and p.cnpj = d.cnpj
    left join quantos as qe
        on l.municipio_id = qe.municipio_id and l.cep = qe.cep and l.cnae_id = qe.codigo
    left join quantos as qc
        on l.municipio_id = qc.municipio_id and l.cep = qc.cep and left(l.cnae_id, 5) = qc.codigo
    left join quantos_no_numero as qn
        on d.cnpj is not null
            and e.municipio_id = qn.municipio_id and e.cep = qn.cep and e.numero = qn.numero
),

-- One that did not exist yet is not among those counted, and is one more.
contados as (
    select
        *,
        coalesce(least(n_atividade, n_numero), 0) + (not existia)::integer as n
    from coincidencias
),

partes as (
    select
        c.uc_id,
        c.cnpj,
        v.id,
        v.ordem,
        {{ pontos_da_evidencia('s.peso', 'v.parte') }} as pontos,
        s.descricao || coalesce(' (' || v.detalhe || ')', '') as texto
    from contados as c
    cross join
        lateral (
            values
            (1, c.atividade, 1, c.cnae_id),
            (2, case when {{ cep_geral('c.cep') }} then 'cep_geral' else 'cep' end, 1, c.cep),
            (3, 'raridade', 1.0 / greatest(c.n, 1), 'uma de ' || greatest(c.n, 1)),
            (4, case when c.mesmo_numero then 'numero' end, 1, null),
            (
                5, case when c.mesmo_numero then 'logradouro' end, c.logradouro,
                round(100 * c.logradouro::numeric) || ' %'
            ),
            (6, case when c.existia then 'ativa' end, 1, c.ano::text)
        ) as v (ordem, id, parte, detalhe)
    inner join {{ ref('evidencia_empresa') }} as s on v.id = s.id
),

notas as (
    select
        uc_id,
        cnpj,
        sum(pontos) as escore,
        jsonb_agg(
            jsonb_build_object('evidencia', id, 'pontos', pontos, 'texto', texto) order by ordem
        ) as evidencia
    from partes
    group by uc_id, cnpj
    having sum(pontos) >= {{ parametro_empresa('escore_minimo') }}
),

ordenadas as (
    select
        *,
        row_number() over (partition by uc_id order by escore desc, cnpj asc) as ordem,
        count(*) over (partition by uc_id) as candidatos,
        lead(escore) over (partition by uc_id order by escore desc, cnpj asc) as seguinte
    from notas
),

julgadas as (
    select
        *,
        ordem = 1
        and escore >= {{ parametro_empresa('escore_alto') }}
        and (seguinte is null or escore - seguinte >= {{ parametro_empresa('margem_alta') }}) as certa
    from ordenadas
)

select
    o.uc_id,
    e.capital_social::double precision as capital_social,
    case when o.certa then g.latitude end as latitude,
    case when o.certa then g.longitude end as longitude,
    o.escore::double precision as escore,
    e.entrega_id,
    l.distribuidora_id,
    e.data_inicio as abertura,
    e.data_situacao as situacao_desde,
    o.candidatos::integer as candidatos,
    l.ano,
    o.ordem::smallint as ordem,
    e.matriz,
    o.certa and l.cnae_id is null and cn.id is not null as preenche_cnae,
    case when o.certa then 'alta' else 'possivel' end as confianca,
    e.cnpj,
    e.cnpj_basico,
    e.razao_social,
    e.nome_fantasia,
    case e.situacao
        when 1 then 'nula'
        when 2 then 'ativa'
        when 3 then 'suspensa'
        when 4 then 'inapta'
        when 8 then 'baixada'
    end as situacao,
    cn.id as cnae_id,
    cn.descricao as cnae,
    e.natureza_juridica,
    e.endereco,
    e.cep,
    e.telefone,
    e.email,
    coalesce(po.descricao, 'Não informado') as porte,
    po.faturamento_faixa,
    o.evidencia
from julgadas as o
inner join leads as l on o.uc_id = l.uc_id
inner join estabelecimentos as e on o.cnpj = e.cnpj
left join {{ ref('cnae') }} as cn on e.cnae = cn.id
left join {{ ref('stg_geocodificacao') }} as g
    on o.cnpj = g.cnpj and (select t.geocodificacao from passos as t)
left join {{ ref('porte_empresa') }} as po on e.porte::text = po.id
where o.ordem <= {{ parametro_empresa('maximo_candidatos') }}
