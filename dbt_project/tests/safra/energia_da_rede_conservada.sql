{{ config(meta={'dagster': {'ref': {'name': 'geracao'}}}) }}
-- What generators injected and lamps used, as the loader added it up over the rows that landed, is what the
-- tables hold. A returned row is a layer's month in a safra that differs.
{% set medidas = [
    {'coluna': 'energia', 'series': ['ene', 'ene_p', 'ene_f'], 'camadas': ['UGAT', 'UGMT', 'UGBT', 'PIP']}
] %}
{% set rede %}
(
    select
        g.ano,
        g.distribuidora_id,
        g.origem,
        m.mes,
        m.energia
    from {{ ref('geracao') }} as g
    cross join lateral unnest(g.energia_mes) with ordinality as m (energia, mes)
    union all
    select
        i.ano,
        i.distribuidora_id,
        'PIP' as origem,
        m.mes,
        m.energia
    from {{ ref('iluminacao_publica') }} as i
    cross join lateral unnest(i.energia_mes) with ordinality as m (energia, mes)
) as rede
{% endset %}
{{ test_igual_a_carga(rede, source('carga', 'carga_soma'), medidas) }}
