{# What the rollups share. Belongs here: the cells of a dimension, their measures, which of them readers see.
   Not here: what makes a cell small (privacidade.sql), one rollup's names and key (models/marts/resumos). #}

{# The offers in the order of their columns, as in mart_lead_safra. #}
{% macro ofertas_do_resumo() %}
    {{ return(['migracao', 'arbitragem', 'backup', 'gtd', 'eficiencia']) }}
{% endmacro %}

{# Hours of the year: more of them without supply, or more interruptions, are no indicator. #}
{% macro horas_do_ano(ano) -%}
    ((make_date({{ ano }} + 1, 1, 1) - make_date({{ ano }}, 1, 1)) * 24)
{%- endmacro %}

{# A year's DIC or FIC, or null where it is impossible. #}
{% macro indicador_possivel(valor, ano) -%}
    case when {{ valor }} between 0 and {{ horas_do_ano(ano) }} then {{ valor }} end
{%- endmacro %}

{# The dimensions of safra_celula and safra_celula_oferta → the columns that name a cell of each. #}
{% macro dimensoes_do_resumo() %}
    {{ return({
        'municipio': ['municipio_id'],
        'bairro': ['municipio_id', 'bairro'],
        'conjunto': ['conjunto_id'],
        'segmento': ['segmento_mercado_id'],
        'subgrupo': ['subgrupo_tarifario_id'],
        'classe': ['classe_consumo_id'],
    }) }}
{% endmacro %}

{# `group by` once for each dimension, and `dimensao` and its keys to select. #}
{% macro grupos_do_resumo(fixas) -%}
    grouping sets (
        {% for chaves in dimensoes_do_resumo().values() -%}
        ({{ (fixas + chaves) | join(', ') }}){{ ',
        ' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro dimensao_do_grupo() -%}
    case
        when grouping(bairro) = 0 then 'bairro'
        when grouping(municipio_id) = 0 then 'municipio'
        when grouping(conjunto_id) = 0 then 'conjunto'
        when grouping(segmento_mercado_id) = 0 then 'segmento'
        when grouping(subgrupo_tarifario_id) = 0 then 'subgrupo'
        else 'classe'
    end
{%- endmacro %}

{# Measure → its SQL over rows of safra_celula. #}
{% macro medidas_da_celula() %}
    {{ return({
        'quantidade_leads': 'sum(quantidade_leads)::bigint',
        'energia_anual_kwh': 'sum(energia_anual_kwh)',
        'energia_ponta_kwh': 'sum(energia_ponta_kwh)',
        'participacao_ponta_pct': '100 * sum(energia_ponta_kwh) / nullif(sum(energia_anual_kwh), 0)',
        'demanda_contratada_kw': 'sum(demanda_contratada_kw)',
        'media_dic_anual_h': 'sum(dic_anual_h) / nullif(sum(leads_com_dic), 0)',
        'media_fic_anual': 'sum(fic_anual) / nullif(sum(leads_com_fic), 0)',
        'dic_mediana_conjunto_h': 'sum(soma_dic_mediana_h) / nullif(sum(leads_com_mediana), 0)',
        'fic_mediana_conjunto': 'sum(soma_fic_mediana) / nullif(sum(leads_com_mediana), 0)',
        'dec_h': 'sum(soma_dec_h) / nullif(sum(leads_com_dec), 0)',
        'dec_limite_h': 'sum(soma_dec_limite_h) / nullif(sum(leads_com_limite), 0)',
        'fec': 'sum(soma_fec) / nullif(sum(leads_com_dec), 0)',
        'fec_limite': 'sum(soma_fec_limite) / nullif(sum(leads_com_limite), 0)',
        'leads_dic_impossivel': 'sum(leads_dic_impossivel)::bigint',
        'leads_fic_impossivel': 'sum(leads_fic_impossivel)::bigint',
        'leads_livres': 'sum(leads_livres)::bigint',
        'livre_pct': '100 * sum(leads_livres) / sum(quantidade_leads)::double precision',
        'energia_livre_pct': '100 * sum(energia_livre_kwh) / nullif(sum(energia_anual_kwh), 0)',
        'leads_com_geracao': 'sum(leads_com_geracao)::bigint',
        'gd_pct': '100 * sum(leads_com_geracao) / sum(quantidade_leads)::double precision',
    }) }}
{% endmacro %}

{# The measures' names that `medidas` adds to those that a rollup has already. #}
{% macro medidas_novas(ja=[]) %}
    {% set nomes = [] %}
    {% for nome in medidas_da_celula() if nome not in ja %}{% do nomes.append(nome) %}{% endfor %}
    {% for oferta in ofertas_do_resumo() %}{% do nomes.append('score_' ~ oferta) %}{% endfor %}
    {{ return(nomes) }}
{% endmacro %}

{# Equality of nullable keys that can be hashed. #}
{% macro mesma_chave(uma, outra, chaves) -%}
    {% for chave in chaves -%}
    coalesce({{ uma }}.{{ chave }}::text, '') = coalesce({{ outra }}.{{ chave }}::text, '')
    {{- ' and ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# CTEs that end in `medidas`: the cells of a dimension by these keys, with all measures and what privacidade.sql asks
   of a cell. `extra`: more aggregates, name → SQL. #}
{% macro medidas_das_celulas(dimensao, chaves, extra={}) -%}
    somas as (
        select
            {{ chaves | join(', ') }},
            {% for nome, soma in medidas_da_celula().items() -%}
            {{ soma }} as {{ nome }},
            {% endfor -%}
            {% for nome, soma in extra.items() -%}
            {{ soma }} as {{ nome }},
            {% endfor -%}
            sum(quantidade_leads) as leads,
            sum(leads_pf) as leads_pf,
            sum(energia_anual_kwh) as energia,
            max(maior_energia_anual_kwh) as maior,
            sum(energia_pf_kwh) as energia_pf,
            max(maior_energia_pf_kwh) as maior_pf
        from {{ ref('safra_celula') }}
        where dimensao = '{{ dimensao }}'
        group by {{ chaves | join(', ') }}
    ),

    ofertas as (
        select
            {{ chaves | join(', ') }}
            {%- for oferta in ofertas_do_resumo() %},
            sum(soma_score) filter (where oferta = '{{ oferta }}')
            / sum(leads) filter (where oferta = '{{ oferta }}') as score_{{ oferta }}
            {%- endfor %}
        from {{ ref('safra_celula_oferta') }}
        where dimensao = '{{ dimensao }}'
        group by {{ chaves | join(', ') }}
    ),

    medidas as (
        select
            s.*
            {%- for oferta in ofertas_do_resumo() %},
            o.score_{{ oferta }}::double precision as score_{{ oferta }}
            {%- endfor %}
        from somas as s
        left join ofertas as o on {{ mesma_chave('s', 'o', chaves) }}
    )
{%- endmacro %}

{# CTEs that end in `resumo`: the cells of a dimension within each distributor, measures null where `suprimido`.
   `totais`: the totals that a reader can take the shown cells off, as lists of columns; the later ones know what the
   earlier ones hid. #}
{% macro celulas_do_resumo(dimensao, totais, extra={}) -%}
    {%- set chaves = ['ano', 'distribuidora_id'] + dimensoes_do_resumo()[dimensao] -%}
    {{ medidas_das_celulas(dimensao, chaves, extra) }},

    {{ esconde_em_totais('medidas', chaves, totais) }},

    resumo as (
        select
            {% for chave in chaves %}m.{{ chave }}, {% endfor %}
            coalesce(o.oculta, false) as suprimido,
            {{ medidas_mostradas('m', 'o.oculta', medidas_novas() + extra.keys() | list) }}
        from medidas as m
        left join escondidas as o on {{ mesma_chave('m', 'o', chaves) }}
    )
{%- endmacro %}

{# CTEs that end in `escondidas`: esconde_complementos along one total after the other. A cell that a later total
   hides is not small, so what an earlier one left stays as large as it was. #}
{% macro esconde_em_totais(celulas, chaves, totais) -%}
    {%- for total in totais %}
    {%- set nome = 'escondidas' if loop.last else 'escondidas_' ~ loop.index %}
    partes_{{ loop.index }} as (
        select
            {{ 'm.' ~ chaves | join(', m.') }},
            m.leads,
            m.leads_pf,
            m.energia,
            m.maior,
            m.energia_pf,
            m.maior_pf,
            {% if loop.first -%}
            {{ pequena_de() }} as pequena
        from {{ celulas }} as m
            {%- else -%}
            coalesce(o.oculta, false) as pequena
        from {{ celulas }} as m
        left join escondidas_{{ loop.index0 }} as o on {{ mesma_chave('m', 'o', chaves) }}
            {%- endif %}
    ),

    {{ esconde_complementos(
        'partes_' ~ loop.index, total, chaves | reject('in', total) | join(', '), nome=nome
    ) }}{{ ',
    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Measures as readers see them. #}
{% macro medidas_mostradas(tabela, oculta, nomes) -%}
    {% for nome in nomes -%}
    case when not coalesce({{ oculta }}, false) then {{ tabela }}.{{ nome }} end as {{ nome }}{{ ',
    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Measures by name, of a table. #}
{% macro colunas(tabela, nomes) -%}
    {% for nome in nomes -%}
    {{ tabela }}.{{ nome }}{{ ',
    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The CTEs of classes' months, of safra_classe_mes and safra_celula, that end in `resumo`: each month with whether it is
   hidden (`suprimido`), its measures null then. `quais` is a condition on ano and distribuidora_id: whole safras. #}
{% macro classes_mes_a_mes(meses, celulas, quais='true') -%}
    {%- set chaves = ['ano', 'distribuidora_id', 'origem', 'classe_consumo_id'] %}
    meses as (
        select * from {{ meses }}
        where {{ quais }}
    ),

    -- The year stands as month 0: what is hidden of one month is hidden of all, or the year would give it away.
    celulas as (
        select
            {{ chaves | join(', ') }},
            mes,
            unidades as leads,
            unidades_pf as leads_pf,
            energia_kwh as energia,
            maior_energia_kwh as maior,
            energia_pf_kwh as energia_pf,
            maior_energia_pf_kwh as maior_pf
        from meses
        union all
        select
            {{ chaves | join(', ') }},
            0 as mes,
            quantidade_leads as leads,
            leads_pf,
            energia_anual_kwh as energia,
            maior_energia_anual_kwh as maior,
            energia_pf_kwh as energia_pf,
            maior_energia_pf_kwh as maior_pf
        from {{ celulas }}
        where dimensao = 'classe' and {{ quais }}
    ),

    -- Totals that readers have: the class's in resumo_classe, the layer's in resumo_camada, the feeders' months.
    {{ esconde_em_totais('celulas', chaves + ['mes'], [
        ['ano', 'distribuidora_id', 'mes', 'classe_consumo_id'],
        ['ano', 'distribuidora_id', 'mes', 'origem'],
        ['ano', 'distribuidora_id', 'mes'],
    ]) }},

    classes_ocultas as (
        select
            {{ chaves | join(', ') }},
            bool_or(oculta) as oculta
        from escondidas
        group by {{ chaves | join(', ') }}
    ),

    resumo as (
        select
            m.ano,
            m.distribuidora_id,
            m.origem,
            m.classe_consumo_id,
            m.mes,
            coalesce(o.oculta, false) as suprimido,
            {{ medidas_mostradas(
                'm', 'o.oculta', ['unidades', 'unidades_com_geracao', 'energia_kwh', 'energia_ponta_kwh']
            ) }}
        from meses as m
        left join classes_ocultas as o on {{ mesma_chave('m', 'o', chaves) }}
    )
{%- endmacro %}
