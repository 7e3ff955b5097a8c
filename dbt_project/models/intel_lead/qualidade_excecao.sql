with ucs as (
    {% for camada in camadas_uc() %}
    select
        ano,
        distribuidora_id,
        origem,
        {{ dominios_do_lead() | map(attribute='campo') | join(', ') }},
        dat_con,
        data_conexao
    from {{ ref('stg_' ~ camada | lower) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

codigos as (
    select
        u.ano,
        u.distribuidora_id,
        u.origem,
        c.coluna,
        c.valor,
        count(*) as linhas
    from ucs as u,
        lateral (values {{ codigos_declarados() }}) as c (coluna, valor)
    where c.valor is not null
    group by u.ano, u.distribuidora_id, u.origem, c.coluna, c.valor
),

documentados as (
    {% for d in dominios_do_lead() %}
    select
        '{{ d.bdgd }}' as coluna,
        id::text as valor
    from {{ ref(d.dominio) }}
    {{ 'where documentado' if d.dominio == 'tipo_sistema' }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    c.linhas,
    c.distribuidora_id,
    c.origem as camada,
    c.ano,
    c.coluna,
    c.valor
from codigos as c
left join documentados as d on c.coluna = d.coluna and c.valor = d.valor
where d.valor is null
