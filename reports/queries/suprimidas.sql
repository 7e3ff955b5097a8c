-- Cells whose figures are hidden, by rollup.
with celulas as (
    select
        'bairro' as resumo,
        suprimido
    from marts.resumo_bairro
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select
        'conjunto' as resumo,
        suprimido
    from marts.resumo_conjunto
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select
        'classe' as resumo,
        suprimido
    from marts.resumo_classe
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select
        'segmento' as resumo,
        suprimido
    from marts.resumo_segmento
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select
        'subgrupo' as resumo,
        suprimido
    from marts.resumo_subgrupo
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select
        'transformador' as resumo,
        suprimido
    from marts.mart_transformador
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select
        'alimentador' as resumo,
        suprimido
    from marts.mart_perda_alimentador
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
)

select
    resumo,
    count(*) as celulas,
    count(*) filter (where suprimido) as suprimidas
from celulas
group by resumo
order by resumo
