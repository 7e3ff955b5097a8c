{# Whom readers may see (docs/security.md). Belongs here: who is a legal person, which aggregate is too small, which
   others hide with it. Not here: who the readers are (server/roles.py). #}

{# Whether a unit is a legal person's; never null. Farmers in low voltage are natural persons, whatever ANEEL's
   class says of them, and so is who has no class. #}
{% macro pessoa_juridica(tipo_cliente, origem, classe_consumo_id) -%}
    (
        {{ tipo_cliente }} = 'PJ'
        and not ({{ origem }} = 'UCBT' and {{ classe_consumo_id }} in ('RU1', 'RU1A', 'RU1B', 'RU2'))
    ) is true
{%- endmacro %}

{# The CTE `celulas` with what has to be known of an aggregate, from safra_resumo, by these columns. #}
{% macro soma_celulas(chaves) -%}
    select
        {{ chaves | join(', ') }},
        sum(quantidade_leads) as leads,
        sum(leads_pf) as leads_pf,
        sum(energia_anual_kwh) as energia,
        max(maior_energia_anual_kwh) as maior,
        sum(energia_pf_kwh) as energia_pf,
        max(maior_energia_pf_kwh) as maior_pf
    from {{ ref('safra_resumo') }}
    group by {{ chaves | join(', ') }}
{%- endmacro %}

{# Whether a cell would say something of one person: it holds natural persons, and one of its units has more than 80 % of
   its energy; or they are fewer than five, or one of them has more than 80 % of theirs. A reader sees legal persons one
   by one and takes them off the cell. The arguments are SQL. #}
{% macro celula_pequena(leads_pf, energia, maior, energia_pf, maior_pf) -%}
    (
        {{ leads_pf }} > 0
        and (
            {{ leads_pf }} < 5
            or coalesce({{ maior }} > 0.8 * {{ energia }}, false)
            or coalesce({{ maior_pf }} > 0.8 * {{ energia_pf }}, false)
        )
    )
{%- endmacro %}

{# The same of a CTE of cells, by its columns' names. #}
{% macro pequena_de(sufixo='') -%}
    {{ celula_pequena(
        'leads_pf' ~ sufixo, 'energia' ~ sufixo, 'maior' ~ sufixo, 'energia_pf' ~ sufixo, 'maior_pf' ~ sufixo
    ) }}
{%- endmacro %}

{# CTEs that end in `ocultas`, or in `nome`: the parts of a total, with whether each is hidden (`oculta`).

   `partes` names a CTE of cells with a boolean `pequena`. A reader takes the parts that are shown off the total: what
   is left must not be a small cell either, and while it is, the next smallest part is hidden too. Parts of legal
   persons alone are never hidden, for their units are shown one by one. #}
{% macro esconde_complementos(partes, total, parte, nome='ocultas') -%}
    {%- set antes = '' if nome == 'ocultas' else nome ~ '_' -%}
    {%- set ordem = 'partition by ' ~ total | join(', ') ~ ' order by pequena desc, leads, ' ~ parte -%}
    {{ antes }}resto as (
        select
            *,
            lead(pequena, 1, false) over (por_tamanho) as segue_pequena,
            sum(leads_pf) over ate_aqui as leads_pf_resto,
            sum(energia) over ate_aqui as energia_resto,
            max(maior) over ate_aqui as maior_resto,
            sum(energia_pf) over ate_aqui as energia_pf_resto,
            max(maior_pf) over ate_aqui as maior_pf_resto
        from {{ partes }}
        where leads_pf > 0 or pequena
        window
            por_tamanho as ({{ ordem }}),
            ate_aqui as ({{ ordem }} rows unbounded preceding)
    ),

    {{ antes }}faltando as (
        select
            *,
            segue_pequena or {{ pequena_de('_resto') }} as falta
        from {{ antes }}resto
    ),

    {{ nome }} as (
        select
            *,
            pequena or coalesce(
                bool_or(pequena) over ({{ ordem }} rows between unbounded preceding and 1 preceding)
                and bool_and(falta) over ({{ ordem }} rows between unbounded preceding and 1 preceding),
                false
            ) as oculta
        from {{ antes }}faltando
    )
{%- endmacro %}
