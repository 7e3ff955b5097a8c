-- 14. O que está estranho: as anomalias de maior escore de cada tipo, com o motivo por extenso.
select
    tipo,
    nivel,
    serie_id,
    mes,
    escore,
    evidencia
from (
    select
        *,
        row_number() over (partition by tipo order by escore desc, serie_id, mes) as ordem
    from marts.mart_anomalia
    where ano = 2024 and distribuidora_id = 401
) as a
where ordem <= 5
order by tipo, ordem;
