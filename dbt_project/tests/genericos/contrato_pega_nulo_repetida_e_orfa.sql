-- Of rows that no constraint guards: the null, both of a pair, the one without counterpart; what is lost is
-- said once even where every row is good; a null in a key repeats only where nulls count as equal.
{% set linhas = '(select * from (values (1, 1), (1, 2), (null, 3), (null, 4)) as v (a, b))' %}
{% set pais = '(select * from (values (1), (2), (3)) as v (b))' %}
{% set promessas = {
    'nulas': ['a', 'b'],
    'chaves': [{'colunas': ['a'], 'nulos_iguais': false}, {'colunas': ['a'], 'nulos_iguais': true}],
    'estrangeiras': [{'coluna': 'b', 'outra': pais, 'campo': 'b'}]
} %}
with achadas as (
    {{ fora_do_contrato(linhas, promessas) }}
),

contadas as (
    select
        regra,
        count(*) as linhas
    from achadas
    group by regra
)

select
    contadas.regra,
    contadas.linhas,
    esperadas.linhas as esperadas
from contadas
full join (
    values
    ('a perdeu o NOT NULL', 2),
    ('b perdeu o NOT NULL', 1),
    ('a se repete', 6),
    ('b não existe em ' || '{{ pais }}', 1)
) as esperadas (regra, linhas) on contadas.regra = esperadas.regra
where contadas.linhas is distinct from esperadas.linhas
