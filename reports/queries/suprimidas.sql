-- Cells whose figures are hidden, by rollup.
select
    resumo,
    count(*) as celulas,
    count(*) filter (where suprimido) as suprimidas
from (
    select 'bairro' as resumo, suprimido from marts.resumo_bairro
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select 'conjunto', suprimido from marts.resumo_conjunto
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select 'classe', suprimido from marts.resumo_classe
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select 'segmento', suprimido from marts.resumo_segmento
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select 'subgrupo', suprimido from marts.resumo_subgrupo
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select 'transformador', suprimido from marts.mart_transformador
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    union all
    select 'alimentador', suprimido from marts.mart_perda_alimentador
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
) as c
group by resumo
order by resumo
