-- Leads de cada município e a energia deles: psql "$(make -s db-url)" -f docs/bi/municipios.sql
select
    municipio,
    uf,
    count(*) as leads,
    round(sum(energia_anual_kwh)::numeric / 1000) as energia_mwh
from marts.mart_lead
group by municipio, uf
order by energia_mwh desc, municipio;
