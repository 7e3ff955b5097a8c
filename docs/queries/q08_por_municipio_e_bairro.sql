-- 8. Unidades e energia de pessoas jurídicas por município e bairro.
select
    uf,
    municipio,
    bairro,
    count(*) as unidades,
    sum(energia_anual_kwh) as energia_anual_kwh
from marts.mart_lead
group by uf, municipio, bairro
order by energia_anual_kwh desc nulls last;
